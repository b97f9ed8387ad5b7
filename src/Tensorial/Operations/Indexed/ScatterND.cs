using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>The data with slices replaced by, or reduced with, updates: y[indices[i]] = updates[i].</summary>
public sealed record ScatterND(ScatterReduction Reduction = ScatterReduction.None) : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo data = inputs.Required(0, "data"),
            indices = inputs.Required(1, "indices"),
            updates = inputs.Required(2, "updates");
        IndexTuples.CheckType(indices);
        Operands.SameType(data, updates);
        if (Reduction != ScatterReduction.None)
            inputs.Numeric(0, "data");
        int depth = IndexTuples.Depth(indices.Shape, data.Shape.Rank);
        Shape wanted = [.. indices.Shape.SkipLast(1), .. data.Shape.Skip(depth)];
        return updates.Shape == wanted
            ? [new(data.Type, data.Shape)]
            : throw new ShapeException(
                $"updates have the shape {updates.Shape}; indices {indices.Shape} into {data.Shape} ask for {wanted}."
            );
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        (int[] places, int slice) = Places(inputs[1]!, inputs[0]!.Shape);
        Scattering.Write(inputs[0]!, places, inputs[2]!, slice, Reduction, outputs[0]);
    }

    internal override Reads? GradientReads(int input) =>
        input == 1 || Reduction is not (ScatterReduction.None or ScatterReduction.Add) ? null : Reads.Input(1);

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        (int[] places, int slice) = Places(pull.Inputs[1]!, pull.Shape(0));
        Scattering.Back(pull, places, slice, Reduction);
    }

    private static (int[] Places, int Slice) Places(Tensor indices, Shape data)
    {
        int depth = IndexTuples.Depth(indices.Shape, data.Rank);
        return (IndexTuples.Places(indices, data, depth), data.ElementCountOf(depth, data.Rank));
    }
}
