using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Operations;

/// <summary>The plain recurrent layer: h = f(W x + R h + biases).</summary>
public sealed record Rnn : Recurrent
{
    /// <inheritdoc/>
    public override string Name => "RNN";

    internal override int Gates => 1;

    internal override ImmutableArray<GateFunction> UsualActivations { get; } = [GateFunction.From("Tanh")];

    internal override RecurrentCell<T> Cell<T>(int direction, ReadOnlySpan<Tensor?> inputs) =>
        new RnnCell<T>(ActivationsOf(direction), Clip);
}

/// <inheritdoc cref="Rnn"/>
internal sealed class RnnCell<T>(ImmutableArray<GateFunction> functions, float clip) : RecurrentCell<T>(functions, clip)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override void Step(Span<T> fromInput, Span<T> fromState, ReadOnlySpan<T> before, Span<T> after, int hidden)
    {
        TensorPrimitives.Add<T>(fromInput, fromState, fromInput);
        Activate(0, fromInput);
        fromInput.CopyTo(after);
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
            ofInput[k] = ofState[k] = states[k] * Functions[0].Slope(gates[k]);
            states[k] = T.Zero;
        }
    }
}
