using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// The vector-Jacobian product of an operation: with y = f(x), from ∂L/∂y the derivatives ∂L/∂x of some of its operands. Its own operands
/// are those of the operation, then its results, then ∂L/∂y of each result; what <see cref="Operation.GradientReads"/> does not name is
/// absent, and so is ∂L/∂y of a result on which L does not depend.
/// </summary>
/// <param name="Of">The operation f.</param>
/// <param name="Wanted">Operands whose gradients are the results, in this order.</param>
/// <param name="Shapes">Extents of all operands of f, also of those whose values are absent.</param>
/// <param name="Results">Number of results of f.</param>
internal sealed record GradientOf(Operation Of, ImmutableArray<int> Wanted, ImmutableArray<Shape> Shapes, int Results) : Operation
{
    public override string Name => $"Gradient of {Of.Name}";

    /// <summary>Position of ∂L/∂y of a result among the operands.</summary>
    public int Upstream(int result = 0) => Shapes.Length + Results + result;

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo? upstream = null;
        for (int result = 0; result < Results && upstream is null; result++)
            upstream = inputs[Upstream(result)];
        ElementType type = (upstream ?? throw new BadInputException("no result has a gradient.")).Type;
        return [.. Wanted.Select(operand => new ValueInfo(type, Shapes[operand]))];
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor?[] gradients = new Tensor?[Shapes.Length];
        for (int k = 0; k < Wanted.Length; k++)
        {
            Clear(outputs[k]);
            gradients[Wanted[k]] = outputs[k];
        }
        Of.Backward(
            new(
                Shapes.AsSpan(),
                inputs[..Shapes.Length],
                inputs.Slice(Shapes.Length, Results),
                inputs.Slice(Shapes.Length + Results, Results),
                gradients
            ),
            workers
        );
    }

    /// <summary>For each operand the equation in which it and the result trade places.</summary>
    internal override ImmutableArray<Equations.Plan> PlansOf(ReadOnlySpan<Shape> inputs) =>
        Of.PlansOf(Shapes.AsSpan()) is [{ } plan] ? [.. Wanted.Where(operand => operand < plan.Shapes.Length).Select(plan.Adjoint)] : [];

    private static void Clear(Tensor tensor)
    {
        if (tensor is Tensor<double> wide)
            wide.Values.Clear();
        else
            tensor.Of<float>().Values.Clear();
    }
}
