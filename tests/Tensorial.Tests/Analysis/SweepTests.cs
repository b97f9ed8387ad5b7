using Tensorial.Analysis;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Tests.Data;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Analysis;

public class SweepTests
{
    private static readonly SweepOptions Few = new()
    {
        Ranks = [new RankRule.Rank(1), new RankRule.Fraction(0.5), new RankRule.Fraction(1)],
        Sequences = [CutStep.ParseSequence("o|ihw:50%,i|ohw:loss=0.3"), CutStep.ParseSequence("oi|hw:2,oh|iw:3")],
        Batch = 7,
    };

    private static AnalysisReport Whole { get; } = SmallNetwork.Analyzer(Few, images: SmallNetwork.Images).Run();

    /// <summary>Every point again, the long way: truncate, put the weights in, evaluate all nodes as they are defined.</summary>
    [Fact]
    public void Every_result_is_what_the_truncated_network_gives()
    {
        Assert.Equal(Whole.PlannedTruncations, Whole.Truncations.Count);
        AssertClose(SmallNetwork.Evaluate(SmallNetwork.Graph), Whole.Baseline!);
        foreach (TruncationResult result in Whole.Truncations)
        {
            Graph graph = SmallNetwork.Graph;
            foreach (TruncatedKernel kernel in result.Kernels)
            {
                KernelWeight weight = KernelWeights.From(SmallNetwork.Graph).Kernels.Single(k => k.Name == kernel.Layer);
                CutStep[] steps = [.. kernel.Cuts.Zip(kernel.Ranks, (cut, rank) => new CutStep(Cut.Parse(cut), new RankRule.Rank(rank)))];
                Kernel dense = Kernel.From(weight);
                graph = graph.With(kernel.Layer, dense.Store(Truncation.From(dense, steps, Workers.Serial).Values));
            }
            Evaluation expected = SmallNetwork.Evaluate(graph);
            AssertClose(expected, new(result.Samples, result.Top1, result.Top5, result.Loss));
        }
    }

    [Fact]
    public void The_points_asked_for_are_there()
    {
        string[] layers = ["first", "second", "point", "dense"];
        Assert.Equal(layers, Whole.Layers.Select(static layer => layer.Name));
        foreach (LayerAnalysis layer in Whole.Layers)
        {
            foreach (CutSpectrum cut in layer.Cuts)
            {
                int[] ranks =
                [
                    .. new[] { 1, Math.Max(1, (int)Math.Round(cut.MaxRank / 2.0, MidpointRounding.AwayFromZero)), cut.MaxRank }.Distinct(),
                ];
                TruncationResult[] results = [.. Whole.Truncations.Where(t => t.Layer == layer.Name && t.Cut == cut.Cut)];
                Assert.Equal(ranks, results.Select(static t => t.Rank!.Value));
                Assert.All(results, result => Assert.Equal(cut.NormLoss(result.Rank!.Value), result.NormLoss, 1e-12));
            }
        }
        // The dense layer takes no part, and the 1×1 kernel takes part in the cuts it has.
        TruncationResult[] all = [.. Whole.Truncations.Where(static t => t.Layer == SweepPlan.AllLayers)];
        Assert.Equal(7 * 3 + 2, all.Length);
        Assert.All(
            all.Where(static t => t.Cut == "o|ihw"),
            static t => Assert.Equal(["first", "second", "point"], t.Kernels.Select(static k => k.Layer))
        );
        Assert.Contains(Whole.Truncations, static t => t.Cut == "oi|hw,oh|iw" && t.Kernels.Any(static k => k.Crossing));
    }

    [Fact]
    public void Full_rank_is_the_baseline_to_the_bit() =>
        Assert.All(
            Whole.Truncations.Where(static t => t.Rule == "100%"),
            static t => Assert.Equal((Whole.Baseline!.Top1, Whole.Baseline.Loss, 0.0), (t.Top1, t.Loss, t.NormLoss))
        );

    [Theory]
    [InlineData(0)]
    [InlineData(20_000)]
    public void Memory_changes_no_result(long budget) =>
        AssertSame(Whole, SmallNetwork.Analyzer(Few with { ActivationBudget = budget }, images: SmallNetwork.Images).Run());

    [Fact]
    public void Shards_together_are_the_whole()
    {
        AnalysisReport[] shards =
        [
            .. Enumerable
                .Range(1, 3)
                .Select(static i => SmallNetwork.Analyzer(Few with { Shard = new(i, 3) }, images: SmallNetwork.Images).Run()),
        ];
        Assert.All(shards, static shard => Assert.InRange(shard.Truncations.Count, 1, Whole.PlannedTruncations - 1));
        Assert.Equal(Whole.PlannedTruncations, shards.Sum(static shard => shard.Truncations.Count));
        AssertSame(Whole, ReportMerge.Of([.. shards.Select((shard, i) => ($"shard {i}", shard))]));
    }

