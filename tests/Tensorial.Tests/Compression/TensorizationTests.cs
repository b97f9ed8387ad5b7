using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Tests.Execution;
using Tensorial.Tests.Training;
using Tensorial.Training;

namespace Tensorial.Tests.Compression;

/// <summary>Networks that are tensorial from the start.</summary>
public class TensorizationTests
{
    public static TheoryData<string> Formats() =>
        [.. KernelFormat.All.Select(static format => format.IsReshaped ? $"{format.Name}:2" : format.Name)];

    [Theory, MemberData(nameof(Formats))]
    public void Every_format_trains_as_its_definition_says(string format)
    {
        Graph graph = Small();
        ImmutableArray<CompressionCandidate> chosen = Choose(graph, format, 0.4);
        Graph tensorial = Tensorization.InitializeFactorized(graph, chosen, seed: 3);

        Assert.Contains(chosen, c => c.Format?.Name == KernelFormat.Parse(format).Name);
        Assert.All(chosen.Where(static c => c.Form is not null), static c => Assert.True(c.Parameters < c.Layer.Parameters));
        TrainedNetworkTests.AssertAgrees(tensorial, 5, 2);
        // Both ways of computing it, whichever is cheaper: one kernel for all factors, and a chain of convolutions that may go through the
        // batch.
        TrainedNetworkTests.AssertAgrees(InOrder(FactorOrder.Whole), 5, 2);
        TrainedNetworkTests.AssertAgrees(
            InOrder(static form => new([.. form.Tensor.Equation.Inputs.Select(static ImmutableArray<int> (_, factor) => [factor])])),
            5,
            2
        );

        Graph InOrder(Func<KernelForm, FactorOrder> order) =>
            Tensorization.InitializeFactorized(
                graph,
                chosen.Select(c =>
                    c.Form is { } form && Stage.Of(form.Form, form.Ranks, order(form.Form), c.Layer) is not null
                        ? CompressionCandidate.From(c.Layer, form with { Order = order(form.Form) }, 0, 0)
                        : c
                ),
                seed: 3
            );
    }

    [Theory]
    [InlineData("tucker2"), InlineData("cp3"), InlineData("rcp:2"), InlineData("rtr:2")]
    public void A_tensorial_network_learns_and_stays_what_it_is_in_a_file(string format)
    {
        Graph graph = TinyTask.Network();
        Graph tensorial = Tensorization.InitializeFactorized(graph, Choose(graph, format, 0.5), seed: 0);
        using Trainer trainer = new(
            tensorial,
            TinyTask.Images(),
            new()
            {
                Epochs = 12,
                Batch = 16,
                LearningRate = 0.05,
                Threads = 1,
            }
        );
        TrainingResult result = trainer.Run();

        Assert.InRange(result.Epochs[^1].TrainTop1!.Value, 0.9, 1);
        Assert.Equal(GraphStatistics.From(tensorial).Parameters, GraphStatistics.From(result.Network).Parameters);
        Assert.True(GraphStatistics.From(tensorial).Parameters < GraphStatistics.From(graph).Parameters);
        Tensor<float> image = new([1, 1, 8, 8]);
        image.Values.Fill(0.3f);
        using Inference here = new(result.Network, 1),
            there = new(OnnxFile.Read(OnnxFile.ToBytes(result.Network), "written"), 1);
        Assert.Equal(here.Run(image).Values.ToArray(), there.Run(image).Values.ToArray());
    }

    [Fact]
    public void The_same_seed_draws_the_same_factors()
    {
        Graph graph = Small();
        Graph one = Tensorization.InitializeFactorized(graph, Choose(graph, "tt", 0.3), 4),
            two = Tensorization.InitializeFactorized(graph, Choose(graph, "tt", 0.3), 4),
            other = Tensorization.InitializeFactorized(graph, Choose(graph, "tt", 0.3), 5);
        string name = one.Initializers.Keys.First(static name => name.Contains("/tt/", StringComparison.Ordinal));
        Assert.Equal(one.Initializers[name].Of<float>().Values.ToArray(), two.Initializers[name].Of<float>().Values.ToArray());
        Assert.NotEqual(one.Initializers[name].Of<float>().Values.ToArray(), other.Initializers[name].Of<float>().Values.ToArray());
    }

    /// <summary>Reshaped CP at a high rank on small maps: the kernel costs more than the layer unless a batch shares it.</summary>
    [Fact]
    public void The_batch_decides_whether_the_kernel_is_made()
    {
        Graph graph = Small();
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single(static layer => layer.Name == "conv2.weight");
        KernelForm form = layer.FormOf(KernelFormat.Parse("rcp:2"));
        Assert.True(LayerEquation.Cheapest(form, [4], layer, images: 128).IsWhole);
        Assert.False(LayerEquation.Cheapest(form, [4], layer, images: 1).IsWhole);
    }

    /// <summary>Kernels compute channels in vectors of 8: a stage of 3×3 to twelve channels takes as long as the dense layer of 16.</summary>
    [Theory, InlineData(16, true), InlineData(64, false)]
    public void Planes_to_few_channels_pay_only_where_the_dense_layer_has_many(int channels, bool isWhole)
    {
        NetworkBuilder net = new("layer", [channels, 16, 16], seed: 0);
        Graph graph = net.ToGraph(net.Convolution("conv", net.Input, channels, 3, padding: 1));
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
        Assert.Equal(isWhole, LayerEquation.Cheapest(layer.FormOf(KernelFormat.SvdOut), [12], layer, images: 128).IsWhole);
    }

    [Fact]
    public void Layers_that_would_not_shrink_stay_dense()
    {
        Graph graph = Small();
        CompressionCandidate last = Choose(graph, "tucker2", 0.9).Single(static c => c.Layer.Name == "fc.weight");
        Assert.Equal("svd-out", last.Format?.ToString());
        Assert.Null(Choose(graph, "cp", 0.05).Single(static c => c.Layer.Name == "narrow.weight").Form);
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(double.NaN), InlineData(10)]
    public void A_rate_is_a_part(double rate) =>
        Assert.Contains("above 0 and below 1", Assert.Throws<BadInputException>(() => Choose(Small(), "cp", rate)).Message);

    private static ImmutableArray<CompressionCandidate> Choose(Graph graph, string format, double rate) =>
        Tensorization.Choose(CompressibleLayer.Of(graph).Layers, KernelFormat.Parse(format), rate, images: 8);

    private static Graph Small()
    {
        NetworkBuilder net = new("small", [3, 8, 8], seed: 1);
        Features x = net.Relu("relu1", net.BatchNormalization("bn1", net.Convolution("conv1", net.Input, 12, 3, padding: 1)));
        x = net.Relu("relu2", net.BatchNormalization("bn2", net.Convolution("conv2", x, 16, 3, stride: 2, padding: 1)));
        x = net.Convolution("narrow", net.Convolution("point", x, 2, 1, bias: true), 2, 1);
        return net.ToGraph(net.Dense("fc", net.Flatten("flat", x), 10));
    }
}
