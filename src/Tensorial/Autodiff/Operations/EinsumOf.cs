using System.Collections.Immutable;
using Tensorial.Einsum;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>A sum of products over named axes.</summary>
public sealed record EinsumOf(Equation Equation) : FloatOperation
{
    public override string Name => "Einsum";

    public override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs) =>
        [new(inputs.Floating(0, "Inputs").Type, Equation.Infer(Shapes(inputs)))];

    protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T>[] operands = new Tensor<T>[inputs.Length];
        for (int i = 0; i < operands.Length; i++) operands[i] = inputs[i]!.Of<T>();
        Contraction.Evaluate(Equation, operands, workers).Values.CopyTo(outputs[0].Of<T>().Values);
    }

    public override long Macs(ReadOnlySpan<Operand?> inputs, ReadOnlySpan<Operand> outputs) => Contraction.Macs(Equation, Shapes(inputs));

    private static Shape[] Shapes(ReadOnlySpan<Operand?> inputs)
    {
        Shape[] shapes = new Shape[inputs.Length];
        for (int i = 0; i < shapes.Length; i++) shapes[i] = inputs.Floating(i, "Inputs").Shape;
        return shapes;
    }
}
