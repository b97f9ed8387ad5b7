using System.Runtime.ExceptionServices;

namespace Tensorial.Kernels;

/// <summary>
/// A fixed set of threads that share out loops. Between loops they spin for some tens of microseconds before they sleep: a small
/// network at batch 1 has a loop every ten, less than waking a thread takes.
/// A loop inside a loop, or from a second thread at the same time, runs on the thread that asks for it.
/// </summary>
public sealed class ThreadWorkers : Workers, IDisposable
{
    /// <summary>Rounds of <see cref="SpinRound"/> before a thread goes to sleep; together about 50 µs.</summary>
    private const int SpinRounds = 400;

    private const int SpinRound = 20;

    [ThreadStatic]
    private static bool _isInside;

    private readonly Lock _door = new();
    private readonly SemaphoreSlim _wake = new(0);
    private Job? _job;
    private int _sleepers;
    private volatile bool _stopped;

    /// <summary>Starts <paramref name="count"/> - 1 threads; the caller of a loop is the last.</summary>
    public ThreadWorkers(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        for (int i = 1; i < count; i++) new Thread(Serve) { IsBackground = true, Name = $"tensorial worker {i}" }.Start();
    }

    public override int Count { get; }

    public override void For(int count, Action<int> body)
    {
        if (count <= 1 || Count == 1 || _isInside || !_door.TryEnter())
        {
            for (int index = 0; index < count; index++) body(index);
            return;
        }
        try
        {
            Job job = new(count, body);
            Interlocked.Exchange(ref _job, job);
            if (Volatile.Read(ref _sleepers) is > 0 and int asleep) _wake.Release(Math.Min(asleep, count - 1));
            Work(job);
            SpinWait wait = default;
            while (!job.IsFinished) wait.SpinOnce(sleep1Threshold: -1);
            Volatile.Write(ref _job, null);
            job.Rethrow();
        }
        finally
        {
            _door.Exit();
        }
    }

    /// <summary>Lets the threads end.</summary>
    public void Dispose()
    {
        _stopped = true;
        _wake.Release(Count);
    }

    private void Serve()
    {
        Job? last = null;
        int rounds = 0;
        while (!_stopped)
        {
            if (Volatile.Read(ref _job) is { } job && job != last)
            {
                last = job;
                Work(job);
                rounds = 0;
            }
            else if (++rounds < SpinRounds)
            {
                Thread.SpinWait(SpinRound);
            }
            else
            {
                // First be counted as asleep, then look once more: a loop begun in between sees the sleeper or is seen.
                Interlocked.Increment(ref _sleepers);
                if (Volatile.Read(ref _job) is not { } begun || begun == last) _wake.Wait();
                Interlocked.Decrement(ref _sleepers);
                rounds = 0;
            }
        }
    }

    private static void Work(Job job)
    {
        _isInside = true;
        job.Work();
        _isInside = false;
    }

    /// <summary>One loop: indices are handed out one by one, and it is finished when each has been run.</summary>
    private sealed class Job(int count, Action<int> body)
    {
        private int _next = -1;
        private int _done;
        private ExceptionDispatchInfo? _failure;

        public bool IsFinished => Volatile.Read(ref _done) >= count;

        public void Work()
        {
            for (int index; (index = Interlocked.Increment(ref _next)) < count; Interlocked.Increment(ref _done))
            {
                if (_failure is not null) continue;
                try
                {
                    body(index);
                }
                catch (Exception error)
                {
                    _failure ??= ExceptionDispatchInfo.Capture(error);
                }
            }
        }

        public void Rethrow() => _failure?.Throw();
    }
}
