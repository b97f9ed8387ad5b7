namespace Tensorial.Execution;

/// <summary>
/// Values by when they live, as a segment tree over the steps: those that live at some time during another's life are found in time
/// proportional to their number, to the length of that life and to the logarithm of the steps.
/// </summary>
internal sealed class LifetimeIndex
{
    private readonly int _leaves;

    /// <summary>Node k has the nodes 2k and 2k + 1 below it; a value lies in the fewest nodes that cover its life.</summary>
    private readonly List<Value>?[] _covering;

    private readonly List<Value>?[] _beginning;

    /// <param name="steps">The number of steps; lives begin at -1 at the earliest.</param>
    public LifetimeIndex(int steps)
    {
        _leaves = steps + 2;
        _covering = new List<Value>?[2 * _leaves];
        _beginning = new List<Value>?[_leaves];
    }

    public void Add(Value value)
    {
        (_beginning[value.First + 1] ??= []).Add(value);
        int low = value.First + 1 + _leaves,
            high = value.Last + 2 + _leaves;
        for (; low < high; low /= 2, high /= 2)
        {
            if (low % 2 == 1)
                (_covering[low++] ??= []).Add(value);
            if (high % 2 == 1)
                (_covering[--high] ??= []).Add(value);
        }
    }

    /// <summary>All that live at a time at which a value does: those alive when it begins, and those that begin later in its life.</summary>
    public IEnumerable<Value> During(Value value)
    {
        for (int node = value.First + 1 + _leaves; node > 0; node /= 2)
            foreach (Value alive in _covering[node] ?? [])
                yield return alive;
        for (int step = value.First + 2; step <= value.Last + 1; step++)
            foreach (Value begun in _beginning[step] ?? [])
                yield return begun;
    }
}
