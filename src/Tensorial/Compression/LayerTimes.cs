using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Compression;

/// <summary>Where the time for one image goes in a network and in the one that was made of it, layer by layer, in one runtime.</summary>
/// <param name="Runtime">Name and version.</param>
/// <param name="Threads">Threads that it computed with.</param>
/// <param name="PeakMacs">Multiply-accumulates that these threads can do in a second, measured: the floor under a time is the
/// multiply-accumulates over it. A layer by Winograd's algorithm does fewer, and may go below.</param>
/// <param name="Layers">Every node that multiplies, in order; last all other steps, without a name.</param>
internal sealed record LayerTimes(string Runtime, int Threads, double PeakMacs, ImmutableArray<LayerTime> Layers)
{
    /// <summary>Seconds that the runs of one network may take in a turn.</summary>
    private static double SecondsOfRuns => 5 * PairedTiming.SecondsPerMeasurement;

    private const int Turns = 3,
        LeastRounds = 5,
        MostRounds = 200;

    /// <summary>Times both networks; null where the runtime does not run them, or does not tell its steps.</summary>
    /// <param name="before">The network.</param>
    /// <param name="after">What was made of it: its nodes are named after those that they stand for.</param>
    /// <param name="runtime">The runtime.</param>
    /// <param name="threads">Threads to compute with.</param>
    /// <param name="seed">Of the random image.</param>
    /// <param name="cancel">Ends it between runs.</param>
    public static LayerTimes? Measure(Graph before, Graph after, IRuntime runtime, int threads, int seed, CancellationToken cancel)
    {
        threads = threads > 0 ? threads : Environment.ProcessorCount;
        try
        {
            GraphStatistics dense = GraphStatistics.From(before),
                made = GraphStatistics.From(after);
            string[] names =
            [
                .. dense.Nodes.Where(static node => node.Macs > 0).Select(static node => node.Node.Label).Distinct(StringComparer.Ordinal),
            ];
            // By turns, the best of each step: the clock of a machine that others share changes within seconds.
            Dictionary<string, double> first = [],
                second = [];
            (int one, int other) rounds = (RoundsOf(before), RoundsOf(after));
            for (int turn = 0; turn < Turns; turn++)
            {
                Keep(first, Steps(before, rounds.one));
                Keep(second, Steps(after, rounds.other));
            }
            if (first.Count == 0 || second.Count == 0)
                return null;
            double peak = PeakRate.MacsPerSecond * threads;
            Dictionary<string, double> one = Sum(first.Select(static step => (step.Key, step.Value))),
                other = Sum(second.Select(static step => (step.Key, step.Value))),
                oneMacs = Sum(dense.Nodes.Select(static node => (node.Node.Label, (double)(node.Macs ?? 0)))),
                otherMacs = Sum(made.Nodes.Select(static node => (node.Node.Label, (double)(node.Macs ?? 0))));
            return new(
                runtime.Name,
                threads,
                peak,
                [
                    .. names
                        .Append("")
                        .Select(name => new LayerTime(
                            name,
                            (long)oneMacs.GetValueOrDefault(name),
                            (long)otherMacs.GetValueOrDefault(name),
                            1e3 * one.GetValueOrDefault(name),
                            1e3 * other.GetValueOrDefault(name),
                            1e3 * oneMacs.GetValueOrDefault(name) / peak,
                            1e3 * otherMacs.GetValueOrDefault(name) / peak
                        )),
                ]
            );

            Dictionary<string, double> Sum(IEnumerable<(string Name, double Value)> steps) =>
                steps
                    .GroupBy(step => LayerOf(step.Name, names), static step => step.Value)
                    .ToDictionary(static own => own.Key, static own => own.Sum());
        }
        catch (Exception error) when (error is BadInputException or UnsupportedException)
        {
            return null;
        }

        // Also what lets code settle, so that turns need not.
        int RoundsOf(Graph graph)
        {
            IReadOnlyDictionary<string, Tensor> inputs = RandomInputs.Create(graph, 1, seed);
            using ISession session = runtime.Load(graph, threads);
            double once = PairedTiming.Seconds(() => session.Run(inputs), measurements: 1);
            return (int)Math.Clamp(SecondsOfRuns / once, LeastRounds, MostRounds);
        }

        ImmutableArray<StepTime> Steps(Graph graph, int rounds) =>
            runtime.TimeSteps(graph, RandomInputs.Create(graph, 1, seed), threads, rounds, cancel);
    }

    /// <summary>The least time of each step so far; steps of one name, such as a layer's convolution and its addition, count together.</summary>
    private static void Keep(Dictionary<string, double> least, ImmutableArray<StepTime> steps)
    {
        foreach (IGrouping<string, StepTime> own in steps.GroupBy(static step => step.Name, StringComparer.Ordinal))
        {
            double seconds = own.Sum(static step => step.Seconds);
            least[own.Key] = Math.Min(seconds, least.GetValueOrDefault(own.Key, seconds));
        }
    }

    /// <summary>The layer that a step belongs to: the longest name that it begins with, whole; nothing where there is none.</summary>
    internal static string LayerOf(string step, IEnumerable<string> names) =>
        names
            .Where(name =>
                step.StartsWith(name, StringComparison.Ordinal) && (step.Length == name.Length || !char.IsLetterOrDigit(step[name.Length]))
            )
            .MaxBy(static name => name.Length)
        ?? "";
}

/// <summary>One layer: multiply-accumulates and milliseconds of one image.</summary>
/// <param name="Layer">Name of its node in the network as it was; empty for all other steps.</param>
/// <param name="MacsBefore">Multiply-accumulates as it was.</param>
/// <param name="MacsAfter">As it is.</param>
/// <param name="BeforeMs">Time of its steps as it was, those fused into it included.</param>
/// <param name="AfterMs">As it is.</param>
/// <param name="FloorBeforeMs">What its multiply-accumulates take at the peak of the processor.</param>
/// <param name="FloorAfterMs">The same as it is.</param>
internal sealed record LayerTime(
    string Layer,
    long MacsBefore,
    long MacsAfter,
    double BeforeMs,
    double AfterMs,
    double FloorBeforeMs,
    double FloorAfterMs
);
