using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;
using Workers = Tensorial.Kernels.Workers;

namespace Tensorial.Execution;

/// <summary>The part of the lowering that pools blocked feature maps.</summary>
internal sealed partial class TrainingLowering
{
    private void LowerPool(Node node)
    {
        Value x = Blocked(node.Inputs[0]);
        if (node.Operation is not Pooling pool)
        {
            Value means = PlainResult(node, node.Outputs[0], 0);
            EmitImages(
                node.Label,
                [x],
                [means],
                (frame, piece) =>
                    BlockedPooling.GlobalAverage(piece.Of(frame, x), piece.Layout(x), piece.Rows(frame, means), Workers.Serial)
            );
            return;
        }
        PlaneWindow window = WindowOf(pool, node);
        Value y = BlockedResult(node.Outputs[0]);
        EmitImages(
            node.Label,
            [x],
            [y],
            (frame, piece) =>
            {
                if (pool is AveragePool average)
                    BlockedPooling.Average(
                        window,
                        OverOf(average),
                        piece.Of(frame, x),
                        piece.Layout(x),
                        piece.Clean(frame, y),
                        piece.Layout(y),
                        Workers.Serial
                    );
                else
                    BlockedPooling.Maximum(
                        window,
                        piece.Of(frame, x),
                        piece.Layout(x),
                        piece.Clean(frame, y),
                        piece.Layout(y),
                        Workers.Serial
                    );
            }
        );
    }

    private void LowerPoolGradient(Node node)
    {
        if (node.Operation is not Pooling pool)
        {
            if (ResolvedPlainGradient(node.Outputs[0]) is not { } dy)
                return;
            AddTo(node, [dy], (frame, piece, dx, layout) => PoolingGradient.AddGlobalAverage(piece.Rows(frame, dy), dx, layout));
            return;
        }
        if (ResolvedBlockedGradient(node.Outputs[0]) is not { } upstream)
            return;
        PlaneWindow window = WindowOf(pool, node);
        if (pool is AveragePool average)
        {
            AddTo(
                node,
                [upstream],
                (frame, piece, dx, layout) =>
                    PoolingGradient.AddAverage(window, OverOf(average), piece.Of(frame, upstream), piece.Layout(upstream), dx, layout)
            );
            return;
        }
        Value x = Blocked(node.Inputs[0]),
            y = Blocked(node.Outputs[0]);
        AddTo(
            node,
            [upstream, x, y],
            (frame, piece, dx, layout) =>
                PoolingGradient.AddMaximum(
                    window,
                    piece.Of(frame, x),
                    piece.Layout(x),
                    piece.Of(frame, y),
                    piece.Layout(y),
                    piece.Of(frame, upstream),
                    piece.Layout(upstream),
                    dx,
                    layout
                )
        );
    }

    private delegate void GradientOfPiece(Frame frame, Piece piece, Span<float> gradient, BlockedLayout layout);

    /// <summary>Adds to the gradient of a node's first input, from zero where it is the first to do so.</summary>
    private void AddTo(Node node, Value[] reads, GradientOfPiece add)
    {
        Value target = BlockedGradient(node.Inputs[0], out bool isNew);
        EmitImages(
            $"{node.Label} gradient",
            isNew ? reads : [.. reads, target],
            [target],
            (frame, piece) =>
            {
                Span<float> gradient = piece.Of(frame, target);
                if (isNew)
                    gradient.Clear();
                add(frame, piece, gradient, piece.Layout(target));
            }
        );
    }

    private PlaneWindow WindowOf(Pooling pool, Node node) => Window(pool.Windows(_shapes[node.Inputs[0]].Shape))!.Value;

    private static AverageOver OverOf(AveragePool pool) => pool.CountIncludePad ? AverageOver.Padding : AverageOver.Input;
}
