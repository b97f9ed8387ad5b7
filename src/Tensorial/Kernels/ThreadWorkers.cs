namespace Tensorial.Kernels;

/// <summary>
/// A team of threads that stays alive between loops: a fork and a join cost about a microsecond while the team is busy, where
/// a loop on the thread pool costs several.
/// </summary>
/// <remarks>
/// The caller takes part. A loop inside the body of another runs on the thread that reached it, and so does a loop that is
/// started while another caller has the team: no call waits for threads. The first exception of a body ends the loop and is
/// thrown to the caller once every body has returned.
/// </remarks>
public sealed class ThreadWorkers : Workers, IDisposable
{
    [ThreadStatic]
    private static bool t_insideBody;

    private readonly Lock _team = new();
    private readonly object _bed = new();
    private readonly Thread[] _threads;
    private ForkedLoop _loop = ForkedLoop.Finished;
    private int _sleepers;
    private volatile bool _disposed;

    /// <summary>Starts <paramref name="count"/> - 1 background threads.</summary>
    /// <param name="count">Threads that take part in a loop, the caller included; at least 1.</param>
    public ThreadWorkers(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        _threads = new Thread[count - 1];
        for (int index = 0; index < _threads.Length; index++)
        {
            _threads[index] = new Thread(Work) { IsBackground = true, Name = $"Tensorial worker {index + 1}" };
            _threads[index].Start();
        }
    }

    /// <inheritdoc/>
    public override int Count { get; }

    /// <inheritdoc/>
    public override void For(int count, Action<int> body)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (count > 1 && Count > 1 && !t_insideBody && _team.TryEnter())
        {
            try
            {
                Fork(count, body);
            }
            finally
            {
                _team.Exit();
            }
            return;
        }
        for (int index = 0; index < count; index++)
            body(index);
    }

    /// <summary>Ends the threads. No loop may be running.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        lock (_bed)
            Monitor.PulseAll(_bed);
        foreach (Thread thread in _threads)
            thread.Join();
    }

    private void Fork(int count, Action<int> body)
    {
        ForkedLoop loop = new(count, body);
        // A full fence: either a worker about to block sees the loop, or we see it among the blocked ones.
        Interlocked.Exchange(ref _loop, loop);
        if (Volatile.Read(ref _sleepers) > 0)
            Wake(count - 1);
        TakePart(loop);
        loop.Join();
    }

    private void Wake(int wanted)
    {
        lock (_bed)
        {
            for (int woken = Math.Min(wanted, _sleepers); woken > 0; woken--)
                Monitor.Pulse(_bed);
        }
    }

    private void Work()
    {
        ForkedLoop seen = ForkedLoop.Finished;
        while (Await(ref seen))
            TakePart(seen);
    }

    /// <summary>Waits for a loop other than the one last seen; false when the pool is disposed.</summary>
    private bool Await(ref ForkedLoop seen)
    {
        Spin spin = new();
        while (Idle(seen) && spin.Once()) { }
        if (Idle(seen))
        {
            lock (_bed)
            {
                Interlocked.Increment(ref _sleepers);
                while (Idle(seen))
                    Monitor.Wait(_bed);
                _sleepers--;
            }
        }
        seen = Volatile.Read(ref _loop);
        return !_disposed;
    }

    private bool Idle(ForkedLoop seen) => Volatile.Read(ref _loop) == seen && !_disposed;

    private static void TakePart(ForkedLoop loop)
    {
        t_insideBody = true;
        loop.TakePart();
        t_insideBody = false;
    }
}
