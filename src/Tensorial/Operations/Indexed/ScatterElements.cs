using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>The data with values replaced by, or reduced with, updates: y[i with its place along an axis replaced by indices[i]] =
/// updates[i].</summary>
public sealed record ScatterElements(int Axis = 0, ScatterReduction Reduction = ScatterReduction.None) : Operation
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
        GatherElements.Check(data.Shape, indices.Shape, Operands.Axis(Axis, data.Shape.Rank));
        return updates.Shape == indices.Shape
            ? [new(data.Type, data.Shape)]
            : throw new ShapeException($"updates have the shape {updates.Shape}, indices {indices.Shape}.");
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Scattering.Write(inputs[0]!, GatherElements.Places(inputs[0]!.Shape, inputs[1]!, Axis), inputs[2]!, 1, Reduction, outputs[0]);

    internal override Reads? GradientReads(int input) =>
        input == 1 || Reduction is not (ScatterReduction.None or ScatterReduction.Add) ? null : Reads.Input(1);

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers) =>
        Scattering.Back(pull, GatherElements.Places(pull.Shape(0), pull.Inputs[1]!, Axis), 1, Reduction);
}
