using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Loops over the planes of [batch, channels, spatial…]: the values behind one image and one channel.</summary>
internal static class ChannelPlanes
{
    /// <summary>y = factor x + shift, with a factor and a shift for every plane.</summary>
    public static void Scale<T>(Tensor<T> x, Tensor<T> y, Func<int, (T Factor, T Shift)> of, Workers workers)
        where T : unmanaged, INumberBase<T>
    {
        int planes = x.Shape.ElementCountOf(0, Math.Min(2, x.Shape.Rank)),
            size = planes == 0 ? 0 : x.Shape.ElementCount / planes;
        workers.For(
            planes,
            plane =>
            {
                (T factor, T shift) = of(plane);
                Span<T> target = y.Values.Slice(plane * size, size);
                TensorPrimitives.Multiply(x.Values.Slice(plane * size, size), factor, target);
                TensorPrimitives.Add(target, shift, target);
            }
        );
    }

    /// <summary>Every plane filled with its channel's bias, or with zeros.</summary>
    public static void Fill<T>(Tensor<T> y, Tensor<T>? bias)
        where T : unmanaged, INumberBase<T>
    {
        int channels = y.Shape[1],
            size = y.Shape.ElementCountOf(2, y.Shape.Rank);
        if (bias is null)
            y.Values.Clear();
        for (int plane = 0; bias is not null && plane < y.Shape[0] * channels; plane++)
            y.Values.Slice(plane * size, size).Fill(bias.Values[plane % channels]);
    }

    /// <summary>sums[channel] += all values of that channel.</summary>
    public static void AddSums<T>(Tensor<T> x, Tensor<T> sums)
        where T : unmanaged, INumberBase<T>
    {
        int channels = x.Shape[1],
            size = x.Shape.ElementCountOf(2, x.Shape.Rank);
        for (int plane = 0; plane < x.Shape[0] * channels; plane++)
            sums.Values[plane % channels] += TensorPrimitives.Sum<T>(x.Values.Slice(plane * size, size));
    }
}
