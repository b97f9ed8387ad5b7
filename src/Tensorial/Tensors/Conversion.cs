using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Tensorial;

/// <summary>Values of one element type as another.</summary>
internal static class Conversion
{
    /// <summary>
    /// The tensor with its values as another type; the same tensor where it has that type already. To floating point rounds to
    /// nearest; to integers drops the fraction, wraps integers and saturates numbers out of range; to Bool is "not zero".
    /// </summary>
    public static Tensor To(this Tensor tensor, ElementType type)
    {
        if (tensor.ElementType == type)
            return tensor;
        Tensor result = Tensor.Zeros(type, tensor.Shape);
        Convert(tensor, result);
        return result;
    }

    /// <summary>Writes the values of one tensor into another of the same count.</summary>
    public static void Convert(Tensor from, Tensor to)
    {
        switch (from)
        {
            case Tensor<float> x:
                Convert<float>(x.Values, to);
                break;
            case Tensor<double> x:
                Convert<double>(x.Values, to);
                break;
            case Tensor<Half> x:
                Convert<Half>(x.Values, to);
                break;
            case Tensor<BFloat16> x:
                Convert<float>(Widened(x.Values), to);
                break;
            case Tensor<sbyte> x:
                Convert<sbyte>(x.Values, to);
                break;
            case Tensor<short> x:
                Convert<short>(x.Values, to);
                break;
            case Tensor<int> x:
                Convert<int>(x.Values, to);
                break;
            case Tensor<long> x:
                Convert<long>(x.Values, to);
                break;
            case Tensor<byte> x:
                Convert<byte>(x.Values, to);
                break;
            case Tensor<ushort> x:
                Convert<ushort>(x.Values, to);
                break;
            case Tensor<uint> x:
                Convert<uint>(x.Values, to);
                break;
            case Tensor<ulong> x:
                Convert<ulong>(x.Values, to);
                break;
            default:
                Convert<byte>(MemoryMarshal.AsBytes(from.Of<bool>().Values), to);
                break;
        }
    }

    private static void Convert<T>(ReadOnlySpan<T> from, Tensor to)
        where T : unmanaged, INumber<T>
    {
        switch (to)
        {
            case Tensor<float> y:
                TensorPrimitives.ConvertTruncating(from, y.Values);
                break;
            case Tensor<double> y:
                TensorPrimitives.ConvertTruncating(from, y.Values);
                break;
            case Tensor<Half> y:
                TensorPrimitives.ConvertTruncating(from, y.Values);
                break;
            case Tensor<BFloat16> y:
                for (int i = 0; i < from.Length; i++)
                    y.Values[i] = (BFloat16)float.CreateTruncating(from[i]);
                break;
            case Tensor<sbyte> y:
                TensorPrimitives.ConvertTruncating(from, y.Values);
                break;
            case Tensor<short> y:
                TensorPrimitives.ConvertTruncating(from, y.Values);
                break;
            case Tensor<int> y:
                TensorPrimitives.ConvertTruncating(from, y.Values);
                break;
            case Tensor<long> y:
                TensorPrimitives.ConvertTruncating(from, y.Values);
                break;
            case Tensor<byte> y:
                TensorPrimitives.ConvertTruncating(from, y.Values);
                break;
            case Tensor<ushort> y:
                TensorPrimitives.ConvertTruncating(from, y.Values);
                break;
            case Tensor<uint> y:
                TensorPrimitives.ConvertTruncating(from, y.Values);
                break;
            case Tensor<ulong> y:
                TensorPrimitives.ConvertTruncating(from, y.Values);
                break;
            default:
                Span<bool> flags = to.Of<bool>().Values;
                for (int i = 0; i < from.Length; i++)
                    flags[i] = !T.IsZero(from[i]);
                break;
        }
    }

    private static float[] Widened(ReadOnlySpan<BFloat16> values)
    {
        float[] wide = new float[values.Length];
        for (int i = 0; i < wide.Length; i++)
            wide[i] = (float)values[i];
        return wide;
    }
}
