using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// One value for all that stand along the reduced axes. Axes given as a second input override the attribute; without either, all
/// axes are reduced, or none with <see cref="NoneByDefault"/>.
/// </summary>
public abstract record Reduction : NumberOperation
{
    /// <summary>The axes to reduce, counted from the end when negative; null where not given.</summary>
    public ImmutableArray<int>? Axes { get; init; }

    /// <summary>Whether reduced axes stay, with extent 1.</summary>
    public bool KeepDims { get; init; } = true;

    /// <summary>Whether absent or empty axes mean that nothing is reduced.</summary>
    public bool NoneByDefault { get; init; }

    internal sealed override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Numeric(0, "data");
        ImmutableArray<int> axes = Resolve(x.Shape, inputs.Constant(1, "axes"));
        IEnumerable<int> extents = Enumerable
            .Range(0, x.Shape.Rank)
            .Where(axis => KeepDims || !axes.Contains(axis))
            .Select(axis => axes.Contains(axis) ? 1 : x.Shape[axis]);
        return [new(x.Type, Shape.From([.. extents]))];
    }

    private protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        ImmutableArray<int> axes = Resolve(x.Shape, inputs.Optional(1));
        ReadOnlyMemory<T> values = Rows(x, axes);
        int length = Length(x.Shape, axes);
        workers.For(y.Shape.ElementCount, row => y.Values[row] = Over(values.Span.Slice(row * length, length)));
    }

    internal sealed override Reads? GradientReads(int input) => input == 0 ? SlopeReads | Reads.Input(1) : null;

    private protected sealed override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        ImmutableArray<int> axes = Resolve(dx.Shape, pull.Inputs.Optional(1));
        ReadOnlyMemory<T> x = SlopeReads.IncludesInput(0) ? Rows(pull.Input(0), axes) : default;
        ReadOnlyMemory<T> y = SlopeReads.IncludesOutput(0) ? pull.Output().Memory : default;
        ReadOnlyMemory<T> dy = pull.Dy.Memory;
        int length = Length(dx.Shape, axes);
        T[] shares = new T[dx.Shape.ElementCount];
        workers.For(
            dy.Length,
            row =>
            {
                Span<T> share = shares.AsSpan(row * length, length);
                Slope(x.IsEmpty ? [] : x.Span.Slice(row * length, length), y.IsEmpty ? T.Zero : y.Span[row], share);
                TensorPrimitives.Multiply(share, dy.Span[row], share);
            }
        );
        int[] order = Order(dx.Shape, axes),
            strides = dx.Shape.Strides();
        Shape rows = [.. order.Select(axis => dx.Shape[axis])];
        Strided.Add<T>(rows, shares, 0, rows.Strides(), dx.Values, 0, [.. order.Select(axis => strides[axis])]);
    }

    /// <summary>Kept axes, then reduced ones.</summary>
    private static int[] Order(Shape shape, ImmutableArray<int> axes) => [.. Enumerable.Range(0, shape.Rank).Except(axes), .. axes.Order()];

    /// <summary>Values that become one.</summary>
    private static int Length(Shape shape, ImmutableArray<int> axes) => axes.Aggregate(1, (count, axis) => count * shape[axis]);

    /// <summary>The values with those that become one side by side.</summary>
    private static ReadOnlyMemory<T> Rows<T>(Tensor<T> x, ImmutableArray<int> axes)
        where T : unmanaged
    {
        int[] order = Order(x.Shape, axes);
        if (order.AsSpan().SequenceEqual(Enumerable.Range(0, x.Shape.Rank).ToArray()))
            return x.Memory;
        T[] values = new T[x.Shape.ElementCount];
        Strided.Permute<T>(x.Shape, x.Values, order, values);
        return values;
    }

    /// <summary>The value for one set of values.</summary>
    private protected abstract T Over<T>(ReadOnlySpan<T> x)
        where T : unmanaged, INumber<T>;

    /// <summary>What <see cref="Slope"/> reads; the rest is empty.</summary>
    private protected virtual Reads SlopeReads => Reads.Input(0);

    /// <summary>The derivatives of one result y by the values x it was made from.</summary>
    private protected abstract void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    internal ImmutableArray<int> Resolve(Shape shape, Tensor? given)
    {
        ImmutableArray<int> axes = given?.Integers("axes") ?? Axes ?? [];
        return !axes.IsEmpty ? Operands.Axes(axes, shape.Rank)
            : NoneByDefault ? []
            : [.. Enumerable.Range(0, shape.Rank)];
    }

    /// <summary>The values, of which there must be some.</summary>
    private protected static ReadOnlySpan<T> Some<T>(ReadOnlySpan<T> x) =>
        !x.IsEmpty ? x : throw new ShapeException("there are no values along the reduced axes.");

    private protected static T Real<T>(double value)
        where T : INumber<T> => T.CreateTruncating(value);
}

