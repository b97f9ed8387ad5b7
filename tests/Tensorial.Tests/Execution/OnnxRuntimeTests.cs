using Tensorial.Compression.Runtimes;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Execution;

/// <summary>The executor against ONNX Runtime on whole networks.</summary>
public class OnnxRuntimeTests
{
    [OracleTheory(Oracle.SharedModels)]
    [InlineData("resnet20-cifar10.onnx"), InlineData("resnet32-cifar10.onnx")]
    public void Logits_agree_within_1e_4(string model)
    {
        // Pixels as the networks know them: in [0, 1], then normalised.
        AssertClose(Path.Combine(Oracles.Models, model), new Sketch(3).Random([50, 3, 32, 32], -2.1f, 2.6f));
    }

    [OracleFact(Oracle.SharedModels | Oracle.Cifar10)]
    public void Logits_of_real_images_agree_within_1e_4()
    {
        ImageSet images = DataSource.Parse($"cifar10:{Oracles.Cifar10}").Open(DataSplit.Test, Normalization.Parse("imagenet"), 500);
        AssertClose(Path.Combine(Oracles.Models, "resnet32-cifar10.onnx"), images.Batch(0, images.Count));
    }

    [Fact]
    public void The_embedded_sample_agrees_too()
    {
        ImageSet images = DataSource.Parse("sample").Open(DataSplit.Test, Normalization.Parse("none"), 200);
        AssertClose(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"), images.Batch(0, images.Count));
    }

    private static void AssertClose(string path, Tensor<float> images)
    {
        Graph graph = OnnxFile.Read(path);
        using Inference inference = new(graph, threads: 2);
        using ISession theirs = OrtRuntime.Load(path, 2);
        float largest = inference
            .Run(images)
            .Values.ToArray()
            .Zip(theirs.Run(graph, images).Values.ToArray(), static (a, b) => Math.Abs(a - b))
            .Max();
        Assert.True(largest <= 1e-4f, $"the largest difference is {largest}");
    }
}
