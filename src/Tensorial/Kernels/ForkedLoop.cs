using System.Runtime.ExceptionServices;

namespace Tensorial.Kernels;

/// <summary>One loop whose indices several threads claim, one at a time.</summary>
internal sealed class ForkedLoop(int count, Action<int> body)
{
    private Action<int>? _body = body;
    private ExceptionDispatchInfo? _failure;

    // Longs, since each thread claims one index beyond the last.
    private long _next;
    private int _active;
    private bool _joining;

    /// <summary>A loop with nothing left to do.</summary>
    public static ForkedLoop Finished { get; } = new(0, static _ => { });

    /// <summary>Runs the body for unclaimed indices until none is left. Threads may come late, or never.</summary>
    public void TakePart()
    {
        // Counted in before an index is claimed: once none is left and nobody is active, every body has returned.
        Interlocked.Increment(ref _active);
        try
        {
            for (long index = Claim(); index < count; index = Claim())
                _body!((int)index);
        }
        catch (Exception failure)
        {
            Interlocked.Exchange(ref _next, count);
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(failure), null);
        }
        if (Interlocked.Decrement(ref _active) == 0 && Volatile.Read(ref _joining))
        {
            lock (this)
                Monitor.PulseAll(this);
        }
    }

    /// <summary>Waits until every body has returned, and throws what the first failing one threw. The caller has taken part.</summary>
    public void Join()
    {
        Spin spin = new();
        while (Volatile.Read(ref _active) > 0 && spin.Once()) { }
        if (Volatile.Read(ref _active) > 0)
        {
            lock (this)
            {
                Volatile.Write(ref _joining, true);
                Interlocked.MemoryBarrier();
                while (Volatile.Read(ref _active) > 0)
                    Monitor.Wait(this);
            }
        }
        _body = null;
        _failure?.Throw();
    }

    private long Claim() => Interlocked.Increment(ref _next) - 1;
}
