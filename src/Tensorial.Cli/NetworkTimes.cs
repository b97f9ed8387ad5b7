using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;

namespace Tensorial.Cli;

/// <summary>How long two networks take, by turns.</summary>
internal static class NetworkTimes
{
    private const int ManyImages = 16;

    /// <summary>A network that takes longer for one image is not timed with many.</summary>
    private const double LongMs = 100;

    /// <summary>Multiply-accumulates of a network that takes so long that only a target makes it be timed: some dozens of runs.</summary>
    private const long MostMacs = 20_000_000_000;

    private const int PairsForTarget = 9,
        PairsForPeople = 5;

    /// <summary>
    /// A compressed network against the one it came from: as the target asks, and at batch 1 and 16 in every runtime at hand. A network whose
    /// batch is fixed, or that takes long for one image, is timed at batch 1 only, one that takes minutes not at all; a runtime that does not run
    /// it is left out.
    /// </summary>
    public static ImmutableArray<MeasuredLatency> Measure(
        CompressionOptionGroup plan,
        Graph after,
        Graph before,
        ImmutableArray<IRuntime> runtimes,
        Terminal terminal,
        CancellationToken cancel
    )
    {
        Graph written = after.WithDynamicDimensionsOf(before);
        var latencies = ImmutableArray.CreateBuilder<MeasuredLatency>();
        if (plan.Targets.Any(static target => target.Measure == TargetMeasure.Latency))
            foreach (IRuntime runtime in runtimes)
                Time(runtime, plan.LatencyBatch, PairsForTarget);
        if (GraphStatistics.From(before).Macs > MostMacs)
            return latencies.ToImmutable();
        return terminal.WithProgress(progress =>
        {
            (IRuntime, int)[] settings =
            [
                .. Runtimes.AtHand().SelectMany(static runtime => ((int[])[1, ManyImages]).Select(batch => (runtime, batch))),
            ];
            int done = 0;
            foreach ((IRuntime runtime, int batch) in settings)
            {
                progress.Report(new("time", done++, settings.Length, "settings"));
                bool isKnown = latencies.Any(known => known.Runtime == runtime.Name && known.Batch == batch);
                if (!isKnown && (batch == 1 || IsQuick(runtime)))
                    TryTime(runtime, batch);
            }
            return latencies.ToImmutable();
        });

        bool IsQuick(IRuntime runtime) =>
            latencies.LastOrDefault(known => known.Runtime == runtime.Name && known.Batch == 1) is { BeforeMs: < LongMs };

        void TryTime(IRuntime runtime, int batch)
        {
            try
            {
                Time(runtime, batch, PairsForPeople);
            }
            catch (BadInputException)
            {
                // Networks of other batches, or operators that this runtime does not have: nothing to say of it.
            }
        }

        void Time(IRuntime runtime, int batch, int pairs) =>
            latencies.Add(
                MeasuredLatency.From(
                    runtime.Name,
                    batch,
                    new LatencyProbe([runtime], batch, plan.Threads).Compare(before, written, pairs, cancel)[0]
                )
            );
    }

    /// <summary>Where the time for one image goes, in the runtimes in which both networks were timed.</summary>
    public static ImmutableArray<LayerTimes> ByLayer(
        Graph before,
        Graph after,
        ImmutableArray<MeasuredLatency> latencies,
        int threads,
        int seed,
        CancellationToken cancel
    ) =>
        [
            .. Runtimes
                .AtHand()
                .Where(runtime => latencies.Any(timed => timed.Runtime == runtime.Name))
                .Select(runtime => LayerTimes.Measure(before, after, runtime, threads, seed, cancel))
                .OfType<LayerTimes>(),
        ];
}
