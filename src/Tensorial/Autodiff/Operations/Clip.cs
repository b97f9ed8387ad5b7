using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>
/// x held between two bounds, each optional; a bound given as an input overrides the attribute. Where they cross, the upper one wins.
/// </summary>
/// <param name="Min">The lower bound.</param>
/// <param name="Max">The upper bound.</param>
public sealed record Clip(float? Min = null, float? Max = null) : NumberOperation
{
    public override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand x = inputs.Numeric(0, "input");
        for (int i = 1; i < inputs.Length; i++)
            if (inputs[i] is { } bound && (bound.Shape.Count != 1 || bound.Type != x.Type))
                throw new ShapeException($"input {i} must be a single {x.Type}, not {bound.Type} {bound.Shape}.");
        return [x with { Value = null }];
    }

    protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        T? min = inputs.Optional(1) is { } low ? low.Of<T>().Values[0] : Min is { } lowest ? T.CreateSaturating(lowest) : null;
        T? max = inputs.Optional(2) is { } high ? high.Of<T>().Values[0] : Max is { } highest ? T.CreateSaturating(highest) : null;
        Elementwise.Map<T, T>(inputs[0]!.Of<T>(), outputs[0].Of<T>(), (x, y) =>
        {
            if (min is { } lower) TensorPrimitives.Max(x, lower, y);
            else x.CopyTo(y);
            if (max is { } upper) TensorPrimitives.Min(y, upper, y);
        }, workers);
    }
}
