using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// Long short-term memory, gates in the order input i, output o, forget f, cell c: C' = f C + i c, h' = o g(C'). A further operand P[d,3 h]
/// lets the gates i, o and f see the cell; a further result is the last cell Y_c.
/// </summary>
public sealed record Lstm : Recurrent
{
    /// <inheritdoc/>
    public override string Name => "LSTM";

    /// <summary>Whether the forget gate is 1 - i.</summary>
    public bool InputForget { get; init; }

    internal override int Gates => 4;

    internal override int States => 2;

    internal override ImmutableArray<GateFunction> UsualActivations { get; } =
    [GateFunction.From("Sigmoid"), GateFunction.From("Tanh"), GateFunction.From("Tanh")];

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ImmutableArray<ValueInfo> results = base.Infer(inputs);
        Check(inputs, 7, "P", [Directions, 3 * inputs[2]!.Shape[2]]);
        return results;
    }

    internal override RecurrentCell<T> Cell<T>(int direction, ReadOnlySpan<Tensor?> inputs)
    {
        int hidden = inputs[2]!.Shape[2];
        Memory<T> peepholes = inputs.Optional(7) is { } p ? p.Of<T>().Memory.Slice(direction * 3 * hidden, 3 * hidden) : default;
        return new LstmCell<T>(ActivationsOf(direction), Clip, InputForget, peepholes);
    }

    internal override Reads? GradientReads(int input) => InputForget || input == 7 ? null : base.GradientReads(input);

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (InputForget || pull.Inputs.Optional(7) is not null)
            throw new UnsupportedException("LSTM with peepholes or input_forget has no gradient.");
        base.Backward(pull, workers);
    }
}

/// <inheritdoc cref="Lstm"/>
internal sealed class LstmCell<T>(ImmutableArray<GateFunction> functions, float clip, bool inputForget, Memory<T> peepholes)
    : RecurrentCell<T>(functions, clip)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override void Step(Span<T> fromInput, Span<T> fromState, ReadOnlySpan<T> before, Span<T> after, int hidden)
    {
        TensorPrimitives.Add<T>(fromInput, fromState, fromInput);
        Span<T> i = fromInput[..hidden],
            o = fromInput.Slice(hidden, hidden),
            f = fromInput.Slice(2 * hidden, hidden),
            c = fromInput[(3 * hidden)..];
        ReadOnlySpan<T> cell = before[hidden..];
        Span<T> nextState = after[..hidden],
            nextCell = after[hidden..];
        Peep(0, cell, i);
        Peep(2, cell, f);
        Activate(0, i);
        if (inputForget)
            TensorPrimitives.Subtract(T.One, i, f);
        else
            Activate(0, f);
        Activate(1, c);
        TensorPrimitives.Multiply<T>(i, c, nextCell);
        TensorPrimitives.MultiplyAdd(f, cell, nextCell, nextCell);
        Peep(1, nextCell, o);
        Activate(0, o);
        nextCell.CopyTo(nextState);
        Functions[2].Apply(nextState);
        TensorPrimitives.Multiply<T>(o, nextState, nextState);
    }

    private void Peep(int gate, ReadOnlySpan<T> cell, Span<T> sums)
    {
        if (!peepholes.IsEmpty)
            TensorPrimitives.MultiplyAdd(peepholes.Span.Slice(gate * sums.Length, sums.Length), cell, sums, sums);
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
        T[] seen = after[hidden..].ToArray();
        Functions[2].Apply<T>(seen);
        for (int k = 0; k < hidden; k++)
        {
            (T i, T o, T f, T c) = (gates[k], gates[hidden + k], gates[2 * hidden + k], gates[3 * hidden + k]);
            T dy = states[k],
                dc = states[hidden + k] + dy * o * Functions[2].Slope(seen[k]);
            ofInput[k] = dc * c * Functions[0].Slope(i);
            ofInput[hidden + k] = dy * seen[k] * Functions[0].Slope(o);
            ofInput[2 * hidden + k] = dc * before[hidden + k] * Functions[0].Slope(f);
            ofInput[3 * hidden + k] = dc * i * Functions[1].Slope(c);
            states[k] = T.Zero;
            states[hidden + k] = dc * f;
        }
        ofInput.CopyTo(ofState);
    }
}
