using System.Numerics;
using Tensorial.Training.Distributed;

namespace Tensorial.Tests.Training.Distributed;

/// <summary>
/// Ranks that are threads of one process: the same interface as over MPI, the same order of sums. Operations that ranks begin in different order
/// or with different lengths are found, and so is who reads a buffer before it has waited: it holds no numbers until then.
/// </summary>
internal sealed class ThreadRanks(int size)
{
    private readonly CancellationTokenSource _failed = new();
    private readonly List<Context> _contexts = [];

    /// <summary>The exit code of the rank that ended all; null where none has.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>Collective operations that were begun, of all communicators.</summary>
    public int Rounds => _contexts.Sum(static context => context.Rounds.Count);

    /// <summary>Does work on each rank; what one throws ends all and is thrown.</summary>
    public static T[] Run<T>(int size, Func<ICommunicator, T> work, ThreadRanks? ranks = null)
    {
        ranks ??= new(size);
        T[] results = new T[size];
        Exception? first = null;
        Thread[] threads =
        [
            .. Enumerable
                .Range(0, size)
                .Select(rank => new Thread(() =>
                {
                    ICommunicator own = new Rank(ranks, 0, rank);
                    try
                    {
                        results[rank] = work(own);
                    }
                    catch (Exception error)
                    {
                        Interlocked.CompareExchange(ref first, error, null);
                        own.Abort(1);
                    }
                })),
        ];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        return first is null ? results : throw new AggregateException(first);
    }

    private Context At(int id)
    {
        lock (_contexts)
        {
            while (_contexts.Count <= id)
                _contexts.Add(new());
            return _contexts[id];
        }
    }

    private sealed class Context
    {
        public List<Round> Rounds { get; } = [];

        public int Duplicates { get; set; }
    }

    private sealed class Round(int size, string kind)
    {
        public string Kind { get; } = kind;

        public object?[] Parts { get; } = new object?[size];

        public int Arrived { get; set; }

        public object? Result { get; set; }

        public ManualResetEventSlim Done { get; } = new();
    }

    private sealed class Rank(ThreadRanks all, int context, int rank) : ICommunicator
    {
        private readonly Context _context = all.At(context);
        private readonly int _size = all.Size;
        private int _next,
            _duplicates;

        int ICommunicator.Rank => rank;

        public int Size => _size;

        public ICollective BeginSum(Memory<float> values) => BeginSum<float>(values, float.NaN);

        public ICollective BeginSum(Memory<double> values) => BeginSum<double>(values, double.NaN);

        public ICollective BeginBroadcast(Memory<byte> values, int root) =>
            Begin(
                $"broadcast {values.Length} from {root}",
                values.ToArray(),
                parts => parts[root]!,
                result => ((byte[])result).CopyTo(values)
            );

        public void Barrier(CancellationToken cancel = default) => Begin("barrier", null, static _ => "", static _ => { }).Wait(cancel);

        public ICommunicator Duplicate() => new Rank(all, 100 * (context + 1) + ++_duplicates, rank);

        public void Abort(int exitCode)
        {
            lock (all)
                all.ExitCode ??= exitCode;
            all._failed.Cancel();
        }

        private ICollective BeginSum<T>(Memory<T> values, T none)
            where T : struct, INumber<T>
        {
            T[] own = values.ToArray();
            values.Span.Fill(none);
            return Begin(
                $"sum of {own.Length} {typeof(T).Name}",
                own,
                static parts => parts.Cast<T[]>().Aggregate(static (sum, part) => [.. sum.Zip(part, static (a, b) => a + b)]),
                result => ((T[])result).CopyTo(values)
            );
        }

        private ICollective Begin(string kind, object? own, Func<object?[], object> join, Action<object> take)
        {
            Round round;
            lock (_context)
            {
                int index = _next++;
                if (index == _context.Rounds.Count)
                    _context.Rounds.Add(new(_size, kind));
                round = _context.Rounds[index];
                if (round.Kind != kind)
                    throw new InvalidOperationException($"Rank {rank} begins a {kind} where others begin a {round.Kind}.");
                round.Parts[rank] = own;
                if (++round.Arrived == _size)
                {
                    round.Result = join(round.Parts);
                    round.Done.Set();
                }
            }
            return new Pending(all, round, take);
        }
    }

    private int Size { get; } = size;

    private sealed class Pending(ThreadRanks all, Round round, Action<object> take) : ICollective
    {
        public void Wait(CancellationToken cancel = default)
        {
            int which = WaitHandle.WaitAny([round.Done.WaitHandle, all._failed.Token.WaitHandle, cancel.WaitHandle]);
            cancel.ThrowIfCancellationRequested();
            if (which != 0)
                throw new CommunicationException("Another rank has ended.");
            take(round.Result!);
        }
    }
}
