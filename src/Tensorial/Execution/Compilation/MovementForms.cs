using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>Joins, parts, margins and repetitions of blocked maps, and their gradients.</summary>
internal static class MovementForms
{
    public static Form? Concat(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        Concat concat = (Concat)node.Operation;
        if (!scope.IsMap(group.Output) || Operands.Axis(concat.Axis, scope.ShapeOf(group.Output).Rank) != 1)
            return null;
        if (!node.Inputs.Any(scope.IsBlocked) || node.Inputs.Any(name => !scope.IsComputed(name)))
            return null;
        return new(
            [.. node.Inputs.Select(static name => (BlockedRead)name)],
            [new(group.Output)],
            emission =>
            {
                Value[] parts = [.. node.Inputs.Select(emission.Blocked)];
                Value y = emission.Result(group.Output);
                emission.Images(
                    group.Label,
                    parts,
                    [y],
                    (frame, piece) =>
                    {
                        Span<float> target = piece.Clean(frame, y);
                        int channel = 0;
                        foreach (Value part in parts)
                        {
                            BlockedLayout layout = piece.Layout(part);
                            BlockedMovement.CopyChannels(
                                piece.Of(frame, part),
                                layout,
                                0,
                                layout.Channels,
                                target,
                                piece.Layout(y),
                                channel,
                                piece.Workers
                            );
                            channel += layout.Channels;
                        }
                    }
                );
            }
        );
    }

