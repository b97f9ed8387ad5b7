using System.Buffers;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Equations;

/// <summary>
/// A step as matrix products. The larger term keeps its order of axes: those outside its first summed or unfolded one become a loop over
/// products, and the result has the right term's axes where the summed ones were, so that chains of steps over feature maps permute
/// nothing. Convolutions of planes in float32 run on the kernels of networks instead (<see cref="PlaneConvolution"/>).
/// </summary>
internal sealed class Lowering
{
    /// <summary>
    /// Values of a piece of the left term that is repacked at once, if it can be helped: what fits a second-level cache.
    /// </summary>
    private const int Piece = 1 << 17;

    /// <summary>
    /// Multiply-accumulates of one product, for each entry of a batch, up to which going along the batch is faster than product by product.
    /// </summary>
    private const int SmallProduct = 8;

    private readonly bool _isRightFirst;
    private readonly Addressing _leftReads,
        _rightReads;
    private readonly Packing? _fold;
    private readonly LoopNest _outer,
        _repeats,
        _batches;
    private readonly Multiplication _product;
    private readonly PlaneConvolution? _plane;

    public Lowering(Pair pair, Layout left, Layout right)
    {
        Loops loops = new(pair, left, right);
        List<AxisLoop> outer = [.. loops.Outer],
            inner = loops.Inner,
            rows,
            repeats = [],
            columns = loops.Right;
        List<AxisLoop> summed = [.. inner.Where(static loop => loop.Role == Role.Summed), .. loops.Unfolded];
        List<AxisLoop> batches = [.. inner.Where(static loop => loop.Role == Role.Batch)];
        _isRightFirst = inner.Exists(static loop => loop.Role == Role.Left);
        if (_isRightFirst)
            rows = [.. inner.Where(static loop => loop.Role == Role.Left)];
        else
        {
            int first = outer.FindLastIndex(static loop => loop.Role == Role.Batch) + 1;
            rows = outer[first..];
            outer.RemoveRange(first, rows.Count);
        }
        if (loops.UnfoldsLeft)
        {
            // Pieces neither so large that they fall out of the cache nor so small that there are very many.
            long size = inner.Aggregate(1L, (count, loop) => count * pair.Left[loop.Axis].Extent);
            while (size > Piece && inner[0] == summed[0] && summed[0].Place == AxisLoop.Plain)
            {
                repeats.Add(summed[0]);
                inner.RemoveAt(0);
                summed.RemoveAt(0);
                size /= repeats[^1].Extent;
            }
            while (outer.Count > 0 && outer[^1].Role == Role.Batch && size * outer[^1].Extent <= Piece)
            {
                batches.Insert(0, outer[^1]);
                inner.Insert(0, outer[^1]);
                size *= outer[^1].Extent;
                outer.RemoveAt(outer.Count - 1);
            }
        }
        AxisLoop lane = loops.Convolves
            ? default
            : outer.Concat(batches).FirstOrDefault(loop => loop.Role == Role.Batch && loop.Extent > 1 && left.Strides[loop.Axis] == 1);
        bool hasLane =
            lane.Extent > 1 && (long)Loops.Count(rows) * Loops.Count(columns) * Loops.Count(summed) <= SmallProduct * lane.Extent;
        if (hasLane && !outer.Remove(lane))
            batches.Remove(lane);
        int[] rightOrder =
            hasLane && right.Strides[lane.Axis] != 1 ? [.. right.Order.Where(axis => axis != lane.Axis), lane.Axis] : right.Order;
        _leftReads = new(
            pair,
            0,
            left,
            [.. inner.Select(static loop => loop.Axis).Concat(_isRightFirst ? [] : rows.Select(static loop => loop.Axis))]
        );
        _rightReads = new(pair, 1, right, rightOrder, isNew: rightOrder != right.Order);

        List<AxisLoop> results =
        [
            .. outer,
            .. batches,
            .. _isRightFirst ? columns : rows,
            .. _isRightFirst ? rows : columns,
            .. hasLane ? [lane] : Array.Empty<AxisLoop>(),
        ];
        Result = Layout.From(
            pair.Product,
            [.. results.Where(static loop => loop.Place != 1).Select(static loop => loop.Axis).Distinct().Where(pair.Product.Has)]
        );
        if (loops.Folds)
            _fold = new([.. _isRightFirst ? columns : rows, .. _isRightFirst ? rows : columns], 2, Result, pair);

        _outer = new(outer, left, _rightReads.Layout, Result);
        _repeats = new(repeats, left, _rightReads.Layout, Result);
        _batches = new(batches, _leftReads.Layout, _rightReads.Layout, Result);
        AddressTable leftRows = _leftReads.Table(rows),
            leftSummed = _leftReads.Table(summed);
        AddressTable rightSummed = _rightReads.Table(summed),
            rightColumns = _rightReads.Table(columns);
        _product = _isRightFirst
            ? new(rightColumns, rightSummed, leftSummed, leftRows, hasLane ? lane.Extent : 1)
            : new(leftRows, leftSummed, rightSummed, rightColumns, hasLane ? lane.Extent : 1);
        _plane = PlaneConvolution.From(pair, left, right, Result);
    }

