using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Tests.Analysis;

/// <summary>The pretrained networks get as many of the 10,000 CIFAR-10 test images right as their makers say.</summary>
public class AccuracyTests
{
    [OracleTheory(Oracle.SharedModels | Oracle.Cifar10)]
    [InlineData("resnet20-cifar10.onnx", 9173), InlineData("resnet32-cifar10.onnx", 9263)]
    public void The_whole_test_set_gives_the_published_accuracy(string model, int right)
    {
        ImageSet images = DataSource.Parse($"cifar10:{Oracles.Cifar10}").Open(DataSplit.Test, Normalization.Parse("imagenet"), null);
        Graph graph = OnnxFile.Read(Path.Combine(Oracles.Models, model));
        using Inference network = new(graph);
        (Evaluation result, _) = Evaluator.Evaluate(network, graph, images, 100, null, CancellationToken.None);
        Assert.Equal((10_000, right), (result.Samples, (int)Math.Round(result.Top1 * result.Samples)));
    }
}
