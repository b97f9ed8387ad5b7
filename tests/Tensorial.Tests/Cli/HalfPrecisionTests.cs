using System.Collections.Immutable;
using System.Text.Json;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Tests.Cli;

/// <summary>A network whose input, weights and output are all of another type than float32, in every command that takes images.</summary>
public sealed class HalfPrecisionTests : IDisposable
{
    private static readonly string[] Some = ["--data", "sample", "--limit", "100"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    [Theory]
    [InlineData(ElementType.Float16), InlineData(ElementType.Float64)]
    public async Task Works_as_in_float32(ElementType type)
    {
        string plain = Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");
        Graph graph = OnnxFile.Read(plain);
        OnnxFile.Write(
            graph with
            {
                Inputs = [.. graph.Inputs.Select(port => port with { Type = type })],
                Outputs = [.. graph.Outputs.Select(port => port with { Type = type })],
                Initializers = graph.Initializers.ToImmutableDictionary(
                    static pair => pair.Key,
                    pair => pair.Value.ElementType == ElementType.Float32 ? pair.Value.To(type) : pair.Value
                ),
            },
            At("net.onnx")
        );
        await Works(["evaluate", plain, .. Some, "--json", At("plain.json")]);
        await Works(["evaluate", At("net.onnx"), .. Some, "--json", At("half.json")]);
        Assert.Equal(Number("plain.json", "top1"), Number("half.json", "top1"), 0.011);
        await Works(["analyze", At("net.onnx"), .. Some, "--layers", "conv2.weight", "--cuts", "o|ihw", "--ranks", "4"]);
        string[] size = ["--target", "params=0.5", "--format", "svd-out", "--objective", "size"];
        await Works(["compress", At("net.onnx"), At("small.onnx"), .. size, .. Some, "--calibration", "64"]);
        Assert.Equal(type, OnnxFile.Read(At("small.onnx")).FreeInputs[0].Type);
        await Works(["verify", At("net.onnx"), At("small.onnx"), .. Some]);
        // ONNX Runtime has no convolutions of float64.
        if (type == ElementType.Float16)
            await Works(["verify", At("net.onnx"), At("small.onnx"), "--runtime", "onnxruntime", .. Some]);
        await Works([
            "tune",
            At("small.onnx"),
            At("tuned.onnx"),
            "--teacher",
            At("net.onnx"),
            "--epochs",
            "1",
            "--batch",
            "25",
            "--lr",
            "0.001",
            .. Some,
            "--no-test",
        ]);
        Assert.Equal(type, OnnxFile.Read(At("tuned.onnx")).FreeInputs[0].Type);
    }

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private double Number(string file, string name) =>
        JsonDocument.Parse(File.ReadAllBytes(At(file))).RootElement.GetProperty(name).GetDouble();

    private static async Task Works(string[] arguments)
    {
        CommandRun run = await CommandRun.Of(arguments);
        Assert.True(run.Code == 0, $"{string.Join(' ', arguments)}: {run.Code} {run.Error}");
    }
}
