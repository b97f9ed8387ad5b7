namespace Tensorial.Execution;

/// <summary>
/// Remembers what was computed from constants (folded weights, packed kernels) by the identity of the tensors it came from.
/// A network that differs from another in a few weights finds the rest ready. Only what the newest compilation touched is
/// kept, so a sweep over thousands of variants does not pile them up.
/// </summary>
internal sealed class Memo(Memo? former = null)
{
    private readonly Dictionary<Key, object> _own = [];
    private Memo? _former = former;

    /// <summary>What <paramref name="make"/> makes of these tensors for this purpose, made once.</summary>
    public T Of<T>(object purpose, Tensor?[] sources, Func<T> make)
        where T : class
    {
        Key key = new(purpose, sources);
        lock (_own)
        {
            if (_own.TryGetValue(key, out object? known))
                return (T)known;
            if (_former is { } before)
                lock (before._own)
                    if (before._own.TryGetValue(key, out known))
                        return (T)(_own[key] = known);
        }
        T made = make();
        lock (_own)
            _own[key] = made;
        return made;
    }

    /// <summary>Ends the time in which entries of the former memo are taken over.</summary>
    public void Settle() => _former = null;

    private readonly struct Key(object purpose, Tensor?[] sources) : IEquatable<Key>
    {
        private readonly object _purpose = purpose;
        private readonly Tensor?[] _sources = sources;

        public bool Equals(Key other) =>
            _purpose.Equals(other._purpose) && _sources.AsSpan().SequenceEqual(other._sources, ReferenceEqualityComparer.Instance);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode()
        {
            HashCode hash = default;
            hash.Add(_purpose);
            foreach (Tensor? source in _sources)
                hash.Add(source, ReferenceEqualityComparer.Instance);
            return hash.ToHashCode();
        }
    }
}