/// <summary>Σ x</summary>
public sealed record ReduceSum : Reduction
{
    private protected override T Over<T>(ReadOnlySpan<T> x) => TensorPrimitives.Sum(x);

    private protected override Reads SlopeReads => Reads.Nothing;

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope) => slope.Fill(T.One);
}

/// <summary>Σ x / n</summary>
public sealed record ReduceMean : Reduction
{
    private protected override T Over<T>(ReadOnlySpan<T> x) => TensorPrimitives.Sum(x) / T.CreateTruncating(Some(x).Length);

    private protected override Reads SlopeReads => Reads.Nothing;

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope) => slope.Fill(T.One / T.CreateChecked(slope.Length));
}

/// <summary>Π x</summary>
public sealed record ReduceProd : Reduction
{
    private protected override T Over<T>(ReadOnlySpan<T> x) => x.IsEmpty ? T.One : TensorPrimitives.Product(x);

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope)
    {
        // Products of all before, then of all behind: right where some x are 0.
        T before = T.One,
            behind = T.One;
        for (int i = 0; i < x.Length; before *= x[i++])
            slope[i] = before;
        for (int i = x.Length - 1; i >= 0; behind *= x[i--])
            slope[i] *= behind;
    }
}

/// <summary>The largest x</summary>
public sealed record ReduceMax : Reduction
{
    private protected override T Over<T>(ReadOnlySpan<T> x) => TensorPrimitives.Max(Some(x));

    private protected override Reads SlopeReads => Reads.Input(0) | Reads.Output();

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope) => Extremes.Share(x, y, slope);
}

/// <summary>The smallest x</summary>
public sealed record ReduceMin : Reduction
{
    private protected override T Over<T>(ReadOnlySpan<T> x) => TensorPrimitives.Min(Some(x));

    private protected override Reads SlopeReads => Reads.Input(0) | Reads.Output();

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope) => Extremes.Share(x, y, slope);
}

/// <summary>Σ |x|</summary>
public sealed record ReduceL1 : Reduction
{
    private protected override T Over<T>(ReadOnlySpan<T> x)
    {
        T sum = T.Zero;
        foreach (T value in x)
            sum += T.IsNegative(value) ? -value : value;
        return sum;
    }

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope)
    {
        for (int i = 0; i < x.Length; i++)
            slope[i] = T.CreateChecked(T.Sign(x[i]));
    }
}

/// <summary>√Σ x²</summary>
public sealed record ReduceL2 : Reduction
{
    private protected override T Over<T>(ReadOnlySpan<T> x) => Real<T>(Math.Sqrt(double.CreateChecked(TensorPrimitives.SumOfSquares(x))));

    private protected override Reads SlopeReads => Reads.Input(0) | Reads.Output();

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope) =>
        TensorPrimitives.Divide(x, T.IsZero(y) ? T.One : y, slope);
}

/// <summary>Σ x²</summary>
public sealed record ReduceSumSquare : Reduction
{
    private protected override T Over<T>(ReadOnlySpan<T> x) => TensorPrimitives.SumOfSquares(x);

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope) => TensorPrimitives.Add(x, x, slope);
}

/// <summary>log Σ x</summary>
public sealed record ReduceLogSum : Reduction
{
    private protected override T Over<T>(ReadOnlySpan<T> x) => Real<T>(Math.Log(double.CreateChecked(TensorPrimitives.Sum(x))));

    private protected override Reads SlopeReads => Reads.Output();

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope) => slope.Fill(T.Exp(-y));
}

/// <summary>log Σ exp x, shifted by the largest value so that nothing overflows</summary>
public sealed record ReduceLogSumExp : Reduction
{
    private protected override T Over<T>(ReadOnlySpan<T> x)
    {
        double largest = double.NegativeInfinity,
            sum = 0;
        foreach (T value in x)
            largest = Math.Max(largest, double.CreateChecked(value));
        if (!double.IsFinite(largest))
            return Real<T>(largest);
        foreach (T value in x)
            sum += Math.Exp(double.CreateChecked(value) - largest);
        return Real<T>(largest + Math.Log(sum));
    }

    private protected override Reads SlopeReads => Reads.Input(0) | Reads.Output();

    private protected override void Slope<T>(ReadOnlySpan<T> x, T y, Span<T> slope)
    {
        TensorPrimitives.Subtract(x, y, slope);
        TensorPrimitives.Exp<T>(slope, slope);
    }
}
