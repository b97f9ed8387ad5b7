using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Indices as rows of one value among others: operands are indices, the length of a row, and the values (off, on).</summary>
/// <param name="Axis">The axis of the result that rows run along.</param>
public sealed record OneHot(int Axis = -1) : MovingOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo indices = inputs.Numeric(0, "indices"),
            values = inputs.Required(2, "values");
        int depth = Depth(inputs.Constant(1, "depth")),
            axis = Operands.Axis(Axis, indices.Shape.Rank + 1);
        if (values.Shape != [2])
            throw new ShapeException($"values must be two, off and on, not of shape {values.Shape}.");
        return [new(values.Type, [.. indices.Shape.Take(axis), depth, .. indices.Shape.Skip(axis)])];
    }

    private static int Depth(Tensor? given) =>
        given is null ? throw new BadInputException("input 1 (depth) is missing.")
        : given.Single("depth").To(ElementType.Int64).Integers("depth")[0] is >= 0 and var depth ? depth
        : throw new ShapeException("depth must not be negative.");

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        ReadOnlySpan<long> indices = inputs[0]!.To(ElementType.Int64).Of<long>().Values;
        ReadOnlySpan<T> values = inputs[2]!.Of<T>().Values;
        Tensor<T> y = outputs[0].Of<T>();
        int axis = Operands.Axis(Axis, y.Shape.Rank),
            depth = y.Shape[axis],
            inner = y.Shape.ElementCountOf(axis + 1, y.Shape.Rank);
        y.Values.Fill(values[0]);
        for (int i = 0; i < indices.Length; i++)
        {
            long index = indices[i] < 0 ? indices[i] + depth : indices[i];
            // An index outside the row leaves it all off.
            if (index >= 0 && index < depth)
                y.Values[(int)((i / inner * depth + index) * inner) + i % inner] = values[1];
        }
    }
}
