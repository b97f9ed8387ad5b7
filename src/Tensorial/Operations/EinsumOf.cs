using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>A sum of products over named axes.</summary>
public sealed record EinsumOf(Equation Equation) : FloatOperation
{
    /// <inheritdoc/>
    public override string Name => "Einsum";

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) =>
        [new(inputs.Floating(0, "Inputs").Type, Equation.Infer(Shapes(inputs)))];

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T>[] operands = new Tensor<T>[inputs.Length];
        for (int i = 0; i < operands.Length; i++)
            operands[i] = inputs[i]!.Of<T>();
        Plan.Create(Equation, null, [.. operands.Select(static operand => operand.Shape)]).Run(operands, outputs[0].Of<T>(), workers);
    }

    private protected override Plan? PlanOf(ReadOnlySpan<Shape> inputs) => Plan.Create(Equation, null, inputs);

    internal override Reads? GradientReads(int input) => Reads.AllInputs;

    /// <summary>The gradient for an operand is the same equation with that operand and the result trading places.</summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Shape[] shapes = new Shape[pull.Inputs.Length];
        for (int i = 0; i < shapes.Length; i++)
            shapes[i] = pull.Shape(i);
        Plan plan = Plan.Create(Equation, null, shapes);
        for (int i = 0; i < shapes.Length; i++)
        {
            if (pull.Gradient(i) is not { } gradient)
                continue;
            Tensor<T>[] operands = new Tensor<T>[shapes.Length];
            for (int other = 0; other < shapes.Length; other++)
                operands[other] = other == i ? pull.Dy : pull.Input(other);
            TensorPrimitives.Add<T>(gradient.Values, plan.Adjoint(i).Run<T>(operands, workers).Values, gradient.Values);
        }
    }

    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        Contraction.Macs(Equation, Shapes(inputs));

    private static Shape[] Shapes(ReadOnlySpan<ValueInfo?> inputs)
    {
        Shape[] shapes = new Shape[inputs.Length];
        for (int i = 0; i < shapes.Length; i++)
            shapes[i] = inputs.Floating(i, "Inputs").Shape;
        return shapes;
    }
}
