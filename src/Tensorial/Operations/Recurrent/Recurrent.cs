using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Which way a recurrent layer walks its sequences.</summary>
public enum SequenceDirection
{
    /// <summary>From the first element to the last.</summary>
    Forward,

    /// <summary>From the last element to the first.</summary>
    Reverse,

    /// <summary>Both; results of the reverse walk stand behind those of the forward one.</summary>
    Bidirectional,
}

/// <summary>
/// A recurrent layer: X[t,b,i], with W[d,G h,i] for the input, R[d,G h,h] for the state and biases B[d,2 G h] of both, G gates of h values
/// each, d directions. Results are Y[t,d,b,h] and the last state Y_h[d,b,h]. With <see cref="BatchFirst"/> the batch stands first.
/// </summary>
public abstract record Recurrent : FloatOperation
{
    /// <summary>h, the values of the state; 0 where the weights alone say.</summary>
    public int HiddenSize { get; init; }

    /// <summary>Direction along the sequence.</summary>
    public SequenceDirection Direction { get; init; }

    /// <summary>The functions of one direction after another; empty for the usual ones.</summary>
    public ImmutableArray<GateFunction> Activations { get; init; } = [];

    /// <summary>What enters a function is held between ±Clip; 0 for no bound.</summary>
    public float Clip { get; init; }

    /// <summary>Whether X is [b,t,i], Y [b,t,d,h] and states [b,d,h].</summary>
    public bool BatchFirst { get; init; }

    /// <summary>G.</summary>
    internal abstract int Gates { get; }

    /// <summary>The functions that the operator has by itself.</summary>
    internal abstract ImmutableArray<GateFunction> UsualActivations { get; }

    /// <summary>States that a step hands on; results are Y and these.</summary>
    internal virtual int States => 1;

    internal int Directions => Direction == SequenceDirection.Bidirectional ? 2 : 1;

    /// <summary>The functions of one direction.</summary>
    internal ImmutableArray<GateFunction> ActivationsOf(int direction)
    {
        int count = UsualActivations.Length;
        return Activations.IsEmpty ? UsualActivations : Activations.Slice(direction * count, count);
    }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        RecurrentExtents e = Extents(
            inputs.Floating(0, "X").OfRank(3, "X").Shape,
            inputs.Floating(1, "W").OfRank(3, "W").Shape,
            inputs.Floating(2, "R").OfRank(3, "R").Shape
        );
        if (!Activations.IsEmpty && Activations.Length != Directions * UsualActivations.Length)
            throw new BadInputException(
                $"activations are {Activations.Length}; {UsualActivations.Length} for each of {Directions} directions were expected."
            );
        Check(inputs, 3, "B", [Directions, 2 * Gates * e.Hidden]);
        Shape states = BatchFirst ? [e.Batch, Directions, e.Hidden] : [Directions, e.Batch, e.Hidden];
        if (inputs.Optional(4) is { } lengths && (lengths.Type != ElementType.Int32 || lengths.Shape != [e.Batch]))
            throw new ShapeException($"sequence_lens must hold {e.Batch} numbers of Int32, not {lengths.Type} {lengths.Shape}.");
        for (int i = 0; i < States; i++)
            Check(inputs, 5 + i, i == 0 ? "initial_h" : "initial_c", states);
        ElementType type = inputs[0]!.Type;
        ValueInfo y = new(type, BatchFirst ? [e.Batch, e.Steps, Directions, e.Hidden] : [e.Steps, Directions, e.Batch, e.Hidden]);
        return [y, .. Enumerable.Repeat(new ValueInfo(type, states), States)];
    }

    /// <summary>Refuses an optional operand of another shape.</summary>
    private protected static void Check(ReadOnlySpan<ValueInfo?> inputs, int index, string name, Shape shape)
    {
        if (inputs.Optional(index) is null)
            return;
        if (inputs.Floating(index, name).Shape is var given && given != shape)
            throw new ShapeException($"{name} has the shape {given} instead of {shape}.");
    }

    private RecurrentExtents Extents(Shape x, Shape w, Shape r)
    {
        int hidden = r[2];
        (int steps, int batch) = BatchFirst ? (x[1], x[0]) : (x[0], x[1]);
        if (HiddenSize != 0 && HiddenSize != hidden)
            throw new ShapeException($"hidden_size is {HiddenSize}; R of shape {r} has {hidden}.");
        if (hidden > int.MaxValue / 16)
            throw new ShapeException($"a state of {hidden} values is too large.");
        if (r != [Directions, Gates * hidden, hidden])
            throw new ShapeException($"R has the shape {r} instead of {Directions}×{Gates * hidden}×{hidden}.");
        if (w != [Directions, Gates * hidden, x[2]])
            throw new ShapeException($"W has the shape {w} instead of {Directions}×{Gates * hidden}×{x[2]}.");
        return new(steps, batch, x[2], hidden);
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        RecurrentRun<T> run = new(this, Extents(inputs[0]!.Shape, inputs[1]!.Shape, inputs[2]!.Shape), inputs, workers);
        for (int direction = 0; direction < Directions; direction++)
            run.Walk(direction, Cell<T>(direction, inputs), null, outputs);
    }

    internal override Reads? GradientReads(int input) => input == 4 ? null : Reads.AllInputs;

    /// <summary>Backpropagation through time; the walk forward is repeated and its gates kept.</summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (Clip > 0)
            throw new UnsupportedException($"{Name} with clip has no gradient.");
        RecurrentRun<T> run = new(this, Extents(pull.Shape(0), pull.Shape(1), pull.Shape(2)), pull.Inputs, workers);
        for (int direction = 0; direction < Directions; direction++)
        {
            RecurrentTrace<T> trace = new();
            RecurrentCell<T> cell = Cell<T>(direction, pull.Inputs);
            run.Walk(direction, cell, trace, default);
            run.WalkBack(direction, cell, trace, pull);
        }
    }

    /// <summary>One step of one direction.</summary>
    internal abstract RecurrentCell<T> Cell<T>(int direction, ReadOnlySpan<Tensor?> inputs)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>;

    /// <summary>One for each weight, at every step of every sequence.</summary>
    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        (long)inputs[0]!.Shape[0] * inputs[0]!.Shape[1] * (inputs[1]!.Shape.ElementCount + inputs[2]!.Shape.ElementCount);
}

/// <summary>Extents of a recurrent layer.</summary>
internal readonly record struct RecurrentExtents(int Steps, int Batch, int Input, int Hidden);
