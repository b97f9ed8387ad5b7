using System.Buffers;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Einsum;

/// <summary>
/// A step as matrix products. The larger term keeps its order of axes: those outside its first summed or unfolded one become a loop over products,
/// and the result has the right term's axes where the summed ones were, so that chains of steps over feature maps permute nothing.
/// </summary>
internal sealed class Lowering
{
    /// <summary>Values of a piece that is unfolded at once, if it can be helped: what fits a second-level cache.</summary>
    private const int Piece = 1 << 17;

    private readonly bool _isRightFirst;
    private readonly Gathering? _unfoldLeft, _arrangeRight, _fold;
    private readonly Nest _outer, _repeats, _batches;
    private readonly int _left, _right, _summed;
    private readonly (int Row, int Column) _leftStrides, _rightStrides;

    public Lowering(Pair pair, Layout left, Layout right)
    {
        Loops loops = new(pair, left, right);

        bool hasInnerLeft = loops.Inner.Exists(static loop => loop.Role == Role.Left);
        List<Loop> outer = [.. loops.Outer], inner = loops.Inner, summed = [.. inner.Where(static loop => loop.Role == Role.Summed), .. loops.Unfolded], rows, repeats = [];
        if (hasInnerLeft) rows = [.. inner.Where(static loop => loop.Role == Role.Left)];
        else
        {
            int first = outer.FindLastIndex(static loop => loop.Role == Role.Batch) + 1;
            rows = outer[first..];
            outer.RemoveRange(first, rows.Count);
        }
        List<Loop> batches = [.. inner.Where(static loop => loop.Role == Role.Batch)];
        int leftRow = Loops.Stride(rows, left), leftColumn = Loops.Stride(summed, left);
        bool copies = loops.Unfolded.Count > 0 || leftRow < 0 || leftColumn < 0;
        if (copies)
        {
            // Small pieces: fewer rows at once, or sums over one outer index after another.
            long size = (long)Loops.Count(batches) * Loops.Count(rows) * Loops.Count(summed);
            for (; !hasInnerLeft && size > Piece && rows.Count > 1; size /= outer[^1].Extent) Move(rows, outer);
            for (; size > Piece && inner.Count > 0 && inner[0] == summed[0] && summed[0].Place == Loop.Plain; size /= repeats[^1].Extent, inner.RemoveAt(0)) Move(summed, repeats);
            bool rowsLast = hasInnerLeft && left.Order.Length > 0 && rows.Exists(loop => loop.Axis == left.Order[^1]);
            _unfoldLeft = new([.. batches, .. rowsLast ? summed : rows, .. rowsLast ? rows : summed], 0, left, pair);
            (leftRow, leftColumn) = rowsLast ? (1, Loops.Count(rows)) : (Loops.Count(summed), 1);
        }

        List<Loop> columns = loops.Right;
        int rightColumn = Loops.Stride(columns, right), rightRow = Loops.Stride(summed, right);
        Layout arranged = right;
        if (loops.UnfoldsRight || rightColumn < 0 || rightRow < 0)
        {
            List<Loop> order = [.. outer.Where(static loop => loop.Role == Role.Batch), .. batches, .. repeats, .. columns, .. summed];
            _arrangeRight = new([.. order], 1, right, pair);
            int[] strides = new int[right.Strides.Length];
            for (int k = order.Count - 1, stride = 1; k >= 0; stride *= order[k--].Extent) strides[order[k].Axis] = stride;
            arranged = new([], strides);
            (rightColumn, rightRow) = (Loops.Count(summed), 1);
        }

        List<Loop> results = [.. outer, .. batches, .. hasInnerLeft ? columns : rows, .. hasInnerLeft ? rows : columns];
        Result = Layout.Of(pair.Product, [.. results.Where(static loop => loop.Place != 1).Select(static loop => loop.Axis).Distinct().Where(pair.Product.Has)]);
        if (loops.Folds) _fold = new([.. hasInnerLeft ? columns : rows, .. hasInnerLeft ? rows : columns], 2, Result, pair);

        _outer = new(outer, left, arranged, Result);
        _repeats = new(repeats, left, arranged, Result);
        _batches = new(batches, copies ? Packed(batches, left, Loops.Count(rows) * Loops.Count(summed)) : left, arranged, Result);
        (_left, _right, _summed, _isRightFirst) = (Loops.Count(rows), Loops.Count(columns), Loops.Count(summed), hasInnerLeft);
        (_leftStrides, _rightStrides) = ((leftRow, leftColumn), (rightRow, rightColumn));
    }

