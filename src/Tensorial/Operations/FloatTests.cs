using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Whether each value is infinite.</summary>
/// <param name="Negative">Whether -∞ counts.</param>
/// <param name="Positive">Whether ∞ counts.</param>
public sealed record IsInf(bool Negative = true, bool Positive = true) : FloatOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) =>
        [new(ElementType.Bool, inputs.Floating(0, "X").Shape)];

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        ReadOnlySpan<T> x = inputs[0]!.Of<T>().Values;
        Span<bool> y = outputs[0].Of<bool>().Values;
        for (int i = 0; i < x.Length; i++)
            y[i] = Positive && T.IsPositiveInfinity(x[i]) || Negative && T.IsNegativeInfinity(x[i]);
    }
}

/// <summary>Whether each value is no number.</summary>
public sealed record IsNaN : FloatOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) =>
        [new(ElementType.Bool, inputs.Floating(0, "X").Shape)];

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        ReadOnlySpan<T> x = inputs[0]!.Of<T>().Values;
        Span<bool> y = outputs[0].Of<bool>().Values;
        for (int i = 0; i < x.Length; i++)
            y[i] = T.IsNaN(x[i]);
    }
}