    /// <summary>Channels that constant indices name.</summary>
    public static Form? Channels(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0];
        if (!scope.IsMap(x) || !scope.IsBlocked(x) || !scope.IsMap(group.Output))
            return null;
        Shape shape = scope.ShapeOf(x);
        if (
            Operands.Axis(((Gather)node.Operation).Axis, shape.Rank) != 1
            || scope.Constant(node.Inputs[1]) is not { Shape.Rank: 1 } indices
        )
            return null;
        int[] order = [.. Indices.Positive(indices, shape[1])];
        return Form.Map(
            group.Label,
            x,
            group.Output,
            (from, fromLayout, to, toLayout, workers) => BlockedChannels.Gather(from, fromLayout, order, to, toLayout, workers)
        );
    }

    public static Form? ConcatGradient(GradientOf gradient, FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string dy = node.Inputs[gradient.Upstream()];
        if (!scope.IsMap(dy) || !scope.IsBlocked(dy) || Operands.Axis(((Concat)gradient.Of).Axis, scope.ShapeOf(dy).Rank) != 1)
            return null;
        int[] firsts = [.. gradient.Wanted.Select(operand => gradient.Shapes.Take(operand).Sum(static shape => shape[1]))];
        return new(
            [dy],
            [.. node.Outputs.Select(static name => new FormResult(name))],
            emission =>
            {
                Value from = emission.Blocked(dy);
                for (int k = 0; k < firsts.Length; k++)
                    EmitChannels(emission, group.Label, from, firsts[k], emission.Result(node.Outputs[k]));
            }
        );
    }

    /// <summary>A slice along channels alone, or along rows and columns alone, that does not run backwards.</summary>
    public static Form? Slice(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0];
        if (!scope.IsMap(x) || !scope.IsBlocked(x) || !scope.IsMap(group.Output))
            return null;
        if (PlaneCut.From((Slice)node.Operation, scope.ShapeOf(x), node.Inputs, scope) is not { } cut)
            return null;
        if (cut.TakesAllChannels)
            return Form.Map(
                group.Label,
                x,
                group.Output,
                (from, fromLayout, to, toLayout, workers) =>
                    BlockedMovement.Slice(from, fromLayout, cut.Top, cut.Left, cut.StepY, cut.StepX, to, toLayout, workers)
            );
        return cut.TakesWholePlanes
            ? new(
                [x],
                [new(group.Output)],
                emission => EmitChannels(emission, group.Label, emission.Blocked(x), cut.Channel, emission.Result(group.Output))
            )
            : null;
    }

    public static Form? SliceGradient(GradientOf gradient, FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string dy = node.Inputs[gradient.Upstream()];
        if (!scope.IsMap(group.Output) || !scope.IsMap(dy) || !scope.IsBlocked(dy))
            return null;
        if (PlaneCut.From((Slice)gradient.Of, gradient.Shapes[0], node.Inputs, scope) is not { TakesAllChannels: true } cut)
            return null;
        return Form.Map(
            group.Label,
            dy,
            group.Output,
            (from, fromLayout, to, toLayout, workers) =>
                BlockedMovement.Place(from, fromLayout, cut.Top, cut.Left, cut.StepY, cut.StepX, to, toLayout, workers)
        );
    }

    /// <summary>Padding with one value along channels alone, or along rows and columns alone.</summary>
    public static Form? Pad(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0];
        if (!scope.IsMap(x) || !scope.IsBlocked(x) || !scope.IsMap(group.Output))
            return null;
        if (PlaneMargin.From((Pad)node.Operation, scope.ShapeOf(x), node.Inputs, scope) is not { } margin)
            return null;
        if (margin.IsAroundPlanes)
            return Form.Map(
                group.Label,
                x,
                group.Output,
                (from, fromLayout, to, toLayout, workers) =>
                    BlockedMovement.Pad(from, fromLayout, margin.Top, margin.Left, margin.Value, to, toLayout, workers)
            );
        return Form.Map(
            group.Label,
            x,
            group.Output,
            (from, fromLayout, to, toLayout, workers) =>
            {
                int count = fromLayout.Channels,
                    after = toLayout.Channels - count - margin.Channel;
                BlockedMovement.FillChannels(margin.Value, to, toLayout, 0, margin.Channel, workers);
                BlockedMovement.CopyChannels(from, fromLayout, 0, count, to, toLayout, margin.Channel, workers);
                BlockedMovement.FillChannels(margin.Value, to, toLayout, margin.Channel + count, after, workers);
            }
        );
    }

    public static Form? PadGradient(GradientOf gradient, FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string dy = node.Inputs[gradient.Upstream()];
        if (!scope.IsMap(group.Output) || !scope.IsMap(dy) || !scope.IsBlocked(dy))
            return null;
        if (PlaneMargin.From((Pad)gradient.Of, gradient.Shapes[0], node.Inputs, scope) is not { } margin)
            return null;
        if (!margin.IsAroundPlanes)
            return new(
                [dy],
                [new(group.Output)],
                emission => EmitChannels(emission, group.Label, emission.Blocked(dy), margin.Channel, emission.Result(group.Output))
            );
        return Form.Map(
            group.Label,
            dy,
            group.Output,
            (from, fromLayout, to, toLayout, workers) =>
                BlockedMovement.Slice(from, fromLayout, margin.Top, margin.Left, 1, 1, to, toLayout, workers)
        );
    }

    /// <summary>
    /// Planes on another grid; nearest-neighbour upsampling by whole factors, every pixel some times over, has a kernel of its own.
    /// </summary>
    public static Form? Resize(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0];
        if (!scope.IsMap(x) || !scope.IsBlocked(x) || !scope.IsMap(group.Output))
            return null;
        Tensor?[] inputs = [.. node.Inputs.Select(scope.Constant)];
        if (node.Inputs.Skip(1).Any(scope.IsComputed) || scope.ShapeOf(group.Output)[1] != scope.ShapeOf(x)[1])
            return null;
        if (((Resize)node.Operation).Repeats(scope.ShapeOf(x), inputs) is not [1, 1, ..] factors)
            return Sample(group, x, inputs, scope);
        (int factorY, int factorX) = (factors.Length == 3 ? 1 : factors[2], factors[^1]);
        return Form.Map(
            group.Label,
            x,
            group.Output,
            (from, fromLayout, to, toLayout, workers) => BlockedMovement.Repeat(from, fromLayout, factorY, factorX, to, toLayout, workers)
        );
    }

    private static Form? Sample(FusedGroup group, string x, Tensor?[] inputs, Scope scope)
    {
        Shape from = scope.ShapeOf(x);
        if (((Resize)group.Head.Operation).Taps(from, inputs) is not { } taps || !taps[..2].All(IsIdentity))
            return null;
        SampleTable down = from.Rank == 3 ? new(1, [0], [1]) : Table(taps[2]),
            right = Table(taps[^1]);
        return Form.Map(
            group.Label,
            x,
            group.Output,
            (values, layout, to, toLayout, workers) => BlockedSampling.Run(values, layout, down, right, to, toLayout, workers)
        );

        static bool IsIdentity(ImmutableArray<Tap>[] positions) =>
            positions.Select(static (taps, position) => taps is [{ Weight: 1 } tap] && tap.Index == position).All(static same => same);

        static SampleTable Table(ImmutableArray<Tap>[] positions)
        {
            int most = positions.Max(static taps => taps.Length);
            int[] indices = new int[positions.Length * most];
            float[] weights = new float[positions.Length * most];
            for (int position = 0; position < positions.Length; position++)
            for (int tap = 0; tap < most; tap++)
            {
                // A position of fewer taps takes its first again, with no weight.
                Tap own = tap < positions[position].Length ? positions[position][tap] : positions[position][0] with { Weight = 0 };
                (indices[position * most + tap], weights[position * most + tap]) = (own.Index, (float)own.Weight);
            }
            return new(most, indices, weights);
        }
    }

    /// <summary>Copies as many channels as the target has.</summary>
    private static void EmitChannels(Emission emission, string label, Value from, int first, Value to) =>
        emission.Images(
            label,
            [from],
            [to],
            (frame, piece) =>
                BlockedMovement.CopyChannels(
                    piece.Of(frame, from),
                    piece.Layout(from),
                    first,
                    to.Layout!.Value.Channels,
                    piece.Clean(frame, to),
                    piece.Layout(to),
                    0,
                    piece.Workers
                )
        );
}
