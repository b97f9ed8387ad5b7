using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Axis a of the result is axis Order[a] of the input; an empty order reverses all axes.</summary>
public sealed record Transpose(ImmutableArray<int> Order) : MovingOperation
{
    /// <summary>The order for an input of a given number of axes.</summary>
    public ImmutableArray<int> For(int rank)
    {
        if (Order.IsEmpty)
            return [.. Enumerable.Range(0, rank).Reverse()];
        return Order.Length == rank && Order.Order().SequenceEqual(Enumerable.Range(0, rank))
            ? Order
            : throw new ShapeException($"perm {string.Join(", ", Order)} is no order of {rank} axes.");
    }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "data");
        return [new(x.Type, [.. For(x.Shape.Rank).Select(axis => x.Shape[axis])])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        Strided.Permute<T>(x.Shape, x.Values, For(x.Shape.Rank).AsSpan(), outputs[0].Of<T>().Values);
    }

    internal override Reads? GradientReads(int input) => Reads.Nothing;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        ImmutableArray<int> order = For(dx.Shape.Rank);
        int[] strides = dx.Shape.Strides();
        Strided.Add<T>(pull.Dy.Shape, pull.Dy.Values, 0, pull.Dy.Shape.Strides(), dx.Values, 0, [.. order.Select(axis => strides[axis])]);
    }
}
