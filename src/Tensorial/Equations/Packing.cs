using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Equations;

/// <summary>
/// Moves a term's values into loops that lie one after another: permutes, and unfolds along convolved axes, where two loops decide the
/// term's entry and entries out of bounds are zeros. Backwards it folds: what loops hold is added to the entries they decide.
/// </summary>
internal sealed class Packing
{
    private readonly Level[] _levels;
    private readonly bool _unfolds;

    /// <param name="loops">The loops, outermost first.</param>
    /// <param name="own">The term's place in its pair; of a convolved axis, loops over other places than this come in twos.</param>
    /// <param name="layout">Where the term's values lie.</param>
    /// <param name="pair">The step.</param>
    public Packing(ReadOnlySpan<AxisLoop> loops, int own, Layout layout, Pair pair)
    {
        _levels = new Level[loops.Length];
        for (int k = loops.Length - 1, stride = 1; k >= 0; stride *= loops[k--].Extent)
        {
            AxisLoop loop = loops[k];
            bool isDecided = loop.Place != AxisLoop.Plain && loop.Place != own;
            int still = isDecided ? Find(loops[..k], loop.Axis, 3 - own - loop.Place) : -1;
            StridedRun[][]? runs = still >= 0 ? pair.RelationOf(loop.Axis).Runs(own, loops[still].Place) : null;
            _levels[k] = new(loop.Extent, isDecided && still < 0 ? 0 : layout.Strides[loop.Axis], stride, still, runs);
            _unfolds |= isDecided;
        }
        Count = loops.IsEmpty ? 1 : _levels[0].Extent * _levels[0].Packed;
    }

    /// <param name="axes">Extent, distance in the term, and where an axis is repacked the copies that do it; outermost first.</param>
    public Packing(ReadOnlySpan<(int Extent, int Stride, StridedRun[]? Copies)> axes)
    {
        _levels = new Level[axes.Length];
        for (int k = axes.Length - 1, stride = 1; k >= 0; stride *= axes[k--].Extent)
        {
            _levels[k] = new(axes[k].Extent, axes[k].Stride, stride, k, axes[k].Copies is { } copies ? [copies] : null) { IsFixed = true };
            _unfolds |= axes[k].Copies?.Sum(static run => run.Count) < axes[k].Extent;
        }
        Count = axes.IsEmpty ? 1 : _levels[0].Extent * _levels[0].Packed;
    }

    /// <summary>Values that the loops go through.</summary>
    public int Count { get; }

    public void Gather<T>(ReadOnlySpan<T> term, int offset, Span<T> packed)
        where T : unmanaged, INumberBase<T>
    {
        if (_unfolds)
            packed.Clear();
        Gather(0, term, offset, packed, 0, stackalloc int[_levels.Length]);
    }

    public void AddTo<T>(Span<T> term, int offset, ReadOnlySpan<T> packed)
        where T : unmanaged, INumberBase<T> => AddTo(0, term, offset, packed, 0, stackalloc int[_levels.Length]);

    /// <param name="Extent">Iterations.</param>
    /// <param name="Own">Distance in the term; 0 for the first of two loops that decide an entry.</param>
    /// <param name="Packed">Distance in the packed values.</param>
    /// <param name="Still">The level of the first of two loops, at the second.</param>
    /// <param name="Runs">What the second does for each iteration of the first.</param>
    private sealed record Level(int Extent, int Own, int Packed, int Still, StridedRun[][]? Runs)
    {
        private readonly StridedRun[] _all = [new(0, 1, 0, 1, Extent)];

        /// <summary>Whether the runs are the same for every iteration of other levels.</summary>
        public bool IsFixed { get; init; }

        public StridedRun[] At(ReadOnlySpan<int> index) => Runs is null ? _all : Runs[IsFixed ? 0 : index[Still]];
    }

    private static int Find(ReadOnlySpan<AxisLoop> loops, int axis, int place)
    {
        int k = loops.Length - 1;
        while (k >= 0 && (loops[k].Axis != axis || loops[k].Place != place))
            k--;
        return k;
    }

    private void Gather<T>(int depth, ReadOnlySpan<T> term, int s, Span<T> packed, int p, Span<int> index)
        where T : unmanaged, INumberBase<T>
    {
        if (depth == _levels.Length)
        {
            packed[p] = term[s];
            return;
        }
        Level level = _levels[depth];
        foreach (StridedRun run in level.At(index))
        {
            int from = s + run.Derived * level.Own,
                to = p + run.Other * level.Packed,
                fromStep = run.DerivedStep * level.Own,
                toStep = run.OtherStep * level.Packed;
            if (depth < _levels.Length - 1)
            {
                for (int i = 0; i < run.Count; i++, from += fromStep, to += toStep)
                {
                    index[depth] = run.Other + i * run.OtherStep;
                    Gather(depth + 1, term, from, packed, to, index);
                }
            }
            else if (fromStep == 1 && toStep == 1)
                term.Slice(from, run.Count).CopyTo(packed[to..]);
            else
                for (int i = 0; i < run.Count; i++, from += fromStep, to += toStep)
                    packed[to] = term[from];
        }
    }

    private void AddTo<T>(int depth, Span<T> term, int s, ReadOnlySpan<T> packed, int p, Span<int> index)
        where T : unmanaged, INumberBase<T>
    {
        if (depth == _levels.Length)
        {
            term[s] += packed[p];
            return;
        }
        Level level = _levels[depth];
        foreach (StridedRun run in level.At(index))
        {
            int to = s + run.Derived * level.Own,
                from = p + run.Other * level.Packed,
                toStep = run.DerivedStep * level.Own,
                fromStep = run.OtherStep * level.Packed;
            if (depth < _levels.Length - 1)
            {
                for (int i = 0; i < run.Count; i++, from += fromStep, to += toStep)
                {
                    index[depth] = run.Other + i * run.OtherStep;
                    AddTo(depth + 1, term, to, packed, from, index);
                }
            }
            else if (fromStep == 1 && toStep == 1)
            {
                Span<T> sums = term.Slice(to, run.Count);
                TensorPrimitives.Add(sums, packed.Slice(from, run.Count), sums);
            }
            else
                for (int i = 0; i < run.Count; i++, from += fromStep, to += toStep)
                    term[to] += packed[from];
        }
    }
}