    /// <summary>Where the values of the product lie.</summary>
    public Layout Result { get; }

    /// <summary>Values of float32 that are repacked on one thread.</summary>
    public long Scratch =>
        _plane?.Scratch
        ?? (_leftReads.Laying?.Count ?? 0L)
            + (_rightReads.Laying?.Count ?? 0)
            + (_fold is null ? 0 : (long)_batches.Count * _product.Count);

    /// <summary>Computes the product into memory that may hold anything.</summary>
    public void Run<T>(Memory<T> left, Memory<T> right, Memory<T> result, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float) && _plane is not null)
        {
            _plane.Run((Memory<float>)(object)left, (Memory<float>)(object)right, (Memory<float>)(object)result, workers);
            return;
        }
        T[]? laid = null;
        if (_rightReads.Laying is { } laying)
        {
            laid = ArrayPool<T>.Shared.Rent(laying.Count);
            laying.Gather<T>(right.Span, 0, laid.AsSpan(0, laying.Count));
            right = laid;
        }
        if (_fold is not null)
            result.Span.Clear();
        bool splits = _outer.Count >= 2 * workers.Count;
        Workers inside = splits ? Workers.Serial : workers;
        if (splits && workers.Count > 1)
            workers.For(_outer.Count, index => Product(index, left, right, result, inside));
        else
            for (int index = 0; index < _outer.Count; index++)
                Product(index, left, right, result, inside);
        if (laid is not null)
            ArrayPool<T>.Shared.Return(laid);
    }

    private void Product<T>(int index, Memory<T> left, Memory<T> right, Memory<T> result, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int x, int y, int z) = _outer.At(index);
        int count = _product.Count;
        Packing? laying = _leftReads.Laying;
        T[]? laid = laying is null ? null : ArrayPool<T>.Shared.Rent(laying.Count);
        T[]? unfolded = _fold is null ? null : ArrayPool<T>.Shared.Rent(_batches.Count * count);
        for (int repeat = 0; repeat < _repeats.Count; repeat++)
        {
            (int dx, int dy, _) = _repeats.At(repeat);
            laying?.Gather<T>(left.Span, x + dx, laid.AsSpan(0, laying.Count));
            ReadOnlySpan<T> piece = laid is null ? left.Span[(x + dx)..] : laid;
            for (int batch = 0; batch < _batches.Count; batch++)
            {
                (int bx, int by, int bz) = _batches.At(batch);
                ReadOnlySpan<T> a = piece[bx..],
                    b = right.Span[(y + dy + by)..];
                Span<T> c = unfolded is null ? result.Span.Slice(z + bz, count) : unfolded.AsSpan(batch * count, count);
                T beta = repeat > 0 ? T.One : T.Zero;
                if (_isRightFirst)
                    _product.Run(b, a, beta, c, workers);
                else
                    _product.Run(a, b, beta, c, workers);
            }
        }
        for (int batch = 0; _fold is not null && batch < _batches.Count; batch++)
            _fold.AddTo(result.Span, z + _batches.At(batch).Result, unfolded.AsSpan(batch * count, count));
        if (laid is not null)
            ArrayPool<T>.Shared.Return(laid);
        if (unfolded is not null)
            ArrayPool<T>.Shared.Return(unfolded);
    }
}
