using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Tests.Analysis;

public class NormalizationCheckTests
{
    [OracleTheory(Oracle.SharedModels | Oracle.Cifar10)]
    [InlineData("imagenet", 1, false)]
    [InlineData("cifar10", 1, false)]
    [InlineData("none", 1, true)]
    [InlineData("none", 255, true)]
    public void A_trained_network_tells_how_its_images_were_normalised(string normalization, float scale, bool isSuspicious)
    {
        Graph graph = OnnxFile.Read(Path.Combine(Oracles.Models, "resnet20-cifar10.onnx"));
        ImageSet images = DataSource
            .Parse($"cifar10:{Oracles.Cifar10}")
            .Open(DataSplit.Test, Normalization.Parse(normalization).AtScale(scale), 64);
        NormalizationCheck check = NormalizationCheck.From(graph, images, 1)!;
        Assert.True(isSuspicious == check.IsSuspicious, check.ToString());
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(255, true)]
    public void So_does_the_sample(float scale, bool isSuspicious)
    {
        Graph graph = OnnxFile.Read(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"));
        ImageSet images = DataSource.Parse("sample").Open(DataSplit.Test, Normalization.None.AtScale(scale), 64);
        NormalizationCheck check = NormalizationCheck.From(graph, images, 1)!;
        Assert.True(isSuspicious == check.IsSuspicious, check.ToString());
    }

    [Fact]
    public void Both_numbers_are_those_of_a_plain_loop()
    {
        NetworkBuilder net = new("one", [1, 6, 6], 0);
        Features conv = net.Convolution("conv", net.Input, 4, 3, padding: 1);
        Graph graph = net.ToGraph(net.Convolution("last", net.BatchNormalization("bn", conv), 2, 1));
        Node node = graph.Nodes.Single(static n => n.Operation.Name == "BatchNormalization");
        Random random = new(1);
        Tensor<byte> pixels = new([9, 1, 6, 6]);
        random.NextBytes(pixels.Values);
        ImageSet images = new("some", pixels, Normalization.None);
        using Inference network = new(graph.ExtractSubgraph(node.Inputs[0]));
        Tensor<float> read = network.Run(images.Batch(0, 9));
        float[] means = new float[4],
            variances = new float[4];
        for (int c = 0; c < 4; c++)
        {
            float[] values =
            [
                .. from n in Enumerable.Range(0, 9) from k in Enumerable.Range(0, 36) select read.Values[(n * 4 + c) * 36 + k],
            ];
            means[c] = values.Average();
            variances[c] = values.Average(value => (value - means[c]) * (value - means[c]));
        }
        graph = graph.With(node.Inputs[3], new Tensor<float>([4], means)).With(node.Inputs[4], new Tensor<float>([4], variances));
        NormalizationCheck right = NormalizationCheck.From(graph, images, 1)!;
        Assert.Equal(0, right.Shift, 1e-4);
        Assert.Equal(right.Expected, right.Found, 1e-4);
        Assert.False(right.IsSuspicious);
        NormalizationCheck wrong = NormalizationCheck.From(graph, new("255", pixels, Normalization.None.AtScale(255)), 1)!;
        Assert.True(wrong.IsSuspicious);
        Assert.Equal(right.Expected, wrong.Expected);
        Assert.Equal(255 * right.Found, wrong.Found, 0.05 * wrong.Found);
    }

    [Fact]
    public void A_network_without_batch_normalisation_tells_nothing() =>
        Assert.Null(
            NormalizationCheck.From(
                ModelZoo.Create("lenet5", [1, 28, 28], 10, 0),
                DataSource.Parse("sample").Open(DataSplit.Test, Normalization.None, 4),
                1
            )
        );
}
