using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Every plane of X[n,c,…] summarised by one value.</summary>
public abstract record GlobalPooling : FloatOperation
{
    internal sealed override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "X");
        if (x.Shape.Rank < 3)
            throw new ShapeException($"the input needs batch, channels and at least one spatial axis, not the shape {x.Shape}.");
        return [new(x.Type, [x.Shape[0], x.Shape[1], .. Enumerable.Repeat(1, x.Shape.Rank - 2)])];
    }

    private protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        int size = x.Shape.ElementCountOf(2, x.Shape.Rank);
        if (size == 0)
            throw new ShapeException($"the planes of an input {x.Shape} are empty.");
        workers.For(y.Shape.ElementCount, plane => y.Values[plane] = Summary<T>(x.Values.Slice(plane * size, size)));
    }

    internal override Reads? GradientReads(int input) => Reads.Input(0) | Reads.Output();

    private protected sealed override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        Reads reads = GradientReads(0)!.Value;
        ReadOnlyMemory<T> x = reads.IncludesInput(0) ? pull.Input(0).Memory : default,
            y = reads.IncludesOutput(0) ? pull.Output().Memory : default;
        Tensor<T> dy = pull.Dy;
        int size = dx.Shape.ElementCountOf(2, dx.Shape.Rank);
        workers.For(
            dy.Shape.ElementCount,
            plane =>
            {
                T[] shares = new T[size];
                Slope(x.IsEmpty ? [] : x.Span.Slice(plane * size, size), y.IsEmpty ? T.Zero : y.Span[plane], shares);
                Span<T> sums = dx.Values.Slice(plane * size, size);
                TensorPrimitives.MultiplyAdd(shares, dy.Values[plane], sums, sums);
            }
        );
    }

    /// <summary>The derivatives of a plane's value y by the values x of the plane.</summary>
    private protected abstract void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    /// <summary>The value of one plane.</summary>
    private protected abstract T Summary<T>(ReadOnlySpan<T> plane)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}

/// <summary>The mean of every plane</summary>
public sealed record GlobalAveragePool : GlobalPooling
{
    private protected override T Summary<T>(ReadOnlySpan<T> plane) => TensorPrimitives.Sum(plane) / T.CreateChecked(plane.Length);

    internal override Reads? GradientReads(int input) => Reads.Nothing;

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope) => slope.Fill(T.One / T.CreateChecked(slope.Length));
}

/// <summary>The largest value of every plane</summary>
public sealed record GlobalMaxPool : GlobalPooling
{
    private protected override T Summary<T>(ReadOnlySpan<T> plane) => TensorPrimitives.Max(plane);

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope) => Extremes.Share(x, y, slope);
}

/// <summary>The p-norm of every plane</summary>
public sealed record GlobalLpPool(int P = 2) : GlobalPooling
{
    private protected override T Summary<T>(ReadOnlySpan<T> plane)
    {
        T sum = T.Zero,
            p = T.CreateChecked(P);
        foreach (T value in plane)
            sum += T.Pow(T.Abs(value), p);
        return T.Pow(sum, T.One / p);
    }

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope)
    {
        for (int i = 0; i < x.Length; i++)
            slope[i] = PNorms.Slope(x[i], y, P);
    }
}
