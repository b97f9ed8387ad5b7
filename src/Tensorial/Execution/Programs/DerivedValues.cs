using System.Buffers;

namespace Tensorial.Execution;

/// <summary>
/// Values that follow from others and are computed again when they are asked for after the garbage collector has taken them. A tensor over
/// them keeps its identity, by which packed kernels are found, without keeping the weights in memory a second time.
/// </summary>
/// <param name="count">How many.</param>
/// <param name="make">Computes them.</param>
internal sealed class DerivedValues(int count, Func<float[]> make) : MemoryManager<float>
{
    private readonly WeakReference<float[]> _values = new([]);

    public override Memory<float> Memory => CreateMemory(count);

    public override Span<float> GetSpan()
    {
        lock (_values)
        {
            if (_values.TryGetTarget(out float[]? known) && known.Length == count)
                return known;
            float[] made = make();
            _values.SetTarget(made);
            return made;
        }
    }

    public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException("Derived values are not pinned.");

    public override void Unpin() { }

    protected override void Dispose(bool disposing) { }
}
