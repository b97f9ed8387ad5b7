using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Operations;

/// <summary>
/// Gated recurrent units, gates in the order update z, reset r, hidden n: h' = (1 - z) n + z h, with n = g(W x + R (r h)), or
/// n = g(W x + r (R h)) where <see cref="LinearBeforeReset"/>.
/// </summary>
public sealed record Gru : Recurrent
{
    /// <inheritdoc/>
    public override string Name => "GRU";

    /// <summary>Whether the reset gate multiplies the state's product instead of the state, as PyTorch has it.</summary>
    public bool LinearBeforeReset { get; init; }

    internal override int Gates => 3;

    internal override ImmutableArray<GateFunction> UsualActivations { get; } = [GateFunction.From("Sigmoid"), GateFunction.From("Tanh")];

    internal override RecurrentCell<T> Cell<T>(int direction, ReadOnlySpan<Tensor?> inputs)
    {
        int hidden = inputs[2]!.Shape[2],
            matrix = hidden * hidden;
        Memory<T> r = inputs[2]!.Of<T>().Memory.Slice((direction * 3 + 2) * matrix, matrix),
            bias = inputs.Optional(3) is { } b ? b.Of<T>().Memory.Slice((2 * direction + 1) * 3 * hidden + 2 * hidden, hidden) : default;
        return new GruCell<T>(ActivationsOf(direction), Clip, LinearBeforeReset, r, bias);
    }

    internal override Reads? GradientReads(int input) => LinearBeforeReset ? base.GradientReads(input) : null;

    private protected override void Backward<T>(in Pullback<T> pull, Kernels.Workers workers)
    {
        if (!LinearBeforeReset)
            throw new UnsupportedException("GRU with linear_before_reset = 0 has no gradient.");
        base.Backward(pull, workers);
    }
}

/// <inheritdoc cref="Gru"/>
internal sealed class GruCell<T>(
    ImmutableArray<GateFunction> functions,
    float clip,
    bool linear,
    Memory<T> hiddenWeights,
    Memory<T> hiddenBias
) : RecurrentCell<T>(functions, clip)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override void Step(Span<T> fromInput, Span<T> fromState, ReadOnlySpan<T> before, Span<T> after, int hidden)
    {
        Span<T> both = fromInput[..(2 * hidden)],
            reset = fromInput.Slice(hidden, hidden),
            candidate = fromInput[(2 * hidden)..],
            recurrent = fromState[(2 * hidden)..];
        TensorPrimitives.Add<T>(both, fromState[..(2 * hidden)], both);
        Activate(0, both);
        if (!linear)
            OfResetState(reset, before, recurrent);
        else
            TensorPrimitives.Multiply<T>(recurrent, reset, after);
        TensorPrimitives.Add<T>(candidate, linear ? after : recurrent, candidate);
        Activate(1, candidate);
        for (int k = 0; k < hidden; k++)
            after[k] = (T.One - fromInput[k]) * candidate[k] + fromInput[k] * before[k];
    }

    /// <summary>R (r h) + bias, which must be computed anew: the product at hand is that of the whole state.</summary>
    private void OfResetState(ReadOnlySpan<T> reset, ReadOnlySpan<T> before, Span<T> product)
    {
        T[] state = new T[reset.Length];
        TensorPrimitives.Multiply(reset, before[..reset.Length], state);
        for (int k = 0; k < product.Length; k++)
            product[k] =
                TensorPrimitives.Dot<T>(hiddenWeights.Span.Slice(k * state.Length, state.Length), state)
                + (hiddenBias.IsEmpty ? T.Zero : hiddenBias.Span[k]);
    }

    public override void Back(
        ReadOnlySpan<T> gates,
        ReadOnlySpan<T> fromState,
        ReadOnlySpan<T> before,
        ReadOnlySpan<T> after,
        Span<T> states,
        Span<T> ofInput,
        Span<T> ofState,
        int hidden
    )
    {
        for (int k = 0; k < hidden; k++)
        {
            (T z, T r, T n, T dy) = (gates[k], gates[hidden + k], gates[2 * hidden + k], states[k]);
            T ofCandidate = dy * (T.One - z) * Functions[1].Slope(n),
                ofReset = ofCandidate * fromState[2 * hidden + k] * Functions[0].Slope(r);
            ofInput[k] = ofState[k] = dy * (before[k] - n) * Functions[0].Slope(z);
            ofInput[hidden + k] = ofState[hidden + k] = ofReset;
            ofInput[2 * hidden + k] = ofCandidate;
            ofState[2 * hidden + k] = ofCandidate * r;
            states[k] = dy * z;
        }
    }
}
