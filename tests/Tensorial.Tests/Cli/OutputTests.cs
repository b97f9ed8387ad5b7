using System.Text.Json;
using Google.Protobuf;
using Tensorial.Onnx.Proto;
using Tensorial.OnnxRuntime;
using Tensorial.Tests.Onnx;

namespace Tensorial.Tests.Cli;

/// <summary>What the tool writes, and when; networks whose outputs are no class scores.</summary>
public sealed class OutputTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    /// <summary>Features of 24 values first, then the scores of the sample's 10 classes.</summary>
    private string FeaturesFirst()
    {
        ModelProto model = TinyModel.Empty();
        model.Graph.Input.Add(TinyModel.Port("x", "N", 1, 28, 28));
        model.Graph.Output.Add(TinyModel.Port("features", "N", 24));
        model.Graph.Output.Add(TinyModel.Port("scores", "N", 10));
        model.Graph.Initializer.Add(TinyModel.Floats("w", [24, 784]));
        model.Graph.Initializer.Add(TinyModel.Floats("v", [10, 24]));
        model.Graph.Node.Add(TinyModel.Node("Flatten", "flatten", ["x"], ["f"], TinyModel.Int("axis", 1)));
        model.Graph.Node.Add(TinyModel.Node("Gemm", "hidden", ["f", "w"], ["features"], TinyModel.Int("transB", 1)));
        model.Graph.Node.Add(TinyModel.Node("Gemm", "last", ["features", "v"], ["scores"], TinyModel.Int("transB", 1)));
        string path = At("features.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return path;
    }

    [Fact]
    public async Task Labels_meet_the_output_that_can_have_them()
    {
        string path = FeaturesFirst();
        CommandRun first = await CommandRun.Of("evaluate", path, "--data", "sample", "--limit", "64");
        Assert.Equal(3, first.Code);
        Assert.Contains("24", first.Error);
        Assert.Contains("10", first.Error);
        Assert.Contains("scores", first.Error);
        CommandRun named = await CommandRun.Of("evaluate", path, "--data", "sample", "--limit", "64", "--output", "scores");
        Assert.Equal((0, ""), (named.Code, named.Error));
    }

    [Fact]
    public async Task A_changed_second_output_shows()
    {
        string path = FeaturesFirst();
        ModelProto changed = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        changed.Graph.Initializer[1].FloatData.Clear();
        changed.Graph.Initializer[1].RawData = ByteString.CopyFrom(new byte[4 * 240]);
        File.WriteAllBytes(At("changed.onnx"), changed.ToByteArray());
        CommandRun run = await CommandRun.Of("verify", path, At("changed.onnx"), "--max-error", "0.4", "--json", At("verify.json"));
        Assert.Equal(1, run.Code);
        JsonElement result = JsonDocument.Parse(File.ReadAllText(At("verify.json"))).RootElement.GetProperty("result");
        JsonElement[] outputs = [.. result.GetProperty("outputs").EnumerateArray()];
        Assert.Equal(["features", "scores"], outputs.Select(static output => output.GetProperty("name").GetString()));
        // Zeros in place of the scores are wrong by as much as the scores are.
        Assert.Equal([0.0, 1.0], outputs.Select(static output => output.GetProperty("relativeError").GetDouble()));
        Assert.False(result.TryGetProperty("agreement", out _));
    }

    [Fact]
    public async Task What_is_compressed_loads_and_is_smaller()
    {
        string path = FeaturesFirst();
        CommandRun run = await CommandRun.Of("compress", path, At("small.onnx"), "--target", "params=0.6");
        Assert.Equal((0, false), (run.Code, run.Error.Contains("tensorial: ")));
        OrtRuntime.Load(At("small.onnx"), 1).Dispose();
        Assert.True(new FileInfo(At("small.onnx")).Length < new FileInfo(path).Length);
        Assert.Equal(["features.onnx", "small.onnx"], _folder.GetFileSystemInfos().Select(static file => file.Name).Order());
    }

    [Fact]
    public async Task Nothing_to_gain_is_said_and_nothing_written()
    {
        ModelProto model = TinyModel.Of([TinyModel.Floats("s", [4])], TinyModel.Node("Mul", "scale", ["x", "s"], ["y"]));
        File.WriteAllBytes(At("scale.onnx"), model.ToByteArray());
        foreach (
            string[] command in (string[][])
                [
                    ["plan", At("scale.onnx"), "--target", "params=0.5", "--out", At("plan.json")],
                    ["compress", At("scale.onnx"), At("small.onnx"), "--target", "params=0.5", "--json", At("small.json")],
                ]
        )
        {
            CommandRun run = await CommandRun.Of(command);
            Assert.InRange(run.Code, 1, 3);
            Assert.StartsWith("tensorial: ", run.Error);
            Assert.Single(_folder.GetFileSystemInfos());
        }
    }

    [Theory]
    [InlineData(4), InlineData(8), InlineData(12)]
    public async Task Small_square_kernels_are_planned_as_trains(int channels)
    {
        ModelProto model = TinyModel.Empty();
        model.Graph.Input.Add(TinyModel.Port("x", "N", channels, 8, 8));
        model.Graph.Output.Add(TinyModel.Port("y", "N", channels, 6, 6));
        model.Graph.Initializer.Add(TinyModel.Floats("w", [channels, channels, 3, 3]));
        model.Graph.Node.Add(TinyModel.Node("Conv", "conv", ["x", "w"], ["y"], TinyModel.Ints("kernel_shape", 3, 3)));
        File.WriteAllBytes(At("square.onnx"), model.ToByteArray());
        CommandRun run = await CommandRun.Of("plan", At("square.onnx"), "--target", "params=0.6", "--format", "tt", "--quiet");
        Assert.InRange(run.Code, 0, 1);
        Assert.Equal(run.Code == 0, run.Error.Length == 0);
    }

    private string At(string name) => Path.Combine(_folder.FullName, name);
}
