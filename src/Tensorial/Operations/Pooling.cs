using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Pooling: every plane of X[n,c,…] is summarised window by window. Padding takes no part unless an operation says so.</summary>
public abstract record Pooling : Windowed
{
    /// <summary>Whether a last window that reaches beyond the padding still counts.</summary>
    public bool CeilMode { get; init; }

    /// <summary>The window over each spatial axis for concrete extents: paddings and output extents resolved.</summary>
    internal ImmutableArray<WindowAxis> Windows(Shape input) => Resolve(input.Extents[2..], KernelShape.AsSpan(), CeilMode);

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "X");
        if (!x.Type.IsFloating() && x.Type is not (ElementType.UInt8 or ElementType.Int8))
            throw new UnsupportedException($"pooling of {x.Type} values is not supported.");
        if (x.Shape.Rank < 3)
            throw new ShapeException($"the input needs batch, channels and at least one spatial axis, not the shape {x.Shape}.");
        if (KernelShape.Length != x.Shape.Rank - 2)
            throw new ShapeException($"kernel_shape {string.Join('×', KernelShape)} does not fit the input {x.Shape}.");
        return [new(x.Type, [x.Shape[0], x.Shape[1], .. Windows(x.Shape).Select(static window => window.Output)])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        ImmutableArray<WindowAxis> windows = Windows(x.Shape);
        int inputPlane = x.Shape.ElementCountOf(2, x.Shape.Rank),
            outputPlane = y.Shape.ElementCountOf(2, y.Shape.Rank);
        workers.For(
            x.Shape[0] * x.Shape[1],
            plane =>
            {
                ReadOnlySpan<T> source = x.Values.Slice(plane * inputPlane, inputPlane);
                Span<T> target = y.Values.Slice(plane * outputPlane, outputPlane);
                WindowWalk walk = new(windows);
                for (int position = 0; walk.Next(); position++)
                    target[position] = Summary(source, walk);
            }
        );
    }

    internal override Reads? GradientReads(int input) => Reads.Input(0) | Reads.Output();

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx || pull.Upstream(0) is not { } dy)
            return;
        Reads reads = GradientReads(0)!.Value;
        ReadOnlyMemory<T> x = reads.IncludesInput(0) ? pull.Input(0).Memory : default,
            y = reads.IncludesOutput(0) ? pull.Output().Memory : default;
        ImmutableArray<WindowAxis> windows = Windows(dx.Shape);
        int inputPlane = dx.Shape.ElementCountOf(2, dx.Shape.Rank),
            outputPlane = dy.Shape.ElementCountOf(2, dy.Shape.Rank);
        workers.For(
            dx.Shape[0] * dx.Shape[1],
            plane =>
            {
                ReadOnlySpan<T> source = x.IsEmpty ? [] : x.Span.Slice(plane * inputPlane, inputPlane);
                Span<T> target = dx.Values.Slice(plane * inputPlane, inputPlane);
                WindowWalk walk = new(windows);
                for (int position = plane * outputPlane; walk.Next(); position++)
                    Spread(dy.Values[position], y.IsEmpty ? T.Zero : y.Span[position], source, target, walk);
            }
        );
    }

    /// <summary>Adds what one window's values get of the gradient dy of its summary y.</summary>
    private protected abstract void Spread<T>(T dy, T y, ReadOnlySpan<T> x, Span<T> dx, WindowWalk walk)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    /// <summary>The value of one window.</summary>
    private protected abstract T Summary<T>(ReadOnlySpan<T> plane, WindowWalk walk)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}

/// <summary>
/// The mean over each window, over the values inside the input only or, with <see cref="CountIncludePad"/>, over padding as well.
/// </summary>
public sealed record AveragePool : Pooling
{
    /// <summary>Whether padding counts as zeros.</summary>
    public bool CountIncludePad { get; init; }

    private protected override T Summary<T>(ReadOnlySpan<T> plane, WindowWalk walk)
    {
        T sum = T.Zero;
        foreach ((_, int offset) in walk.Taps)
            sum += plane[offset];
        return sum / T.CreateChecked(CountIncludePad ? walk.TapsInPadding() : walk.Taps.Length);
    }

