using Tensorial.Kernels;

namespace Tensorial;

/// <summary>z = f(x) over spans of equal length.</summary>
internal delegate void UnaryLoop<TIn, TOut>(ReadOnlySpan<TIn> x, Span<TOut> z);

/// <summary>z = f(x, y) over spans of equal length.</summary>
internal delegate void BinaryLoop<TIn, TOut>(ReadOnlySpan<TIn> x, ReadOnlySpan<TIn> y, Span<TOut> z);

/// <summary>Walks tensors value by value in pieces that threads share; what happens to a piece is the caller's loop.</summary>
internal static class Elementwise
{
    /// <summary>Values in a piece: three spans of doubles of this length stay within a second-level cache.</summary>
    private const int Piece = 1 << 14;

    /// <summary>Length to which a single value is repeated, so that a loop over two spans serves a span and a scalar as well.</summary>
    private const int Repeat = 512;

    public static void Map<TIn, TOut>(Tensor<TIn> x, Tensor<TOut> z, UnaryLoop<TIn, TOut> loop, Workers workers)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        int count = x.Shape.ElementCount;
        workers.For(
            Pieces(count, Piece),
            piece =>
            {
                int start = piece * Piece,
                    length = Math.Min(Piece, count - start);
                loop(x.Values.Slice(start, length), z.Values.Slice(start, length));
            }
        );
    }

    /// <summary>z = f(x, y) with both operands stretched to the shape of <paramref name="z"/>.</summary>
    public static void Combine<TIn, TOut>(Tensor<TIn> x, Tensor<TIn> y, Tensor<TOut> z, BinaryLoop<TIn, TOut> loop, Workers workers)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        Broadcasting.BroadcastPlan plan = new(x.Shape, y.Shape, z.Shape);
        if (plan.Runs == 0)
            return;
        int piecesPerRun = Pieces(plan.Length, Piece),
            runsPerTask = Math.Max(1, Piece / plan.Length);
        workers.For(
            piecesPerRun > 1 ? plan.Runs * piecesPerRun : Pieces(plan.Runs, runsPerTask),
            task =>
            {
                if (piecesPerRun > 1)
                    Part(plan[task / piecesPerRun], task % piecesPerRun * Piece);
                else
                    for (int run = task * runsPerTask; run < Math.Min(plan.Runs, (task + 1) * runsPerTask); run++)
                        Part(plan[run], 0);
            }
        );

        void Part(Broadcasting.BroadcastRun run, int from)
        {
            int length = Math.Min(Piece, plan.Length - from);
            Span<TOut> target = z.Values.Slice(run.Start + from, length);
            ReadOnlySpan<TIn> left = plan.XMoves ? x.Values.Slice(run.X + from, length) : default;
            ReadOnlySpan<TIn> right = plan.YMoves ? y.Values.Slice(run.Y + from, length) : default;
            if (plan.XMoves && plan.YMoves)
            {
                loop(left, right, target);
                return;
            }
            Span<TIn> same = stackalloc TIn[Math.Min(Repeat, length)];
            same.Fill(plan.XMoves ? y.Values[run.Y] : x.Values[run.X]);
            ReadOnlySpan<TIn> constant = plan.XMoves || plan.YMoves ? default : stackalloc TIn[1] { y.Values[run.Y] };
            for (int i = 0; i < length; i += Repeat)
            {
                int step = Math.Min(Repeat, length - i);
                loop(
                    plan.XMoves ? left.Slice(i, step) : same[..step],
                    plan.YMoves ? right.Slice(i, step)
                        : plan.XMoves ? same[..step]
                        : constant,
                    target.Slice(i, step)
                );
            }
        }
    }

    private static int Pieces(int count, int size) => (int)(((long)count + size - 1) / size);
}
