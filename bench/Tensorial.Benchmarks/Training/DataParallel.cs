using System.Diagnostics;
using System.Globalization;
using Tensorial.Mpi;
using Tensorial.Training.Distributed;

namespace Tensorial.Benchmarks.Training;

/// <summary>Steps that several ranks share, measured, predicted, and projected to more nodes than there are.</summary>
internal static class DataParallel
{
    private const int Batch = 128,
        Steps = 15;

    /// <summary>
    /// Under mpirun: what a step of all ranks takes, and what <see cref="NetworkModel"/> predicts from steps without exchange and from messages alone.
    /// Without: a step of one process.
    /// </summary>
    public static void Run(string model, int threads)
    {
        using MpiCommunicator? ranks = MpiCommunicator.Join();
        int size = ranks?.Size ?? 1;
        BatchShare share = BatchShare.Of(ranks, Batch);
        TimedSteps run = new(model, share.Count, threads, ranks);
        double[] seconds;
        using (run.Network)
        {
            for (int warm = 0; warm < 4; warm++)
                run.Step();
            run.Barrier();
            seconds = new double[Steps];
            for (int step = 0; step < Steps; step++)
            {
                long start = Stopwatch.GetTimestamp();
                run.Step();
                seconds[step] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        }
        double median = StepTimes.Median(seconds);
        Say(
            ranks,
            Text($"{model}, batch {Batch}, {size} ranks of {threads} threads: {1e3 * median:F1} ms a step, {Batch / median:F0} images/s")
        );
        if (ranks is null)
            return;
        NetworkModel network = MeasureMessages(ranks);
        // All ranks at once, as in the steps above: they share the machine's memory.
        ranks.Barrier();
        StepTimes alone = StepTimes.Measure(model, share.Count, threads);
        double slowest = SlowestOf(ranks, alone.Each),
            predicted = slowest - alone.Seconds + network.Step(alone, size, out double hidden);
        Say(
            ranks,
            Text(
                $"  without exchange {1e3 * alone.Seconds:F1} ms, the slowest rank {1e3 * slowest:F1} ms; messages {1e6 * network.Latency:F0} us and {network.Bandwidth / 1e9:F2} GB/s; predicted {1e3 * predicted:F1} ms ({100 * (predicted / median - 1):+0.0;-0.0} %), {100 * hidden:F0} % of the exchange behind the backward pass"
            )
        );
    }

    /// <summary>Projects to 8, 64 and 512 nodes at 10 and 100 Gbit/s, each a rank with the cores of this machine.</summary>
    public static void Project(string model, int threads)
    {
        const double Adding = 4e9;
        (string Name, NetworkModel Network)[] networks =
        [
            // Latencies of a message between processes: TCP over Ethernet, InfiniBand or RoCE.
            ("10 Gbit/s, 20 us", new(20e-6, 10e9 / 8, Adding)),
            ("100 Gbit/s, 2 us", new(2e-6, 100e9 / 8, Adding)),
        ];
        Console.WriteLine(
            $"{model}, {threads} threads a node; images/s of all nodes (times one node); part of the exchange that is hidden"
        );
        foreach (int images in (int[])[128, 32, 8])
        {
            StepTimes alone = StepTimes.Measure(model, images, threads);
            double one = images / alone.Seconds;
            Console.WriteLine(
                Text(
                    $"  {images} images a node: {1e3 * alone.Seconds:F1} ms a step alone (forward {1e3 * alone.Forward:F1}, backward {1e3 * alone.Backward:F1}, update {1e3 * alone.Update:F1}), {one:F0} images/s, {alone.Buckets.Length} buckets of {alone.Buckets.Sum(static b => b.Bytes) / 1e6:F2} MB"
                )
            );
            foreach ((string name, NetworkModel network) in networks)
            foreach (int nodes in (int[])[8, 64, 512])
            {
                double speed = nodes * images / network.Step(alone, nodes, out double hidden);
                Console.WriteLine(
                    Text(
                        $"    {nodes, 4} nodes at {name}: {speed, 9:F0} images/s ({speed / one, 6:F1} times), {100 * hidden, 3:F0} % hidden"
                    )
                );
            }
        }
    }

    /// <summary>The median of steps that take as long as the rank that takes longest: what else a machine does holds up one or another.</summary>
    private static double SlowestOf(MpiCommunicator ranks, double[] own)
    {
        double[] all = new double[ranks.Size * own.Length];
        own.CopyTo(all, ranks.Rank * own.Length);
        ranks.BeginSum(all).Wait();
        return StepTimes.Median(
            Enumerable.Range(0, own.Length).Select(step => Enumerable.Range(0, ranks.Size).Max(rank => all[rank * own.Length + step]))
        );
    }

    /// <summary>Latency and bandwidth of messages, from all-reduces of two sizes, as two ranks or more make them.</summary>
    private static NetworkModel MeasureMessages(MpiCommunicator ranks)
    {
        const double Adding = 4e9;
        double small = TimeOf(2048),
            large = TimeOf(1 << 18);
        double messages = 2.0 * (ranks.Size - 1),
            moved = 4.0 * ((1 << 18) - 2048) * (ranks.Size - 1) / ranks.Size;
        return new(small / messages, 2 * moved / Math.Max(1e-9, large - small - moved / Adding), Adding);

        double TimeOf(int length)
        {
            float[] values = new float[length];
            double[] seconds = new double[41];
            for (int round = 0; round < seconds.Length; round++)
            {
                ranks.Barrier();
                long start = Stopwatch.GetTimestamp();
                ranks.BeginSum(values).Wait();
                seconds[round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
            // The least: what else the machine does comes on top.
            return seconds.Min();
        }
    }

    private static void Say(MpiCommunicator? ranks, string line)
    {
        if (ranks is null or { Rank: 0 })
            Console.WriteLine(line);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
