using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>x where a condition holds, y elsewhere; all three stretch to a common shape.</summary>
public sealed record Where : MovingOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo condition = inputs.Truth(0, "condition"),
            x = inputs.Required(1, "X"),
            y = inputs.Required(2, "Y");
        Operands.SameType(x, y);
        return [new(x.Type, Broadcasting.Join(condition.Shape, Broadcasting.Join(x.Shape, y.Shape)))];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> z = outputs[0].Of<T>();
        ReadOnlySpan<bool> condition = Broadcasting.Stretched(inputs[0]!.Of<bool>(), z.Shape);
        ReadOnlySpan<T> x = Broadcasting.Stretched(inputs[1]!.Of<T>(), z.Shape),
            y = Broadcasting.Stretched(inputs[2]!.Of<T>(), z.Shape);
        Span<T> values = z.Values;
        for (int i = 0; i < values.Length; i++)
            values[i] = condition[i] ? x[i] : y[i];
    }

    internal override Reads? GradientReads(int input) => input == 0 ? null : Reads.Input(0);

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        ReadOnlySpan<bool> condition = Broadcasting.Stretched(pull.Inputs[0]!.Of<bool>(), pull.Dy.Shape);
        T[] chosen = new T[condition.Length];
        for (int input = 1; input < 3; input++)
        {
            if (pull.Gradient(input) is not { } gradient)
                continue;
            for (int i = 0; i < chosen.Length; i++)
                chosen[i] = condition[i] == (input == 1) ? pull.Dy.Values[i] : T.Zero;
            gradient.AddStretched<T>(chosen, pull.Dy.Shape);
        }
    }
}
