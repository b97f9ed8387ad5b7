using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>Poolings of blocked maps, and their gradients.</summary>
internal static class PoolingForms
{
    public static Form? Forward(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0];
        Pooling pool = (Pooling)node.Operation;
        if (!scope.IsMap(x) || !(scope.IsBlocked(x) || IsWorthBlocking(x, scope)) || node.Outputs.Skip(1).Any(static o => o.Length > 0))
            return null;
        if (PlaneWindows.From(pool.Windows(scope.ShapeOf(x))) is not { } window)
            return null;
        return Form.Map(
            group.Label,
            x,
            group.Output,
            pool is AveragePool average
                ? (from, fromLayout, to, toLayout, workers) =>
                    BlockedPooling.Average(window, OverOf(average), from, fromLayout, to, toLayout, workers)
                : (from, fromLayout, to, toLayout, workers) => BlockedPooling.Maximum(window, from, fromLayout, to, toLayout, workers)
        );
    }

    /// <summary>A plain map of which most lanes hold a channel: windows of vectors are worth the way there and back.</summary>
    private static bool IsWorthBlocking(string map, Scope scope) =>
        scope.IsComputed(map) && 2 * scope.ShapeOf(map)[1] > BlockedLayout.ChannelBlock;

    /// <summary>The mean of every plane, as a plain value.</summary>
    public static Form? Means(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0];
        if (
            !scope.IsMap(x)
            || !scope.IsBlocked(x)
            || !ReducesPlanes(node.Operation, scope.ShapeOf(x), scope.Constant(node.Inputs.ElementAtOrDefault(1)))
        )
            return null;
        return new(
            [x],
            [new(group.Output, IsBlocked: false)],
            emission =>
            {
                (Value from, Value means) = (emission.Blocked(x), emission.Result(group.Output));
                emission.Images(
                    group.Label,
                    [from],
                    [means],
                    (frame, piece) =>
                        BlockedPooling.GlobalAverage(piece.Of(frame, from), piece.Layout(from), piece.Rows(frame, means), piece.Workers)
                );
            }
        );
    }

    public static Form? Gradient(GradientOf gradient, FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string dx = group.Output,
            dy = node.Inputs[gradient.Upstream()];
        Pooling pool = (Pooling)gradient.Of;
        if (!scope.IsMap(dx) || !scope.IsMap(dy) || PlaneWindows.From(pool.Windows(gradient.Shapes[0])) is not { } window)
            return null;
        if (pool is AveragePool average)
            return Adding(
                group,
                [dy],
                (frame, piece, reads, to, layout) =>
                    PoolingGradient.AddAverage(window, OverOf(average), piece.Of(frame, reads[0]), piece.Layout(reads[0]), to, layout)
            );
        (string x, string y) = (node.Inputs[0], node.Inputs[1]);
        if (pool is MaxPool { WithIndices: true } || !scope.IsBlocked(x) || !scope.IsBlocked(y))
            return null;
        return Adding(
            group,
            [dy, x, y],
            (frame, piece, reads, to, layout) =>
                PoolingGradient.AddMaximum(
                    window,
                    piece.Of(frame, reads[1]),
                    piece.Layout(reads[1]),
                    piece.Of(frame, reads[2]),
                    piece.Layout(reads[2]),
                    piece.Of(frame, reads[0]),
                    piece.Layout(reads[0]),
                    to,
                    layout
                )
        );
    }

    public static Form? MeansGradient(GradientOf gradient, FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string dx = group.Output,
            upstream = node.Inputs[gradient.Upstream()];
        if (
            !scope.IsMap(dx)
            || !ReducesPlanes(gradient.Of, gradient.Shapes[0], gradient.Shapes.Length > 1 ? scope.Constant(node.Inputs[1]) : null)
        )
            return null;
        return new(
            [],
            [new(dx)],
            emission =>
            {
                (Value dy, Value to) = (emission.Plain(upstream), emission.Result(dx));
                emission.Images(
                    group.Label,
                    [dy],
                    [to],
                    (frame, piece) =>
                    {
                        Span<float> own = piece.Of(frame, to);
                        own.Clear();
                        PoolingGradient.AddGlobalAverage(piece.Rows(frame, dy), own, piece.Layout(to));
                    }
                );
            }
        );
    }

    private delegate void AddingStep(ProgramFrame frame, Piece piece, Value[] reads, Span<float> to, BlockedLayout layout);

    /// <summary>A gradient that is added up from zero.</summary>
    private static Form Adding(FusedGroup group, string[] names, AddingStep add) =>
        new(
            [.. names.Select(static name => (BlockedRead)name)],
            [new(group.Output)],
            emission =>
            {
                Value[] reads = [.. names.Select(emission.Blocked)];
                Value dx = emission.Result(group.Output);
                emission.Images(
                    group.Label,
                    reads,
                    [dx],
                    (frame, piece) =>
                    {
                        Span<float> to = piece.Of(frame, dx);
                        to.Clear();
                        add(frame, piece, reads, to, piece.Layout(dx));
                    }
                );
            }
        );

    private static bool ReducesPlanes(Operation operation, Shape shape, Tensor? axes) =>
        operation is GlobalAveragePool
        || (operation is ReduceMean mean && mean.Resolve(shape, axes).Order().SequenceEqual(Enumerable.Range(2, shape.Rank - 2)));

    private static AverageOver OverOf(AveragePool pool) => pool.CountIncludePad ? AverageOver.Padding : AverageOver.Input;
}
