using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// One of two bodies, chosen by the first operand, a truth value. Both read the operands behind it, which are the values that the bodies
/// use from around them.
/// </summary>
/// <param name="Then">What is done if true.</param>
/// <param name="Else">What is done if false; as many results.</param>
public sealed record If(Operation Then, Operation Else) : Branching
{
    /// <summary>Operands the node itself has, before those that its bodies capture.</summary>
    public override int OwnInputs => 1;

    internal override long OwnParameters => Then.OwnParameters + Else.OwnParameters;

    /// <summary>Those of the branch that multiplies more.</summary>
    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        Math.Max(Then.Macs(inputs[1..], outputs), Else.Macs(inputs[1..], outputs));

    internal override int OperationCount => Math.Max(Then.OperationCount, Else.OperationCount);

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo condition = inputs.Truth(0, "cond");
        if (condition.Shape.ElementCount != 1)
            throw new ShapeException($"the condition must be a single truth value, not of shape {condition.Shape}.");
        if (condition.Value is Tensor<bool> known)
            return Chosen(known).Infer(inputs[1..]);
        ImmutableArray<ValueInfo> results = Then.Infer(inputs[1..]),
            others = Else.Infer(inputs[1..]);
        if (results.Length != others.Length)
            throw new BadInputException($"one branch has {results.Length} results, the other {others.Length}.");
        for (int i = 0; i < results.Length; i++)
            if (results[i].Type != others[i].Type || results[i].Shape != others[i].Shape)
                throw new UnsupportedException(
                    $"result {i} is {results[i].Type} {results[i].Shape} or {others[i].Type} {others[i].Shape}, as a computed condition decides."
                );
        // Constants of one branch are not those of the other.
        return [.. results.Select(static result => result with { Value = null })];
    }

    internal override Tensor[] Evaluate(
        ReadOnlySpan<Tensor?> inputs,
        int count,
        Workers workers,
        Action<ImmutableArray<ValueInfo>>? check = null
    )
    {
        if (inputs.Optional(0) is not Tensor<bool> { Shape.ElementCount: 1 } condition)
            throw new BadInputException("the condition must be a single truth value.");
        return Chosen(condition).Evaluate(inputs[1..], count, workers);
    }

    private Operation Chosen(Tensor<bool> condition) => condition.Values[0] ? Then : Else;
}
