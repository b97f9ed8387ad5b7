namespace Tensorial.Execution;

/// <summary>Parts of an arena that nothing lies in, neighbours joined.</summary>
internal sealed class FreePlaces
{
    private readonly SortedSet<(long Length, long Start)> _bySize = [];

    /// <summary>Where a place ends by where it begins, and the other way round.</summary>
    private readonly Dictionary<long, long> _ends = [],
        _starts = [];

    /// <summary>Takes the beginning of the smallest place that is long enough; null where there is none.</summary>
    public long? Take(long length)
    {
        // The least of none is all zeros.
        (long found, long start) = _bySize.GetViewBetween((Math.Max(1, length), 0), (long.MaxValue, 0)).Min;
        if (found == 0)
            return null;
        Remove(start, start + found);
        Add(start + length, start + found);
        return start;
    }

    /// <summary>Gives a place back.</summary>
    public void Return(long start, long length)
    {
        long end = start + length;
        if (length > 0 && _starts.TryGetValue(start, out long before))
        {
            Remove(before, start);
            start = before;
        }
        if (length > 0 && _ends.TryGetValue(end, out long after))
        {
            Remove(end, after);
            end = after;
        }
        Add(start, end);
    }

    private void Add(long start, long end)
    {
        if (start == end)
            return;
        _bySize.Add((end - start, start));
        (_ends[start], _starts[end]) = (end, start);
    }

    private void Remove(long start, long end)
    {
        _bySize.Remove((end - start, start));
        _ends.Remove(start);
        _starts.Remove(end);
    }
}
