using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Tests.Compression;

/// <summary>The embedded sample through the whole of it: search, choice, factors.</summary>
public sealed class PipelineTests : IDisposable
{
    private static readonly Graph Sample = OnnxFile.Read(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"));

    private static readonly ImmutableArray<CompressibleLayer> Layers = CompressibleLayer.Of(Sample).Layers[1..^1];

    private static readonly SearchOptions Quick = new()
    {
        Formats = [KernelFormat.SvdIn, KernelFormat.Tucker2],
        Rates = [0.1, 0.2, 0.3, 0.5, 0.7],
        Iterations = 5,
        CovarianceImages = 50,
        SensitivityImages = 50,
        Threads = 2,
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static ImageSet Images => DataSource.Parse("sample").Open(DataSplit.Train, Normalization.Parse("none"), 200);

    public void Dispose() => _folder.Delete(true);

    [Theory]
    [
        InlineData(AllocationRule.Measured),
        InlineData(AllocationRule.Error),
        InlineData(AllocationRule.Energy),
        InlineData(AllocationRule.EqualError)
    ]
    public void Every_rule_keeps_its_budgets(AllocationRule rule)
    {
        PlanRequest request = new()
        {
            Targets = [new(TargetMeasure.Parameters, 0.6), new(TargetMeasure.Macs, 0.6)],
            Rule = rule,
            Search = Quick,
        };
        CompressedNetwork small = Compression(ResultCache.None).Run(request);
        GraphStatistics before = GraphStatistics.From(Sample),
            after = GraphStatistics.From(small.Graph);
        Assert.True(after.Parameters <= 0.6 * before.Parameters);
        Assert.True(after.Macs <= 0.6 * before.Macs);
        // Rules that see a layer's error spend the budget; a common level may leave some.
        Assert.True(
            after.Parameters >= (rule == AllocationRule.EqualError ? 0.2 : 0.45) * before.Parameters,
            $"{rule} leaves {after.Parameters}"
        );
    }

    /// <summary>Large kernels get the formats that are fast to fit, and those that are not if nothing else was asked for.</summary>
    [Theory]
    [InlineData("cp3", "svd-in", "svd-in"), InlineData("cp3", "cp3", "cp3")]
    public void No_layer_is_skipped_for_its_size(string one, string other, string chosen)
    {
        Tensor<float> weights = new([448, 100, 3, 3]);
        Random random = new(1);
        foreach (ref float value in weights.Values)
            value = random.NextSingle();
        Node node = new("conv", new Tensorial.Operations.Convolution { KernelShape = [3, 3] }, ["x", "w"], ["y"]);
        Port PortOf(string name, int channels, int extent) =>
            new(name, ElementType.Float32, [new(null, "N"), new(channels), new(extent), new(extent)]);
        Graph graph = new(
            "large",
            [node],
            [PortOf("x", 100, 6)],
            [PortOf("y", 448, 4)],
            ImmutableDictionary<string, Tensor>.Empty.Add("w", weights)
        );
        SearchOptions options = Quick with
        {
            Formats = [KernelFormat.Parse(one), KernelFormat.Parse(other)],
            RatesOfLarge = [0.02],
            Iterations = 2,
        };

        CompressionCandidate[] found =
        [
            .. new CandidateSearch(graph, null, options with { Formats = [.. options.Formats.Distinct()] }, ResultCache.None).Run(
                CompressibleLayer.Of(graph).Layers
            )[0],
        ];

        Assert.Equal(["", chosen], found.Select(static c => c.Format?.ToString() ?? ""));
        Assert.InRange(found[1].RelativeError, 0.01, 0.99);
    }

    [Fact]
    public void An_equal_error_is_the_lowest_that_keeps_the_budget()
    {
        PlanRequest request = new()
        {
            Targets = [new(TargetMeasure.Parameters, 0.6)],
            Rule = AllocationRule.EqualError,
            Search = Quick,
        };
        PlannerResult choice = new Planner(Sample, Layers, null, [], ResultCache.None).Choose(request);
        double level = choice.Chosen.Max(static c => c.RelativeError);
        foreach ((CompressionCandidate chosen, ImmutableArray<CompressionCandidate> all) in choice.Chosen.Zip(choice.Candidates))
            Assert.Equal(all.Where(c => c.RelativeError <= level).Min(static c => c.Parameters), chosen.Parameters);
    }

    [Fact]
    public void Uniform_rates_are_the_same_everywhere_and_fill_the_budget()
    {
        PlanRequest request = new()
        {
            Targets = [new(TargetMeasure.ConvParameters, 0.5)],
            Rule = AllocationRule.Uniform,
            Search = Quick with { Formats = [KernelFormat.Tucker2] },
        };
        PlannerResult choice = new Planner(Sample, Layers, null, [], ResultCache.None).Choose(request);
        double[] rates =
        [
            .. choice.Chosen.Where(static c => c.Layer.Kernel.Shape[2] > 1).Select(static c => (double)c.Parameters / c.Layer.Parameters),
        ];
        Assert.InRange(rates.Max() - rates.Min(), 0, 0.05);
        Assert.All(choice.Chosen.Where(static c => c.Layer.Kernel.Shape[2] > 1), static c => Assert.Equal(KernelFormat.Tucker2, c.Format));
        Assert.Throws<BadInputException>(() =>
            new Planner(Sample, Layers, null, [], ResultCache.None).Choose(request with { Search = Quick })
        );
    }

    /// <summary>A second run finds every number and factor of the first, and so does one that follows a kill half way.</summary>
    [Fact]
    public void What_was_found_out_is_not_found_out_again()
    {
        PlanRequest request = new() { Targets = [new(TargetMeasure.Parameters, 0.6)], Search = Quick };
        CompressedNetwork first,
            second,
            fresh = Compression(ResultCache.None).Run(request);
        using (ResultCache memory = ResultCache.Open(_folder.FullName, "model", "images"))
        {
            using CancellationTokenSource kill = new();
            int reports = 0;
            Assert.ThrowsAny<OperationCanceledException>(() =>
                Compression(memory)
                    .Run(
                        request,
                        new Told(() =>
                        {
                            if (++reports == 9)
                                kill.Cancel();
                        }),
                        kill.Token
                    )
            );
        }
        using (ResultCache memory = ResultCache.Open(_folder.FullName, "model", "images"))
            first = Compression(memory).Run(request);
        string[] files = Directory.GetFiles(_folder.FullName);
        (long, DateTime)[] written = [.. files.Select(Stamp)];
        using (ResultCache memory = ResultCache.Open(_folder.FullName, "model", "images"))
            second = Compression(memory).Run(request);

        Assert.Equal(files, Directory.GetFiles(_folder.FullName));
        Assert.Equal(written, files.Select(Stamp));
        Assert.Contains(files, static file => file.EndsWith(".npy", StringComparison.Ordinal));
        foreach ((string name, Tensor values) in fresh.Graph.Initializers)
        {
            Assert.Equal(((Tensor<float>)values).Values.ToArray(), ((Tensor<float>)first.Graph.Initializers[name]).Values.ToArray());
            Assert.Equal(((Tensor<float>)values).Values.ToArray(), ((Tensor<float>)second.Graph.Initializers[name]).Values.ToArray());
        }
    }

    /// <summary>Lines are appended to the store, which opening it touches; factors are whole files.</summary>
    private static (long, DateTime) Stamp(string path) =>
        (new FileInfo(path).Length, path.EndsWith(".npy", StringComparison.Ordinal) ? File.GetLastWriteTimeUtc(path) : default);

    [Fact]
    public void The_smallest_network_within_a_drop_is_searched_for()
    {
        CompressedNetwork small = Compression(ResultCache.None)
            .Run(new PlanRequest { Targets = [new(TargetMeasure.MaxDrop, 4)], Search = Quick });
        Assert.NotEmpty(small.Trials);
        double size = (double)GraphStatistics.From(small.Graph).Parameters / GraphStatistics.From(Sample).Parameters;
        DropTrial kept = small.Trials.Where(static trial => trial.Drop <= 4).MinBy(static trial => trial.Parameters);
        Assert.Equal(kept.Parameters, size, 1e-9);
        // No plan said anything of the layers.
        ImmutableArray<CompressedLayer> layers = small.With(Sample, []).Layers;
        Assert.Contains(layers, static layer => layer.Format is not null);
        Assert.All(layers, static layer => Assert.Equal(layer.Format is null, layer.Sensitivity is null));
        Assert.DoesNotContain(layers, static layer => layer.KeptBecause == "the plan says so");
        CompressedNetwork whole = Compression(ResultCache.None)
            .Run(new PlanRequest { Targets = [new(TargetMeasure.MaxDrop, -100)], Search = Quick });
        Assert.All(whole.With(Sample, []).Layers, static layer => Assert.Contains("loses more accuracy", layer.KeptBecause));
        Assert.Throws<BadInputException>(() =>
            new NetworkCompression(Sample, Layers, null, [], new(), ResultCache.None).Run(
                new PlanRequest { Targets = [new(TargetMeasure.MaxDrop, 4)] }
            )
        );
    }

    private static NetworkCompression Compression(ResultCache memory) =>
        new(
            Sample,
            Layers,
            Images,
            [],
            new()
            {
                CovarianceImages = 100,
                Iterations = 5,
                Starts = 1,
                Threads = 2,
            },
            memory
        );

    private sealed class Told(Action act) : IProgress<Progress>
    {
        public void Report(Progress value) => act();
    }
}
