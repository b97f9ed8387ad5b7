using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Cli;

/// <summary>truncate --factors: the same function as the truncated dense network, in as many numbers as the cuts leave.</summary>
public class TruncateFactorsTests
{
    private static readonly string Sample = Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    [Theory]
    [InlineData("o|ihw", "*", 1000)]
    [InlineData("i|ohw", "conv?.weight", 1000)]
    [InlineData("oh|iw", "conv?.weight", 1000)]
    [InlineData("oi|hw", "conv?.weight", 1000)]
    [InlineData("i|ohw,o|ihw", "conv?.weight", 1000)]
    [InlineData("o|ihw,i|ohw", "conv?.weight", 1000)]
    public async Task Factors_make_the_truncated_network(string cut, string layers, int seed)
    {
        using TemporaryFolder folder = new();
        (string dense, string small) = (Path.Combine(folder.Path, "dense.onnx"), Path.Combine(folder.Path, "small.onnx"));
        string[] how = ["--cut", cut, "--rank", "30%", "--layers", layers];
        CommandRun first = await CommandRun.Of(["truncate", Sample, dense, .. how]),
            second = await CommandRun.Of(["truncate", Sample, small, .. how, "--factors"]);
        Assert.Equal((0, 0), (first.Code, second.Code));
        Graph truncated = OnnxFile.Read(dense),
            factored = OnnxFile.Read(small);
        Tensor<float> images = new([3, 1, 28, 28]);
        Random random = new(seed);
        foreach (ref float pixel in images.Values)
            pixel = random.NextSingle();
        Dictionary<string, Tensor> input = new() { ["input"] = images };
        Tensor<float> wanted = Interpreter.Run(truncated, input)["logits"].Of<float>(),
            made = Interpreter.Run(factored, input)["logits"].Of<float>();
        float size = 0;
        foreach (float value in wanted.Values)
            size = Math.Max(size, Math.Abs(value));
        for (int k = 0; k < wanted.Values.Length; k++)
            Assert.Equal(wanted.Values[k], made.Values[k], 1e-4f * size);
        Assert.NotEqual(truncated.Nodes.Length, factored.Nodes.Length);
        Assert.True(GraphStatistics.From(factored).Parameters < GraphStatistics.From(truncated).Parameters);
    }

    [Theory]
    [InlineData("ow|ih")]
    [InlineData("oi|hw,oh|iw")]
    public async Task Cuts_that_leave_no_format_are_refused(string cut)
    {
        using TemporaryFolder folder = new();
        string output = Path.Combine(folder.Path, "out.onnx");
        CommandRun run = await CommandRun.Of("truncate", Sample, output, "--cut", cut, "--rank", "50%", "--factors");
        Assert.Equal(3, run.Code);
        Assert.Contains("conv1.weight", run.Error);
        Assert.Contains("spatial-svd", run.Error);
        Assert.False(File.Exists(output));
    }
}
