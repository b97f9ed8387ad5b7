using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>
/// Slices of the input along an axis, in the order that indices name them; the axis gives way to the axes of the indices.
/// </summary>
public sealed record Gather(int Axis = 0) : MovingOperation
{
    public override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand x = inputs.Required(0, "data"), indices = inputs.Required(1, "indices");
        int axis = Operands.Axis(Axis, x.Shape.Rank);
        return [new(x.Type, [.. x.Shape.Take(axis), .. indices.Shape, .. x.Shape.Skip(axis + 1)])];
    }

    protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        Span<T> y = outputs[0].Of<T>().Values;
        int axis = Operands.Axis(Axis, x.Shape.Rank), extent = x.Shape[axis];
        int outer = x.Shape.CountOf(0, axis), inner = x.Shape.CountOf(axis + 1, x.Shape.Rank);
        ImmutableArray<int> indices = Indices.Positive(inputs[1]!, extent);
        for (int i = 0, to = 0; i < outer; i++)
            foreach (int index in indices)
            {
                x.Values.Slice((i * extent + index) * inner, inner).CopyTo(y[to..]);
                to += inner;
            }
    }
}

/// <summary>y[i] = x[i with its place along an axis replaced by indices[i]].</summary>
public sealed record GatherElements(int Axis = 0) : MovingOperation
{
    public override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand x = inputs.Required(0, "data"), indices = inputs.Required(1, "indices").OfRank(x.Shape.Rank, "the indices");
        int axis = Operands.Axis(Axis, x.Shape.Rank);
        for (int a = 0; a < x.Shape.Rank; a++)
            if (a != axis && indices.Shape[a] > x.Shape[a])
                throw new ShapeException($"indices {indices.Shape} reach beyond the input {x.Shape}.");
        return [new(x.Type, indices.Shape)];
    }

    protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(), y = outputs[0].Of<T>();
        int axis = Operands.Axis(Axis, x.Shape.Rank);
        int[] strides = x.Shape.Strides(), targetStrides = y.Shape.Strides();
        ImmutableArray<int> indices = Indices.Positive(inputs[1]!, x.Shape[axis]);
        for (int to = 0; to < indices.Length; to++)
        {
            int from = 0;
            for (int a = 0; a < strides.Length; a++) from += strides[a] * (a == axis ? indices[to] : to / targetStrides[a] % y.Shape[a]);
            y.Values[to] = x.Values[from];
        }
    }
}

internal static class Indices
{
    /// <summary>Positions along an axis, negative ones counted from its end.</summary>
    public static ImmutableArray<int> Positive(Tensor indices, int extent) => [.. indices.Integers("indices").Select(index =>
        index >= -extent && index < extent ? index < 0 ? index + extent : index
            : throw new BadInputException($"index {index} lies outside an axis of {extent} values."))];
}
