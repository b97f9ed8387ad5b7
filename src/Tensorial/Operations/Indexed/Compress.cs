using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>The entries along an axis, or the values of the flattened input, for which a condition holds.</summary>
/// <param name="Axis">The axis; null to flatten.</param>
public sealed record Compress(int? Axis = null) : ValueShaped
{
    private protected override Tensor[] Compute(ReadOnlySpan<Tensor?> inputs, Workers workers)
    {
        Tensor x = inputs.Optional(0) ?? throw new BadInputException("input 0 (input) is missing.");
        if (inputs.Optional(1) is not Tensor<bool> { Shape.Rank: 1 } condition)
            throw new BadInputException("input 1 (condition) must be a list of truth values.");
        if (Axis is null)
            x = x.As([x.Shape.ElementCount]);
        int axis = Operands.Axis(Axis ?? 0, x.Shape.Rank);
        List<long> kept = [];
        for (int i = 0; i < condition.Shape.ElementCount; i++)
            if (condition.Values[i])
                kept.Add(
                    i < x.Shape[axis]
                        ? i
                        : throw new ShapeException($"the condition holds beyond the {x.Shape[axis]} entries of axis {axis}.")
                );
        return new Gather(axis).Evaluate([x, new Tensor<long>([kept.Count], kept.ToArray())], 1, workers);
    }
}
