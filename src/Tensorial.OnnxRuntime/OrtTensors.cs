using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Tensorial.OnnxRuntime;

/// <summary>A tensor of ours that native code reads where it lies.</summary>
internal sealed record PinnedTensor(OrtValue Value, MemoryHandle Memory) : IDisposable
{
    public void Dispose()
    {
        Value.Dispose();
        Memory.Dispose();
    }
}

/// <summary>Tensors from this library to ONNX Runtime and back.</summary>
internal static class OrtTensors
{
    /// <summary>The tensor for native code, in the same memory.</summary>
    public static PinnedTensor Pin(Tensor tensor) =>
        tensor switch
        {
            Tensor<float> t => Pin(t, TensorElementType.Float),
            Tensor<double> t => Pin(t, TensorElementType.Double),
            Tensor<Half> t => Pin(t, TensorElementType.Float16),
            Tensor<Tensorial.BFloat16> t => Pin(t, TensorElementType.BFloat16),
            Tensor<sbyte> t => Pin(t, TensorElementType.Int8),
            Tensor<short> t => Pin(t, TensorElementType.Int16),
            Tensor<int> t => Pin(t, TensorElementType.Int32),
            Tensor<long> t => Pin(t, TensorElementType.Int64),
            Tensor<byte> t => Pin(t, TensorElementType.UInt8),
            Tensor<ushort> t => Pin(t, TensorElementType.UInt16),
            Tensor<uint> t => Pin(t, TensorElementType.UInt32),
            Tensor<ulong> t => Pin(t, TensorElementType.UInt64),
            _ => Pin(tensor.Of<bool>(), TensorElementType.Bool),
        };

    /// <summary>A copy of what native code made.</summary>
    /// <exception cref="BadInputException">It is no tensor of numbers.</exception>
    public static Tensor Copy(string name, OrtValue value)
    {
        if (!value.IsTensor)
            throw new BadInputException($"The output '{name}' is a {value.OnnxType}, no tensor.");
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        Shape shape = Shape.From([.. info.Shape.Select(static extent => checked((int)extent))]);
        return info.ElementDataType switch
        {
            TensorElementType.Float => Copy<float>(value, shape),
            TensorElementType.Double => Copy<double>(value, shape),
            TensorElementType.Float16 => Copy<Half>(value, shape),
            TensorElementType.BFloat16 => Copy<Tensorial.BFloat16>(value, shape),
            TensorElementType.Int8 => Copy<sbyte>(value, shape),
            TensorElementType.Int16 => Copy<short>(value, shape),
            TensorElementType.Int32 => Copy<int>(value, shape),
            TensorElementType.Int64 => Copy<long>(value, shape),
            TensorElementType.UInt8 => Copy<byte>(value, shape),
            TensorElementType.UInt16 => Copy<ushort>(value, shape),
            TensorElementType.UInt32 => Copy<uint>(value, shape),
            TensorElementType.UInt64 => Copy<ulong>(value, shape),
            TensorElementType.Bool => Copy<bool>(value, shape),
            TensorElementType other => throw new BadInputException($"The output '{name}' is a tensor of {other}, not of numbers."),
        };
    }

    private static unsafe PinnedTensor Pin<T>(Tensor<T> tensor, TensorElementType type)
        where T : unmanaged
    {
        MemoryHandle memory = tensor.Memory.Pin();
        return new(
            OrtValue.CreateTensorValueWithData(
                OrtMemoryInfo.DefaultInstance,
                type,
                [.. tensor.Shape.Select(static extent => (long)extent)],
                (nint)memory.Pointer,
                (long)tensor.Memory.Length * sizeof(T)
            ),
            memory
        );
    }

    private static Tensor<T> Copy<T>(OrtValue value, Shape shape)
        where T : unmanaged => new(shape, MemoryMarshal.Cast<byte, T>(value.GetTensorMutableRawData()).ToArray());
}