    internal override Reads? GradientReads(int input) => Reads.Nothing;

    private protected override void Spread<T>(T dy, T y, ReadOnlySpan<T> x, Span<T> dx, WindowWalk walk)
    {
        T share = dy / T.CreateChecked(CountIncludePad ? walk.TapsInPadding() : walk.Taps.Length);
        foreach ((_, int offset) in walk.Taps)
            dx[offset] += share;
    }
}

/// <summary>The p-norm of each window: (Σ |x|ᵖ)^(1/p).</summary>
public sealed record LpPool(int P = 2) : Pooling
{
    private protected override T Summary<T>(ReadOnlySpan<T> plane, WindowWalk walk)
    {
        T sum = T.Zero,
            p = T.CreateChecked(P);
        foreach ((_, int offset) in walk.Taps)
            sum += T.Pow(T.Abs(plane[offset]), p);
        return T.Pow(sum, T.One / p);
    }

    private protected override void Spread<T>(T dy, T y, ReadOnlySpan<T> x, Span<T> dx, WindowWalk walk)
    {
        foreach ((_, int offset) in walk.Taps)
            dx[offset] += dy * PNorms.Slope(x[offset], y, P);
    }
}

/// <summary>The largest value of each window and, if asked for, where it was found in X, counted over the whole tensor.</summary>
public sealed record MaxPool : Pooling
{
    /// <summary>Whether there is a second result with the positions of the maxima.</summary>
    public bool WithIndices { get; init; }

    /// <summary>Whether positions count along columns first.</summary>
    public bool ColumnMajor { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo y = base.Infer(inputs)[0];
        return WithIndices ? [y, new(ElementType.Int64, y.Shape)] : [y];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        base.Forward<T>(inputs, outputs, workers);
        if (outputs.Length > 1)
            Locate(inputs[0]!.Of<T>(), outputs[1].Of<long>(), workers);
    }

    private protected override T Summary<T>(ReadOnlySpan<T> plane, WindowWalk walk) =>
        Largest(plane, walk) is var offset and >= 0 ? plane[offset] : T.NegativeInfinity;

    private static int Largest<T>(ReadOnlySpan<T> plane, WindowWalk walk)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int best = -1;
        foreach ((_, int offset) in walk.Taps)
            if (best < 0 || plane[offset] > plane[best] || T.IsNaN(plane[offset]))
                best = offset;
        return best;
    }

    private void Locate<T>(Tensor<T> x, Tensor<long> indices, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ImmutableArray<WindowAxis> windows = Windows(x.Shape);
        int inputPlane = x.Shape.ElementCountOf(2, x.Shape.Rank),
            outputPlane = indices.Shape.ElementCountOf(2, x.Shape.Rank);
        workers.For(
            x.Shape[0] * x.Shape[1],
            plane =>
            {
                ReadOnlySpan<T> source = x.Values.Slice(plane * inputPlane, inputPlane);
                Span<long> target = indices.Values.Slice(plane * outputPlane, outputPlane);
                WindowWalk walk = new(windows);
                for (int position = 0; walk.Next(); position++)
                {
                    int offset = Largest(source, walk);
                    target[position] = (long)plane * inputPlane + (ColumnMajor ? Transposed(offset, x.Shape) : offset);
                }
            }
        );
    }

    /// <summary>The same position when the first spatial axis is the one that moves fastest.</summary>
    private static long Transposed(int offset, Shape shape)
    {
        long position = 0;
        int stride = shape.ElementCountOf(2, shape.Rank);
        for (int axis = shape.Rank - 1; axis >= 2; offset /= shape[axis--])
            position += offset % shape[axis] * (long)(stride /= shape[axis]);
        return position;
    }

    /// <summary>To the value that was chosen, the first of equals.</summary>
    private protected override void Spread<T>(T dy, T y, ReadOnlySpan<T> x, Span<T> dx, WindowWalk walk)
    {
        if (Largest(x, walk) is var offset and >= 0)
            dx[offset] += dy;
    }
}