    [Fact]
    public void A_run_that_was_stopped_goes_on_and_a_finished_one_costs_nothing()
    {
        using TemporaryFolder folder = new();
        using CancellationTokenSource stop = new();
        StopAfter progress = new(9, stop);
        using (ResultStore store = ResultStore.Open(folder.Path))
            Assert.Throws<OperationCanceledException>(() =>
                SmallNetwork.Analyzer(Few, store, SmallNetwork.Images).Run(progress, stop.Token)
            );
        int stored = ResultStore.Read(folder.Path).Count(static line => line.Kind == StoredKind.Truncation);
        Assert.InRange(stored, 9, Whole.PlannedTruncations - 1);

        StopAfter rest = new(int.MaxValue, stop);
        using (ResultStore store = ResultStore.Open(folder.Path))
            AssertSame(Whole, SmallNetwork.Analyzer(Few, store, SmallNetwork.Images).Run(rest));
        Assert.InRange(rest.Points, 1, Whole.PlannedTruncations - 9);

        byte[] finished = File.ReadAllBytes(Path.Combine(folder.Path, "measurements.jsonl"));
        StopAfter nothing = new(int.MaxValue, stop);
        // With a network that cannot run, every result must come from the store.
        using (ResultStore store = ResultStore.Open(folder.Path))
            AssertSame(
                Whole,
                (SmallNetwork.Analyzer(Few, store, SmallNetwork.Images) with { Graph = SmallNetwork.Graph with { Nodes = [] } }).Run(
                    nothing
                )
            );
        Assert.Equal(0, nothing.Reports);
        Assert.Equal(finished, File.ReadAllBytes(Path.Combine(folder.Path, "measurements.jsonl")));
        AssertSame(Whole, ReportMerge.OfStore(folder.Path));
    }

    [Fact]
    public void Parts_of_other_images_are_refused()
    {
        AnalysisReport other = SmallNetwork.Analyzer(Few with { Scope = SweepScope.AllLayers }, images: SmallNetwork.Calibration).Run();
        Assert.Contains("images", Assert.Throws<BadInputException>(() => ReportMerge.Of([("a", Whole), ("b", other)])).Message);
    }

    /// <summary>
    /// After recalibration every normalisation's result has, on the images it saw, the mean and deviation its parameters say.
    /// </summary>
    [Fact]
    public void Recalibration_normalises_what_each_layer_sees()
    {
        KernelWeight weight = KernelWeights.From(SmallNetwork.Graph).Kernels[1];
        Tensor<float> half = weight.Weights.Of<float>().Clone();
        foreach (ref float value in half.Values)
            value *= 0.5f;
        Graph graph = new BatchNormRecalibration(SmallNetwork.Graph, SmallNetwork.Calibration, 7, 2).Of(
            SmallNetwork.Graph.With("second", half),
            default
        );

        foreach ((string output, string scale, string shift) in new[] { ("b", "scale", "shift"), ("d2", "scale2", "shift2") })
        {
            int end = graph.Nodes.ToList().FindIndex(node => node.Outputs[0] == output) + 1;
            Graph front = graph with { Nodes = graph.Nodes[..end], Outputs = [new(output, ElementType.Float32, null)] };
            Tensor<float> values = Sketch.Evaluate(front, SmallNetwork.Calibration.Batch(0, SmallNetwork.Calibration.Count));
            for (int channel = 0; channel < 6; channel++)
            {
                double[] seen =
                [
                    .. Enumerable
                        .Range(0, 24)
                        .SelectMany(image => values.Values.Slice((image * 6 + channel) * 36, 36).ToArray())
                        .Select(static v => (double)v),
                ];
                double mean = seen.Average(),
                    deviation = Math.Sqrt(seen.Sum(value => (value - mean) * (value - mean)) / (seen.Length - 1));
                Assert.Equal(graph.Initializers[shift].Of<float>().Values[channel], mean, 1e-5);
                Assert.Equal(graph.Initializers[scale].Of<float>().Values[channel], deviation, 1e-3);
            }
        }
    }

    [Fact]
    public void Recalibrated_accuracy_stands_beside_the_plain_one()
    {
        SweepOptions options = Few with { Scope = SweepScope.AllLayers, Cuts = [Cut.Parse("o|ihw")], Sequences = [] };
        AnalysisReport report = SmallNetwork.Analyzer(options, images: SmallNetwork.Images, calibration: SmallNetwork.Calibration).Run();
        AnalysisReport plain = SmallNetwork.Analyzer(options, images: SmallNetwork.Images).Run();
        Assert.Equal(plain.Truncations.Select(static t => t.Loss), report.Truncations.Select(static t => t.Loss));
        Assert.Equal(plain.Baseline, report.Baseline);
        Assert.All(report.Truncations, static t => Assert.NotEqual(t.Loss, t.Recalibrated!.Loss));
        Assert.Equal(report.RecalibratedBaseline, report.Truncations[^1].Recalibrated);
    }

    private static void AssertClose(Evaluation expected, Evaluation actual)
    {
        Assert.Equal((expected.Samples, expected.Top1, expected.Top5), (actual.Samples, actual.Top1, actual.Top5));
        Assert.Equal(expected.Loss, actual.Loss, 1e-5);
    }

    /// <summary>Equal but for the time it took and what was typed.</summary>
    private static void AssertSame(AnalysisReport expected, AnalysisReport actual)
    {
        AnalysisReport Bare(AnalysisReport report) =>
            report with
            {
                Provenance = expected.Provenance,
                Truncations = [.. report.Truncations.Select(static t => t with { Seconds = 0 })],
            };
        Assert.Equal(AnalysisJson.Write(Bare(expected)), AnalysisJson.Write(Bare(actual)));
    }

    /// <summary>Counts points of the sweep, and stops it after some.</summary>
    private sealed class StopAfter(int points, CancellationTokenSource stop) : IProgress<Progress>
    {
        public int Points { get; private set; }

        public int Reports { get; private set; }

        public void Report(Progress value)
        {
            Reports++;
            if (value.Unit == "points" && ++Points == points)
                stop.Cancel();
        }
    }
}
