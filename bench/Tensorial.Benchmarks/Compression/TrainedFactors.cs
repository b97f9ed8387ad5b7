using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Tensorial.Compression;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Benchmarks.Compression;

/// <summary>
/// The training step of layers in factors over the dense layer's; PyTorch's time for the same operators, and TensorLy-Torch's for its own
/// layers of the same ranks, over ours. Three equal layers in a row, so that most of them pass a gradient on.
/// </summary>
internal static class TrainedFactors
{
    private const int Images = 128,
        Rounds = 7;

    private static readonly (int Channels, int Extent)[] Layers = [(64, 8), (32, 16), (16, 32)];

    /// <summary>Formats that TensorLy-Torch has too, with the same factors.</summary>
    private static readonly string[] Shared = ["cp", "tucker2", "tt"];

    private static readonly double[] Rates = [0.05, 0.1, 0.2, 0.5];

    /// <summary>Times formats on one thread.</summary>
    public static void Run(ImmutableArray<string> formats)
    {
        using Peer? peer = Peer.Start("/usr/bin/python3", "chain.py", "1");
        using Peer? rival = Peer.Start("/usr/bin/python3", "tltorch_layers.py", "1");
        Console.WriteLine(
            "step over the dense step (forward over forward, * kernel made once a step); PyTorch's step over ours, same operators; TensorLy-Torch's over ours, same ranks"
        );
        foreach ((int channels, int extent) in Layers)
        {
            Graph dense = Dense(channels, extent);
            using Timed usual = new(dense, channels, extent, peer);
            usual.Measure(usual, null);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{channels} -> {channels}, 3x3, {extent}x{extent}: dense step {usual.Step * 1e3:F1} ms, forward {usual.Forward * 1e3:F1} ms; PyTorch's over it {usual.PeerStep / usual.Step:F2}"
                )
            );
            foreach (string format in formats)
                Console.WriteLine(
                    $"  {format, -10}{string.Concat(Rates.Select(rate => Cell(dense, KernelFormat.Parse(format), rate, channels, extent, usual, peer, rival)))}"
                );
        }
    }

    private static string Cell(
        Graph dense,
        KernelFormat format,
        double rate,
        int channels,
        int extent,
        Timed usual,
        Peer? peer,
        Peer? rival
    )
    {
        ImmutableArray<CompressionCandidate> chosen = Tensorization.Choose(CompressibleLayer.Of(dense).Layers, format, rate, Images);
        if (chosen.Any(static candidate => candidate.Form is null))
            return $"   {rate, 4}: -";
        using Timed factors = new(Tensorization.InitializeFactorized(dense, chosen, seed: 0), channels, extent, peer);
        LayerForm form = chosen[0].Form!;
        factors.Measure(usual, rival is not null && Shared.Contains(format.Name) ? Asked(rival, form, channels, extent) : null);
        string whole = form.Order.IsWhole ? "*" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"   {rate, 4}: {factors.Step / factors.UsualStep:F2} ({factors.Forward / factors.UsualForward:F2}){whole} {Over(factors.PeerStep)} {Over(factors.RivalStep)}"
        );

        string Over(double seconds) => double.IsNaN(seconds) ? "-" : (seconds / factors.Step).ToString("F1", CultureInfo.InvariantCulture);
    }

    /// <summary>TensorLy-Torch with these layers set up; it picks its fastest implementation.</summary>
    private static Peer Asked(Peer rival, LayerForm form, int channels, int extent)
    {
        rival.Answer(
            JsonSerializer.Serialize(
                new
                {
                    format = form.Format.Name,
                    ranks = form.Ranks.ToArray(),
                    channels,
                    extent,
                    images = Images,
                }
            )
        );
        return rival;
    }

    private static Graph Dense(int channels, int extent)
    {
        NetworkBuilder net = new("layers", [channels, extent, extent], seed: 0);
        Features x = net.Input;
        for (int layer = 1; layer <= 3; layer++)
            x = net.Convolution($"conv{layer}", x, channels, 3, padding: 1);
        return net.ToGraph(net.GlobalAverage("pool", x));
    }

    private sealed class Timed(Graph graph, int channels, int extent, Peer? peer) : IDisposable
    {
        private readonly TrainedNetwork _network = new(graph, threads: 1);
        private readonly Tensor<float> _images = Random([Images, channels, extent, extent]);

        public double Forward { get; private set; }

        public double Step { get; private set; }

        public double UsualForward { get; private set; }

        public double UsualStep { get; private set; }

        public double PeerStep { get; private set; }

        public double RivalStep { get; private set; }

        /// <summary>Medians of own, dense and the peers' times, taken in turn.</summary>
        public void Measure(Timed usual, Peer? rival)
        {
            peer?.Answer(Described());
            for (int warm = 0; warm < 30; warm++)
                Once();
            (double[] forward, double[] step, double[] usualForward, double[] usualStep, double[] other, double[] theirs) = (
                new double[Rounds],
                new double[Rounds],
                new double[Rounds],
                new double[Rounds],
                new double[Rounds],
                new double[Rounds]
            );
            for (int round = 0; round < Rounds; round++)
            {
                (forward[round], step[round]) = Once();
                (usualForward[round], usualStep[round]) = usual.Once();
                other[round] = peer?.Answer("step 1") ?? double.NaN;
                theirs[round] = rival?.Answer("step 1") ?? double.NaN;
            }
            (Forward, Step, UsualForward, UsualStep) = (Median(forward), Median(step), Median(usualForward), Median(usualStep));
            (PeerStep, RivalStep) = (Median(other), Median(theirs));
        }

        public void Dispose() => _network.Dispose();

        private (double Forward, double Step) Once()
        {
            long start = Stopwatch.GetTimestamp();
            Tensor<float> y = _network.Forward(_images);
            double forward = Stopwatch.GetElapsedTime(start).TotalSeconds;
            _network.Backward(y.Clone());
            return (forward, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        /// <summary>The network but for its pooling, as the peer reads it.</summary>
        private string Described()
        {
            Node[] nodes = [.. graph.Nodes.TakeWhile(static node => node.Operation is not (ReduceMean or GlobalAveragePool))];
            HashSet<string> read = [.. nodes.SelectMany(static node => node.Inputs)];
            return JsonSerializer.Serialize(
                new
                {
                    images = (int[])[Images, channels, extent, extent],
                    input = graph.Inputs[0].Name,
                    output = nodes[^1].Outputs[0],
                    weights = graph
                        .Initializers.Where(c => c.Value is Tensor<float> && read.Contains(c.Key))
                        .ToDictionary(static c => c.Key, static c => c.Value.Shape.ToArray()),
                    nodes = nodes.Select(static node =>
                        new object[] { Kind(node.Operation), node.Inputs, node.Outputs[0], How(node.Operation) }
                    ),
                }
            );
        }

        private static string Kind(Operation operation) =>
            operation switch
            {
                Convolution => "conv",
                MatMul => "matmul",
                Mul => "mul",
                Reshape => "reshape",
                Transpose => "transpose",
                _ => throw new NotSupportedException($"The peer does not know {operation.Name}."),
            };

        private static object How(Operation operation) =>
            operation switch
            {
                Convolution c => new { padding = c.Pads.IsEmpty ? [0, 0] : c.Pads.Take(2).ToArray(), groups = c.Groups },
                Reshape r => r.Extents!.Value.ToArray(),
                Transpose t => t.Order.ToArray(),
                _ => 0,
            };

        private static double Median(double[] values)
        {
            Array.Sort(values);
            return values[values.Length / 2];
        }

        private static Tensor<float> Random(Shape shape)
        {
            Random random = new(0);
            Tensor<float> values = new(shape);
            foreach (ref float value in values.Values)
                value = random.NextSingle() - 0.5f;
            return values;
        }
    }
}
