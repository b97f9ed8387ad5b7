using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// Slices of the input along an axis, in the order that indices name them; the axis gives way to the axes of the indices.
/// </summary>
public sealed record Gather(int Axis = 0) : MovingOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "data"),
            indices = inputs.Required(1, "indices");
        int axis = Operands.Axis(Axis, x.Shape.Rank);
        if (indices.Value is { } known)
            Indices.Positive(known, x.Shape[axis]);
        return [new(x.Type, [.. x.Shape.Take(axis), .. indices.Shape, .. x.Shape.Skip(axis + 1)])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        Span<T> y = outputs[0].Of<T>().Values;
        int axis = Operands.Axis(Axis, x.Shape.Rank),
            extent = x.Shape[axis];
        int outer = x.Shape.ElementCountOf(0, axis),
            inner = x.Shape.ElementCountOf(axis + 1, x.Shape.Rank);
        ImmutableArray<int> indices = Indices.Positive(inputs[1]!, extent);
        for (int i = 0, to = 0; i < outer; i++)
            foreach (int index in indices)
            {
                x.Values.Slice((i * extent + index) * inner, inner).CopyTo(y[to..]);
                to += inner;
            }
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Input(1) : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        int axis = Operands.Axis(Axis, dx.Shape.Rank),
            extent = dx.Shape[axis];
        int outer = dx.Shape.ElementCountOf(0, axis),
            inner = dx.Shape.ElementCountOf(axis + 1, dx.Shape.Rank);
        ImmutableArray<int> indices = Indices.Positive(pull.Inputs[1]!, extent);
        for (int i = 0, from = 0; i < outer; i++)
            foreach (int index in indices)
            {
                Span<T> sums = dx.Values.Slice((i * extent + index) * inner, inner);
                TensorPrimitives.Add(sums, pull.Dy.Values.Slice(from, inner), sums);
                from += inner;
            }
    }
}

/// <summary>y[i] = x[i with its place along an axis replaced by indices[i]].</summary>
public sealed record GatherElements(int Axis = 0) : MovingOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "data"),
            indices = inputs.Required(1, "indices").OfRank(x.Shape.Rank, "the indices");
        int axis = Operands.Axis(Axis, x.Shape.Rank);
        Check(x.Shape, indices.Shape, axis);
        return [new(x.Type, indices.Shape)];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        int[] places = Places(x.Shape, inputs[1]!, Axis);
        for (int to = 0; to < places.Length; to++)
            y.Values[to] = x.Values[places[to]];
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Input(1) : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        int[] places = Places(dx.Shape, pull.Inputs[1]!, Axis);
        for (int from = 0; from < places.Length; from++)
            dx.Values[places[from]] += pull.Dy.Values[from];
    }

    /// <summary>Refuses indices with other axes than the input, or reaching beyond those that they do not name.</summary>
    internal static void Check(Shape shape, Shape indices, int axis)
    {
        if (indices.Rank != shape.Rank)
            throw new ShapeException($"indices {indices} have other axes than the input {shape}.");
        for (int a = 0; a < shape.Rank; a++)
            if (a != axis && indices[a] > shape[a])
                throw new ShapeException($"indices {indices} reach beyond the input {shape}.");
    }

    /// <summary>For every index, where the value that it names stands in the input.</summary>
    internal static int[] Places(Shape shape, Tensor given, int along)
    {
        int axis = Operands.Axis(along, shape.Rank);
        int[] strides = shape.Strides(),
            targetStrides = given.Shape.Strides();
        ImmutableArray<int> indices = Indices.Positive(given, shape[axis]);
        int[] places = new int[indices.Length];
        for (int to = 0; to < places.Length; to++)
        for (int a = 0; a < strides.Length; a++)
            places[to] += strides[a] * (a == axis ? indices[to] : to / targetStrides[a] % given.Shape[a]);
        return places;
    }
}

internal static class Indices
{
    /// <summary>Positions along an axis, negative ones counted from its end.</summary>
    public static ImmutableArray<int> Positive(Tensor indices, int extent) =>
        [
            .. indices
                .Integers("indices")
                .Select(index =>
                    index >= -extent && index < extent
                        ? index < 0
                            ? index + extent
                            : index
                        : throw new BadInputException($"index {index} lies outside an axis of {extent} values.")
                ),
        ];
}
