using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

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

    public sealed override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand x = inputs.Numeric(0, "data");
        ImmutableArray<int> axes = Resolve(x.Shape, inputs.Constant(1, "axes"));
        IEnumerable<int> extents = Enumerable.Range(0, x.Shape.Rank)
            .Where(axis => KeepDims || !axes.Contains(axis)).Select(axis => axes.Contains(axis) ? 1 : x.Shape[axis]);
        return [new(x.Type, Shape.Of([.. extents]))];
    }

    protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(), y = outputs[0].Of<T>();
        ImmutableArray<int> axes = Resolve(x.Shape, inputs.Optional(1));
        Memory<T> values = x.Memory;
        int[] order = [.. Enumerable.Range(0, x.Shape.Rank).Except(axes), .. axes.Order()];
        if (!order.AsSpan().SequenceEqual(Enumerable.Range(0, x.Shape.Rank).ToArray()))
        {
            values = new T[x.Shape.Count];
            Strided.Permute<T>(x.Shape, x.Values, order, values.Span);
        }
        int length = 1;
        foreach (int axis in axes) length *= x.Shape[axis];
        workers.For(y.Shape.Count, row => y.Values[row] = Over<T>(values.Span.Slice(row * length, length)));
    }

    /// <summary>The value for one set of values.</summary>
    protected abstract T Over<T>(ReadOnlySpan<T> x) where T : unmanaged, INumber<T>;

    internal ImmutableArray<int> Resolve(Shape shape, Tensor? given)
    {
        ImmutableArray<int> axes = given?.Integers("axes") ?? Axes ?? [];
        return !axes.IsEmpty ? Operands.Axes(axes, shape.Rank) : NoneByDefault ? [] : [.. Enumerable.Range(0, shape.Rank)];
    }

    /// <summary>The values, of which there must be some.</summary>
    private protected static ReadOnlySpan<T> Some<T>(ReadOnlySpan<T> x) =>
        !x.IsEmpty ? x : throw new ShapeException("there are no values along the reduced axes.");

    private protected static T Real<T>(double value) where T : INumber<T> => T.CreateTruncating(value);
}

/// <summary>Σ x</summary>
public sealed record ReduceSum : Reduction { protected override T Over<T>(ReadOnlySpan<T> x) => TensorPrimitives.Sum(x); }

/// <summary>Σ x / n</summary>
public sealed record ReduceMean : Reduction
{
    protected override T Over<T>(ReadOnlySpan<T> x) => TensorPrimitives.Sum(x) / T.CreateTruncating(Some(x).Length);
}

/// <summary>Π x</summary>
public sealed record ReduceProd : Reduction
{
    protected override T Over<T>(ReadOnlySpan<T> x) => x.IsEmpty ? T.One : TensorPrimitives.Product(x);
}

/// <summary>The largest x</summary>
public sealed record ReduceMax : Reduction { protected override T Over<T>(ReadOnlySpan<T> x) => TensorPrimitives.Max(Some(x)); }

/// <summary>The smallest x</summary>
public sealed record ReduceMin : Reduction { protected override T Over<T>(ReadOnlySpan<T> x) => TensorPrimitives.Min(Some(x)); }

/// <summary>Σ |x|</summary>
public sealed record ReduceL1 : Reduction
{
    protected override T Over<T>(ReadOnlySpan<T> x)
    {
        T sum = T.Zero;
        foreach (T value in x) sum += T.IsNegative(value) ? -value : value;
        return sum;
    }
}

/// <summary>√Σ x²</summary>
public sealed record ReduceL2 : Reduction
{
    protected override T Over<T>(ReadOnlySpan<T> x) => Real<T>(Math.Sqrt(double.CreateChecked(TensorPrimitives.SumOfSquares(x))));
}

/// <summary>Σ x²</summary>
public sealed record ReduceSumSquare : Reduction { protected override T Over<T>(ReadOnlySpan<T> x) => TensorPrimitives.SumOfSquares(x); }

/// <summary>log Σ x</summary>
public sealed record ReduceLogSum : Reduction
{
    protected override T Over<T>(ReadOnlySpan<T> x) => Real<T>(Math.Log(double.CreateChecked(TensorPrimitives.Sum(x))));
}

/// <summary>log Σ exp x, shifted by the largest value so that nothing overflows</summary>
public sealed record ReduceLogSumExp : Reduction
{
    protected override T Over<T>(ReadOnlySpan<T> x)
    {
        double largest = double.NegativeInfinity, sum = 0;
        foreach (T value in x) largest = Math.Max(largest, double.CreateChecked(value));
        if (!double.IsFinite(largest)) return Real<T>(largest);
        foreach (T value in x) sum += Math.Exp(double.CreateChecked(value) - largest);
        return Real<T>(largest + Math.Log(sum));
    }
}
