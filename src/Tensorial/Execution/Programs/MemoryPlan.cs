using Tensorial.Kernels.Blocked;

namespace Tensorial.Execution;

/// <summary>Gives values of overlapping lifetimes disjoint places in one arena, and reuses places that have come free.</summary>
internal static class MemoryPlan
{
    /// <summary>Places are multiples of 16 floats: a cache line, and the widest vector.</summary>
    private const int Alignment = 16;

    /// <summary>Values that are held against each other; among more, each is given the first place that has come free.</summary>
    private const int MostCompared = 1 << 14;

    /// <summary>Floats of the largest arena: one array, less room to begin on a cache line.</summary>
    private const int LargestArena = BlockedLayout.LargestLength;

    /// <summary>
    /// Assigns an offset to every value in the arena. Greedy by size: the largest first, each at the lowest offset free during
    /// its whole life; on networks this comes within a few percent of the largest sum of values alive at once.
    /// </summary>
    /// <returns>Floats the arena needs.</returns>
    public static int Assign(IEnumerable<Value> values)
    {
        Value[] open = [.. values.Where(static v => v.IsInArena).OrderByDescending(static v => v.Length).ThenBy(static v => v.First)];
        if (open.Length > MostCompared)
            return InTurn(open);
        LifetimeIndex placed = new(open.Length == 0 ? 0 : open.Max(static v => Math.Max(v.First, v.Last)) + 1);
        int size = 0;
        foreach (Value value in open)
        {
            long offset = 0;
            foreach (Value other in placed.During(value).OrderBy(static p => p.Offset))
            {
                if (offset + value.Length <= other.Offset)
                    break;
                offset = Math.Max(offset, RoundUp((long)other.Offset + other.Length));
            }
            Place(value, offset, ref size);
            placed.Add(value);
        }
        return size;
    }

    /// <summary>
    /// The same in the order in which values are made, each at the smallest place that is free and large enough: n log n for n values,
    /// however many of them live at once.
    /// </summary>
    private static int InTurn(Value[] values)
    {
        FreePlaces free = new();
        PriorityQueue<Value, int> alive = new();
        int size = 0;
        foreach (Value value in values.OrderBy(static v => v.First).ThenByDescending(static v => v.Length))
        {
            while (alive.TryPeek(out Value? gone, out int last) && last < value.First)
            {
                free.Return(gone.Offset, RoundUp(gone.Length));
                alive.Dequeue();
            }
            long length = RoundUp(value.Length);
            Place(value, free.Take(length) ?? size, ref size);
            alive.Enqueue(value, value.Last);
        }
        return size;
    }

    private static void Place(Value value, long offset, ref int size)
    {
        long end = offset + RoundUp(value.Length);
        if (end > LargestArena)
            throw new ShapeException(
                $"the values alive together with '{value.Name}' of {value.Shape} take {end:N0} floats, more than the {LargestArena:N0} "
                    + "that one evaluation may hold; use fewer images at a time, or smaller ones."
            );
        value.Offset = (int)offset;
        size = Math.Max(size, (int)end);
    }

    private static long RoundUp(long length) => (length + Alignment - 1) & -Alignment;
}
