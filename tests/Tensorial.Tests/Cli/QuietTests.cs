using System.Text.Json;
using Tensorial.Analysis;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Cli;

/// <summary>What is said under --quiet: that a result is not what it looks like.</summary>
public sealed class QuietTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    public void Dispose() => _folder.Delete(true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    [Fact]
    public async Task Nothing_is_said_where_nothing_is_wrong() =>
        await Says("", "analyze", Sample, "--data", "sample", "--limit", "32", "--threads", "1", "--dry-run");

    [Fact]
    public async Task Images_that_are_not_as_in_training_are_told_of() =>
        await Says("may not be normalised", "analyze", Sample, "--data", "sample", "--limit", "64", "--scale", "255", "--dry-run");

    [Fact]
    public async Task A_file_that_became_larger_is_told_of()
    {
        OnnxFile.Write(Network(0.5f), At("net.onnx"));
        await Says(
            "is larger than",
            [
                "compress",
                At("net.onnx"),
                At("out.onnx"),
                .. "--target params=0.9 --objective size --format svd-out --runtime own --threads 1".Split(' '),
            ]
        );
    }

    [Fact]
    public async Task Labels_that_are_not_learnt_from_are_told_of()
    {
        OnnxFile.Write(Network(0.5f), At("net.onnx"));
        NpyFile.Write(new Sketch(2).Random([8, 1, 8, 8]), At("images.npy"));
        NpyFile.Write(new Tensor<long>([8], new long[] { 0, 25, 0, 0, 0, 0, 0, 0 }), At("labels.npy"));
        await Says(
            "labels of images.npy are not used",
            [
                "tune",
                At("net.onnx"),
                At("out.onnx"),
                "--teacher",
                At("net.onnx"),
                .. "--epochs 1 --batch 8 --lr 1e-6 --no-test --threads 1 --data".Split(' '),
                $"npy:{At("images.npy")},{At("labels.npy")},nchw",
            ]
        );
    }

    [Fact]
    public async Task A_quantized_file_that_became_larger_is_told_of()
    {
        OnnxFile.Write(Network(0.5f), At("net.onnx"));
        NpyFile.Write(new Sketch(2).Random([8, 1, 8, 8]), At("images.npy"));
        await Says(
            "is larger than",
            ["quantize", At("net.onnx"), At("out.onnx"), .. "--threads 1 --data".Split(' '), $"npy:{At("images.npy")}"]
        );
    }

    [Fact]
    public async Task A_comparison_of_no_numbers_is_told_of()
    {
        OnnxFile.Write(Network(float.NaN), At("net.onnx"));
        await Says("nothing was compared", "verify", At("net.onnx"), At("net.onnx"), "--threads", "1");
    }

    [Fact]
    public async Task Measurements_of_another_version_are_told_of()
    {
        string[] analysis = ["analyze", Sample, "--layers", "dense*", "--threads", "1", "--resume", At("work")];
        await Says("", analysis);
        string file = Assert.Single(Directory.GetFiles(At("work"), "*.jsonl"));
        File.WriteAllLines(
            file,
            ResultStore
                .Read(At("work"))
                .Select(static result => JsonSerializer.Serialize((result with { Version = "0.0.1" }).Checked(), AnalysisJson.Line))
        );
        await Says("0.0.1", analysis);
    }

    private static async Task Says(string words, params string[] arguments)
    {
        CommandRun run = await CommandRun.Of([.. arguments, "--quiet"]);
        Assert.True(run.Code == 0, $"{run.Code}: {run.Error}");
        if (words.Length == 0)
            Assert.Equal("", run.Error);
        else
            Assert.Contains(words, run.Error.ReplaceLineEndings(" "));
    }

    /// <summary>Two convolutions and a dense layer to ten values.</summary>
    private static Graph Network(float size)
    {
        Sketch sketch = new(4);
        sketch.Node("a", new Convolution { Pads = [1, 1, 1, 1] }, "x", sketch.Weights("w1", [6, 1, 3, 3]));
        sketch.Node("b", new Convolution { Pads = [1, 1, 1, 1] }, "a", sketch.Weights("w2", [6, 6, 3, 3], -size, size));
        sketch.Node("c", new GlobalAveragePool(), "b");
        sketch.Node("d", new Flatten(), "c");
        sketch.Node("e", new Gemm { TransposeB = true }, "d", sketch.Weights("dense", [10, 6]));
        return sketch.Graph(1, 8, 8);
    }
}
