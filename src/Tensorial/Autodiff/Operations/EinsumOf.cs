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

    public override Reads? GradientReads(int input) => Reads.AllInputs;

    /// <summary>
    /// The sum is linear in each operand, so the gradient for one is the same equation with that operand and the result trading places. Axes that
    /// only this operand has, and axes along which it stretches or is a diagonal, are a matter of strides.
    /// </summary>
    protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Shape[] shapes = new Shape[pull.Inputs.Length];
        for (int i = 0; i < shapes.Length; i++) shapes[i] = pull.Shape(i);
        Equation full = Equation.For(shapes);
        IReadOnlyDictionary<char, int> sizes = full.Sizes(shapes);
        for (int i = 0; i < shapes.Length; i++)
        {
            if (pull.Gradient(i) is not { } gradient) continue;
            List<Tensor<T>> operands = [pull.Dy];
            for (int other = 0; other < shapes.Length; other++)
                if (other != i) operands.Add(pull.Input(other));
            ImmutableArray<string> terms = [full.Output, .. full.Inputs.RemoveAt(i)];
            string axes = new([.. full.Inputs[i].Distinct()]), shared = new([.. axes.Where(string.Concat(terms).Contains)]);
            Tensor<T> share = Contraction.Evaluate<T>(new(terms, shared), operands.ToArray(), workers);
            // An axis along which every other operand stretches has the extent 1 there.
            int[] from = [.. axes.Select(letter => shared.Contains(letter) && share.Shape[shared.IndexOf(letter)] > 1 ? share.Shape.Strides()[shared.IndexOf(letter)] : 0)];
            int[] to = new int[axes.Length], own = gradient.Shape.Strides();
            for (int axis = 0; axis < own.Length; axis++)
                if (gradient.Shape[axis] > 1) to[axes.IndexOf(full.Inputs[i][axis])] += own[axis];
            Strided.Add<T>([.. axes.Select(letter => sizes[letter])], share.Values, 0, from, gradient.Values, 0, to);
        }
    }

    public override long Macs(ReadOnlySpan<Operand?> inputs, ReadOnlySpan<Operand> outputs) => Contraction.Macs(Equation, Shapes(inputs));

    private static Shape[] Shapes(ReadOnlySpan<Operand?> inputs)
    {
        Shape[] shapes = new Shape[inputs.Length];
        for (int i = 0; i < shapes.Length; i++) shapes[i] = inputs.Floating(i, "Inputs").Shape;
        return shapes;
    }
}
