using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// x held between two bounds, each optional; a bound given as an input overrides the attribute. Where they cross, the upper one wins.
/// </summary>
/// <param name="Min">The lower bound.</param>
/// <param name="Max">The upper bound.</param>
public sealed record Clip(float? Min = null, float? Max = null) : NumberOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Numeric(0, "input");
        for (int i = 1; i < inputs.Length; i++)
            if (inputs[i] is { } bound && (bound.Shape.ElementCount != 1 || bound.Type != x.Type))
                throw new ShapeException($"input {i} must be a single {x.Type}, not {bound.Type} {bound.Shape}.");
        return [x with { Value = null }];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        (T? min, T? max) = (Bound<T>(inputs, 1, Min), Bound<T>(inputs, 2, Max));
        Elementwise.Map<T, T>(
            inputs[0]!.Of<T>(),
            outputs[0].Of<T>(),
            (x, y) =>
            {
                if (min is { } lower)
                    TensorPrimitives.Max(x, lower, y);
                else
                    x.CopyTo(y);
                if (max is { } upper)
                    TensorPrimitives.Min(y, upper, y);
            },
            workers
        );
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Input(1) | Reads.Input(2) | Reads.Output() : null;

    /// <summary>
    /// What lies strictly between the bounds passes, as with PyTorch's hardtanh and relu6, so that the result tells; the bounds themselves
    /// are not learnt.
    /// </summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        (T? min, T? max) = (Bound<T>(pull.Inputs, 1, Min), Bound<T>(pull.Inputs, 2, Max));
        Slopes.Chain<T>(
            pull.Output(),
            pull.Dy,
            pull.Gradient(0),
            (x, slope) =>
            {
                for (int i = 0; i < x.Length; i++)
                    slope[i] = x[i] <= min || x[i] >= max ? T.Zero : T.One;
            },
            workers
        );
    }

    private static T? Bound<T>(ReadOnlySpan<Tensor?> inputs, int index, float? attribute)
        where T : unmanaged, INumber<T> =>
        inputs.Optional(index) is { } given ? given.Of<T>().Values[0]
        : attribute is { } value ? T.CreateSaturating(value)
        : null;
}
