using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Channels of X[n,c,h,w] moved into blocks of space: b² channels become one plane b times as high and wide.</summary>
/// <param name="BlockSize">b, the edge of a block.</param>
/// <param name="ColumnFirst">Whether channels count as (channel, block row, block column), not (block row, block column, channel).</param>
public sealed record DepthToSpace(int BlockSize, bool ColumnFirst = false) : MovingOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "input").OfRank(4, "the input");
        if (BlockSize < 1 || x.Shape[1] % ((long)BlockSize * BlockSize) != 0)
            throw new ShapeException($"{x.Shape[1]} channels do not make blocks of {BlockSize}×{BlockSize}.");
        int channels = x.Shape[1] / BlockSize / BlockSize;
        return [new(x.Type, [x.Shape[0], channels, checked(x.Shape[2] * BlockSize), checked(x.Shape[3] * BlockSize)])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        (int n, int c, int h, int w, int b) = (x.Shape[0], outputs[0].Shape[1], x.Shape[2], x.Shape[3], BlockSize);
        Shape split = ColumnFirst ? [n, c, b, b, h, w] : [n, b, b, c, h, w];
        Strided.Permute<T>(split, x.Values, ColumnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2], outputs[0].Of<T>().Values);
    }

    internal override Reads? GradientReads(int input) => Reads.Nothing;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        (int n, int c, int h, int w, int b) = (dx.Shape[0], pull.Dy.Shape[1], dx.Shape[2], dx.Shape[3], BlockSize);
        T[] moved = new T[dx.Shape.ElementCount];
        Strided.Permute<T>([n, c, h, b, w, b], pull.Dy.Values, ColumnFirst ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4], moved);
        dx.Add<T>(moved);
    }
}

/// <summary>Blocks of space moved into channels: the inverse of <see cref="DepthToSpace"/> in its first form.</summary>
public sealed record SpaceToDepth(int BlockSize) : MovingOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "input").OfRank(4, "the input");
        if (BlockSize < 1 || x.Shape[2] % BlockSize != 0 || x.Shape[3] % BlockSize != 0)
            throw new ShapeException($"planes of {x.Shape} do not split into blocks of {BlockSize}×{BlockSize}.");
        return [new(x.Type, [x.Shape[0], checked(x.Shape[1] * BlockSize * BlockSize), x.Shape[2] / BlockSize, x.Shape[3] / BlockSize])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        Shape y = outputs[0].Shape;
        Strided.Permute<T>([y[0], x.Shape[1], y[2], BlockSize, y[3], BlockSize], x.Values, [0, 3, 5, 1, 2, 4], outputs[0].Of<T>().Values);
    }

    internal override Reads? GradientReads(int input) => Reads.Nothing;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        (Shape y, int b) = (pull.Dy.Shape, BlockSize);
        T[] moved = new T[dx.Shape.ElementCount];
        Strided.Permute<T>([y[0], b, b, dx.Shape[1], y[2], y[3]], pull.Dy.Values, [0, 3, 4, 1, 5, 2], moved);
        dx.Add<T>(moved);
    }
}
