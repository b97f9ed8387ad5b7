using System.Diagnostics;
using System.IO.MemoryMappedFiles;

namespace Tensorial.Hostile;

/// <summary>What a number of inputs came to.</summary>
/// <param name="Inputs">Inputs tried.</param>
/// <param name="Accepted">Those that were used to the end; the others were refused in words.</param>
/// <param name="Faults">What ended in anything else, each kind once.</param>
/// <param name="Slowest">The round that took longest, and how long.</param>
internal sealed record Outcome(long Inputs, long Accepted, IReadOnlyList<string> Faults, (long Round, TimeSpan Time) Slowest);

/// <summary>
/// Tries inputs one after the other. A fault is what a stranger must not be able to do: an exception that is no refusal, more memory or more
/// time than any small input may take. A crash or an endless loop ends the process; the round it was at stands in a file.
/// </summary>
internal sealed class Runner(Target target, int seed)
{
    /// <summary>Bytes that one small input may make us allocate.</summary>
    private const long MostBytes = 1 << 30;

    /// <summary>Processor time, which a busy machine does not lengthen; and time on the clock, for what waits for ever.</summary>
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(20),
        MostWaiting = TimeSpan.FromMinutes(15);

    /// <summary>Kinds of faults after which a run stops.</summary>
    private const int MostFaults = 20;

    private readonly Dictionary<string, string> _faults = [];
    private string? _refusal;
    private long _round;
    private long _began,
        _watched;
    private TimeSpan _used;

    /// <summary>Where the round under way is noted down; null for nowhere.</summary>
    public string? Journal { get; init; }

    /// <param name="first">The first round.</param>
    /// <param name="inputs">How many inputs.</param>
    /// <param name="most">When to stop all the same.</param>
    public Outcome Run(long first, long inputs, TimeSpan most)
    {
        // A run that goes on tried them when it began.
        for (int i = 0; i < target.Good.Count && first == 0; i++)
            if (Try(target.Good[i], out bool isUsed) is var fault && (fault is not null || !(isUsed || target.IsStage)))
                _faults.TryAdd($"good {i}", $"good input {i}: {fault ?? $"refused: {_refusal}"}");
        // What is mapped is in the file also where the process crashes, and costs no call for each input.
        using MemoryMappedFile? file = Journal is null
            ? null
            : MemoryMappedFile.CreateFromFile(Journal, FileMode.Create, null, sizeof(long));
        using MemoryMappedViewAccessor? journal = file?.CreateViewAccessor();
        using Timer watch = new(_ => Watch(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        Stopwatch clock = Stopwatch.StartNew();
        long accepted = 0,
            done = 0;
        (long Round, TimeSpan Time) slowest = default;
        for (; done < inputs && clock.Elapsed < most && _faults.Count < MostFaults; done++)
        {
            _round = first + done;
            byte[] input = target.Input(seed, _round);
            journal?.Write(0, _round);
            Interlocked.Exchange(ref _began, Stopwatch.GetTimestamp());
            long before = GC.GetTotalAllocatedBytes();
            string? fault = Try(input, out bool isAccepted);
            if (fault is null && GC.GetTotalAllocatedBytes() - before is var bytes and > MostBytes)
                fault = $"allocates {bytes >> 20} MiB for an input of {input.Length} bytes";
            if (Stopwatch.GetElapsedTime(_began) is var time && time > slowest.Time)
                slowest = (_round, time);
            Interlocked.Exchange(ref _began, 0);
            accepted += isAccepted ? 1 : 0;
            if (fault is not null)
                _faults.TryAdd(KindOf(fault), $"seed {seed}, round {_round}: {fault}");
        }
        return new(done, accepted, [.. _faults.Values], slowest);
    }

    /// <summary>What is wrong with how an input is met; null where it is used or refused.</summary>
    public string? Try(byte[] input) => Try(input, out _);

    private string? Try(byte[] input, out bool isAccepted)
    {
        isAccepted = false;
        try
        {
            target.Use(input);
            isAccepted = true;
            return null;
        }
        catch (Exception refusal) when (IsRefusal(refusal))
        {
            _refusal = refusal.Message;
            return null;
        }
        catch (Exception other)
        {
            return $"{other.GetType().Name}: {other.Message}\n{other.StackTrace}";
        }
    }

    /// <summary>What has an exit code of its own (docs/tool.md). Running out of memory has one too, and is a fault for a small input.</summary>
    private static bool IsRefusal(Exception error) =>
        error is BadInputException or NumericalException or IOException
        || (error is AggregateException many && many.InnerExceptions.All(IsRefusal));

    /// <summary>The kind of a fault: exception and the first line of ours in its trace.</summary>
    private static string KindOf(string fault)
    {
        string[] lines = fault.Split('\n');
        return lines[0].Split(':')[0] + lines.FirstOrDefault(static line => line.Contains(" Tensorial.", StringComparison.Ordinal));
    }

    private void Watch()
    {
        long began = Interlocked.Read(ref _began);
        if (began == 0)
            return;
        if (began != _watched)
        {
            (_watched, _used) = (began, Environment.CpuUsage.TotalTime);
            return;
        }
        if (Environment.CpuUsage.TotalTime - _used < MostTime && Stopwatch.GetElapsedTime(began) < MostWaiting)
            return;
        Console.Error.WriteLine($"{target.Name}: seed {seed}, round {_round} takes longer than {MostTime.TotalSeconds} s.");
        Environment.FailFast($"{target.Name}: seed {seed}, round {_round}");
    }
}
