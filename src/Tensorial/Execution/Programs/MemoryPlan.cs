namespace Tensorial.Execution;

/// <summary>Gives values of overlapping lifetimes disjoint places in one arena, and reuses places that have come free.</summary>
internal static class MemoryPlan
{
    /// <summary>Places are multiples of 16 floats: a cache line, and the widest vector.</summary>
    private const int Alignment = 16;

    /// <summary>
    /// Assigns an offset to every value in the arena. Greedy by size: the largest first, each at the lowest offset free during
    /// its whole life; on networks this comes within a few percent of the largest sum of values alive at once.
    /// </summary>
    /// <returns>Floats the arena needs.</returns>
    public static int Assign(IEnumerable<Value> values)
    {
        List<Value> placed = [];
        int size = 0;
        foreach (Value value in values.Where(static v => v.IsInArena).OrderByDescending(static v => v.Length).ThenBy(static v => v.First))
        {
            int offset = 0;
            foreach (Value other in placed.Where(p => p.First <= value.Last && value.First <= p.Last).OrderBy(static p => p.Offset))
            {
                if (offset + value.Length <= other.Offset)
                    break;
                offset = Math.Max(offset, RoundUp(other.Offset + other.Length));
            }
            value.Offset = offset;
            placed.Add(value);
            size = Math.Max(size, checked(offset + RoundUp(value.Length)));
        }
        return size;
    }

    private static int RoundUp(int length) => checked(length + Alignment - 1) & -Alignment;
}
