using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>The first values of each sequence in reverse, as many as the second operand says.</summary>
/// <param name="TimeAxis">The axis that sequences run along, 0 or 1.</param>
/// <param name="BatchAxis">The axis of the batch, the other of the two.</param>
public sealed record ReverseSequence(int TimeAxis = 0, int BatchAxis = 1) : MovingOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "input"),
            lengths = inputs.Required(1, "sequence_lens");
        if (x.Shape.Rank < 2 || TimeAxis + BatchAxis != 1 || TimeAxis is not (0 or 1))
            throw new ShapeException($"time_axis {TimeAxis} and batch_axis {BatchAxis} must be 0 and 1, of an input {x.Shape}.");
        return lengths.Shape == [x.Shape[BatchAxis]] && lengths.Type == ElementType.Int64
            ? [x with { Value = null }]
            : throw new ShapeException(
                $"sequence_lens must hold {x.Shape[BatchAxis]} numbers of Int64, not {lengths.Type} {lengths.Shape}."
            );
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        int inner = x.Shape.ElementCountOf(2, x.Shape.Rank);
        foreach ((int from, int to) in Moves(x.Shape, inputs[1]!))
            x.Values.Slice(from * inner, inner).CopyTo(y.Values[(to * inner)..]);
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Input(1) : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        int inner = dx.Shape.ElementCountOf(2, dx.Shape.Rank);
        foreach ((int from, int to) in Moves(dx.Shape, pull.Inputs[1]!))
            for (int k = 0; k < inner; k++)
                dx.Values[from * inner + k] += pull.Dy.Values[to * inner + k];
    }

    /// <summary>From which row to which.</summary>
    private List<(int From, int To)> Moves(Shape shape, Tensor given)
    {
        ReadOnlySpan<long> lengths = given.Of<long>().Values;
        List<(int, int)> moves = [];
        for (int b = 0; b < shape[BatchAxis]; b++)
        {
            if (lengths[b] < 0 || lengths[b] > shape[TimeAxis])
                throw new BadInputException($"a sequence is said to have {lengths[b]} of {shape[TimeAxis]} steps.");
            for (int t = 0; t < shape[TimeAxis]; t++)
                moves.Add((Row(t, b), Row(t < lengths[b] ? (int)lengths[b] - 1 - t : t, b)));
        }
        return moves;

        int Row(int time, int sequence) => TimeAxis == 0 ? time * shape[1] + sequence : sequence * shape[1] + time;
    }
}