    /// <summary>Where the values of the product lie.</summary>
    public Layout Result { get; }

    public void Run<T>(Memory<T> left, Memory<T> right, Memory<T> result, Workers workers) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[]? arranged = null;
        if (_arrangeRight is not null)
        {
            arranged = ArrayPool<T>.Shared.Rent(_arrangeRight.Count);
            _arrangeRight.Gather<T>(right.Span, 0, arranged.AsSpan(0, _arrangeRight.Count));
            right = arranged;
        }
        bool splits = _outer.Count >= 2 * workers.Count;
        Workers inside = splits ? Workers.Serial : workers;
        (splits ? workers : Workers.Serial).For(_outer.Count, index => Product(index, left, right, result, inside));
        if (arranged is not null) ArrayPool<T>.Shared.Return(arranged);
    }

    private void Product<T>(int index, Memory<T> left, Memory<T> right, Memory<T> result, Workers workers) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int x, int y, int z) = _outer.At(index);
        int products = _left * _right;
        T[]? unfolded = _unfoldLeft is null ? null : ArrayPool<T>.Shared.Rent(_unfoldLeft.Count);
        T[]? unfoldedResult = _fold is null ? null : ArrayPool<T>.Shared.Rent(_batches.Count * products);
        for (int repeat = 0; repeat < _repeats.Count; repeat++)
        {
            (int dx, int dy, _) = _repeats.At(repeat);
            _unfoldLeft?.Gather<T>(left.Span, x + dx, unfolded.AsSpan(0, _unfoldLeft.Count));
            for (int batch = 0; batch < _batches.Count; batch++)
            {
                (int bx, int by, int bz) = _batches.At(batch);
                ReadOnlySpan<T> a = unfolded is null ? left.Span[(x + dx + bx)..] : unfolded.AsSpan(bx), b = right.Span[(y + dy + by)..];
                Span<T> c = unfoldedResult is null ? result.Span.Slice(z + bz, products) : unfoldedResult.AsSpan(batch * products, products);
                Multiply(a, b, repeat > 0 ? T.One : T.Zero, c, workers);
            }
        }
        for (int batch = 0; _fold is not null && batch < _batches.Count; batch++)
            _fold.AddTo(result.Span, z + _batches.At(batch).Result, unfoldedResult.AsSpan(batch * products, products));
        if (unfolded is not null) ArrayPool<T>.Shared.Return(unfolded);
        if (unfoldedResult is not null) ArrayPool<T>.Shared.Return(unfoldedResult);
    }

    private void Multiply<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, T beta, Span<T> c, Workers workers) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (_isRightFirst)
            Gemm.Multiply(_right, _left, _summed, T.One, b, _rightStrides.Column, _rightStrides.Row, a, _leftStrides.Column, _leftStrides.Row, beta, c, _left, workers);
        else
            Gemm.Multiply(_left, _right, _summed, T.One, a, _leftStrides.Row, _leftStrides.Column, b, _rightStrides.Row, _rightStrides.Column, beta, c, _right, workers);
    }

    private static void Move(List<Loop> from, List<Loop> to)
    {
        to.Add(from[0]);
        from.RemoveAt(0);
    }

    /// <summary>Distances of the batches in an unfolded piece, of which they are the outermost loops.</summary>
    private static Layout Packed(List<Loop> batches, Layout like, int size)
    {
        int[] strides = new int[like.Strides.Length];
        for (int k = batches.Count - 1; k >= 0; size *= batches[k--].Extent) strides[batches[k].Axis] = size;
        return new([], strides);
    }
}
