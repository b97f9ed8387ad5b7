using System.Diagnostics;
using Tensorial.Training.Distributed;

namespace Tensorial.Mpi;

/// <summary>
/// The one thread that calls MPI, from its beginning to its end, and carries operations on while others compute. MPI's own waiting would keep a core
/// busy; here a look every millisecond does until somebody waits.
/// </summary>
internal sealed class MpiThread
{
    /// <summary>Time for which a wait is worth a core, and then one that nobody else wants.</summary>
    private static readonly TimeSpan Spinning = TimeSpan.FromMilliseconds(0.2),
        Eager = TimeSpan.FromMilliseconds(2);

    private readonly ManualResetEventSlim _signal = new(false, spinCount: 1);
    private readonly Thread _thread;
    private readonly TaskCompletionSource<(int Rank, int Size)> _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly List<MpiLane> _lanes = [];
    private MpiLane[] _all = [];
    private MpiLibrary? _library;
    private Exception? _failure;
    private volatile bool _isEnding;
    private int _waiting,
        _abort = -1;
    private long _hurried;
    private volatile bool _isAbandoned;

    /// <summary>Loads and begins MPI.</summary>
    /// <param name="load">Gives the library.</param>
    /// <exception cref="CommunicationException">It is not there, or does not begin.</exception>
    public MpiThread(Func<MpiLibrary> load)
    {
        _thread = new(() => Run(load)) { Name = "MPI", IsBackground = true };
        _thread.Start();
        (Rank, Size) = _begun.Task.GetAwaiter().GetResult();
    }

    public int Rank { get; }

    public int Size { get; }

    public string Version => _library!.Version;

    /// <summary>Operations over all ranks, in an order of their own.</summary>
    public MpiLane World => _all[0];

    /// <summary>Adds a communicator that has been made.</summary>
    public MpiLane Add(nint communicator)
    {
        MpiLane lane = new(_library!, communicator, Size);
        lock (_gate)
        {
            _lanes.Add(lane);
            _all = [.. _lanes];
        }
        return lane;
    }

    /// <summary>Begins an operation.</summary>
    public MpiOperation Begin(MpiLane lane, Func<MpiLane, IEnumerable<bool>> exchanges)
    {
        MpiOperation operation = new(this, exchanges);
        lane.Add(operation);
        // What comes behind a failure fails as well.
        if (Volatile.Read(ref _failure) is { } error)
            operation.Complete(error);
        _signal.Set();
        return operation;
    }

    /// <summary>Somebody waits, until what is returned is disposed.</summary>
    public IDisposable Hurry() => new Haste(this);

    /// <summary>Somebody has given up waiting: the ranks are no longer in step, and MPI cannot end as it should.</summary>
    public void Abandon() => _isAbandoned = true;

    /// <summary>Ends MPI, once all operations are done, and the thread.</summary>
    public void End()
    {
        _isEnding = true;
        _signal.Set();
        _thread.Join();
    }

    /// <summary>Ends all ranks.</summary>
    public void Abort(int exitCode)
    {
        Volatile.Write(ref _abort, exitCode);
        _signal.Set();
        _thread.Join();
    }

    private void Run(Func<MpiLibrary> load)
    {
        try
        {
            _library = load();
            (int Rank, int Size) place = _library.Initialize();
            lock (_gate)
            {
                _lanes.Add(new(_library, _library.World, place.Size));
                _all = [.. _lanes];
            }
            _begun.SetResult(place);
        }
        catch (Exception error)
        {
            _begun.SetException(error);
            return;
        }
        try
        {
            Serve();
            if (_abort < 0 && !_isAbandoned)
                _library.Finish();
        }
        catch (Exception error)
        {
            Volatile.Write(ref _failure, error);
            foreach (MpiLane lane in _all)
                lane.Fail(error);
            // The other ranks wait for this one; whoever began the operation will end them.
            while (_abort < 0 && !_isEnding)
            {
                _signal.Wait(1);
                _signal.Reset();
            }
        }
        if (_abort >= 0)
            _library.Abort(_abort);
    }

    private void Serve()
    {
        long began = Stopwatch.GetTimestamp();
        while (_abort < 0)
        {
            _signal.Reset();
            bool hasMoved = false,
                isBusy = false;
            foreach (MpiLane lane in _all)
            {
                hasMoved |= lane.Advance();
                isBusy |= lane.IsBusy;
            }
            if (hasMoved)
                began = Stopwatch.GetTimestamp();
            else if (_isEnding && (!isBusy || _isAbandoned))
                return;
            else if (!isBusy)
                _signal.Wait();
            else
                Pause(Stopwatch.GetElapsedTime(Math.Max(began, Volatile.Read(ref _hurried))));
        }
    }

    /// <summary>Lets time pass before the next look at what is under way.</summary>
    /// <param name="waited">Time since something happened, or somebody began to wait.</param>
    private void Pause(TimeSpan waited)
    {
        if (Volatile.Read(ref _waiting) == 0 || waited >= Eager)
            _signal.Wait(1);
        else if (waited < Spinning)
            Thread.SpinWait(20);
        else
            Thread.Yield();
    }

    private sealed class Haste : IDisposable
    {
        private readonly MpiThread _thread;

        public Haste(MpiThread thread)
        {
            _thread = thread;
            Volatile.Write(ref thread._hurried, Stopwatch.GetTimestamp());
            Interlocked.Increment(ref thread._waiting);
            thread._signal.Set();
        }

        public void Dispose() => Interlocked.Decrement(ref _thread._waiting);
    }
}
