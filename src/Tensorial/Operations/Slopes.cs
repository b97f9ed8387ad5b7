using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>The chain rule for functions of one value: dx += f'(x) dy.</summary>
internal static class Slopes
{
    /// <summary>Values at a time: their slopes stay in the first cache.</summary>
    private const int Piece = 1 << 11;

    public static void Chain<T>(Tensor<T> at, Tensor<T> dy, Tensor<T>? dx, UnaryLoop<T, T> slope, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (dx is null)
            return;
        int count = at.Shape.ElementCount;
        workers.For(
            (count + Piece - 1) / Piece,
            piece =>
            {
                int start = piece * Piece,
                    length = Math.Min(Piece, count - start);
                Span<T> slopes = stackalloc T[length],
                    sums = dx.Values.Slice(start, length);
                slope(at.Values.Slice(start, length), slopes);
                TensorPrimitives.MultiplyAdd(slopes, dy.Values.Slice(start, length), sums, sums);
            }
        );
    }
}
