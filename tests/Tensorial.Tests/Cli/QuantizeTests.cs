using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Cli;

/// <summary>quantize and compress --quantize, as they are typed.</summary>
public sealed class QuantizeTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task The_sample_is_a_third_as_large_and_as_good()
    {
        CommandRun run = await CommandRun.Of(
            "quantize",
            Sample,
            At("int8.onnx"),
            "--data",
            "sample",
            "--limit",
            "200",
            "--json",
            At("int8.json")
        );
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
        JsonElement result = Json("int8.json"),
            networks = result.GetProperty("networks");
        Assert.Equal(["float", "int8"], networks.EnumerateArray().Select(static network => network.GetProperty("kind").GetString()));
        Assert.Equal(new FileInfo(At("int8.onnx")).Length, networks[1].GetProperty("fileBytes").GetInt64());
        Assert.True(networks[1].GetProperty("fileBytes").GetDouble() < 0.4 * networks[0].GetProperty("fileBytes").GetDouble());
        Assert.True(networks[1].GetProperty("top1").GetDouble() > networks[0].GetProperty("top1").GetDouble() - 0.03);
        Assert.True(networks[1].GetProperty("latencyMs").GetDouble() > 0);
        Assert.Equal(4, result.GetProperty("layers").EnumerateArray().Count(static layer => layer.GetProperty("bits").GetInt32() == 8));
        // Judged by another way to the same numbers.
        CommandRun verified = await CommandRun.Of(
            "verify",
            Sample,
            At("int8.onnx"),
            "--data",
            "sample",
            "--limit",
            "200",
            "--runtime",
            "own",
            "--max-error",
            "0.05",
            "--max-drop",
            "3"
        );
        Assert.Equal((0, ""), (verified.Code, verified.Code == 0 ? "" : verified.Error));
        Graph before = OnnxFile.Read(Sample),
            after = OnnxFile.Read(At("int8.onnx"));
        Assert.Equal(Ports(before.FreeInputs), Ports(after.FreeInputs));
        Assert.Equal(Ports(before.Outputs), Ports(after.Outputs));
        Assert.Contains("tensorial.int8", after.Metadata.Keys);
    }

    [Fact]
    public async Task Without_samples_and_for_quantized_networks_a_sentence_is_said_and_nothing_written()
    {
        CommandRun unfed = await CommandRun.Of("quantize", Sample, At("int8.onnx"));
        Assert.Equal(2, unfed.Code);
        Assert.Contains("give --data", unfed.Error);
        Assert.Equal(0, (await CommandRun.Of("quantize", Sample, At("int8.onnx"), "--data", "sample", "--limit", "50")).Code);
        CommandRun twice = await CommandRun.Of("quantize", At("int8.onnx"), At("again.onnx"), "--data", "sample");
        Assert.Equal(3, twice.Code);
        Assert.Contains("quantized already", twice.Error);
        Sketch sketch = new();
        sketch.Node("y", new Relu(), "x");
        OnnxFile.Write(sketch.Graph(3, 4, 4), At("bare.onnx"));
        CommandRun bare = await CommandRun.Of("quantize", At("bare.onnx"), At("again.onnx"), "--data", "sample");
        Assert.Equal(3, bare.Code);
        Assert.Contains("nothing to quantize", bare.Error);
        Assert.False(File.Exists(At("again.onnx")));
    }

    [Fact]
    public async Task A_limit_that_cannot_be_met_ends_with_1_and_no_file()
    {
        CommandRun run = await CommandRun.Of(
            "quantize",
            Sample,
            At("int8.onnx"),
            "--data",
            "sample",
            "--limit",
            "100",
            "--max-error",
            "1e-6"
        );
        Assert.Equal(1, run.Code);
        Assert.Contains("within the limit", run.Error);
        Assert.Empty(_folder.GetFiles());
        CommandRun met = await CommandRun.Of(
            "quantize",
            Sample,
            At("int8.onnx"),
            "--data",
            "sample",
            "--max-drop",
            "5",
            "--keep",
            "conv1*"
        );
        Assert.Equal((0, ""), (met.Code, met.Code == 0 ? "" : met.Error));
        Assert.Contains("--keep names it: conv1.weight", met.Output);
    }

    [Fact]
    public async Task Compressed_networks_are_quantized_and_all_four_compared()
    {
        CommandRun run = await CommandRun.Of(
            "compress",
            Sample,
            At("small.onnx"),
            "--target",
            "params=0.5",
            "--data",
            "sample",
            "--limit",
            "200",
            "--calibration",
            "200",
            "--quantize",
            "--json",
            At("small.json"),
            "--report",
            At("small.html")
        );
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
        JsonElement result = Json("small.json");
        JsonElement[] networks = [.. result.GetProperty("quantization").GetProperty("networks").EnumerateArray()];
        Assert.Equal(
            ["float", "int8", "low rank", "low rank + int8"],
            networks.Select(static network => network.GetProperty("kind").GetString())
        );
        long[] bytes = [.. networks.Select(static network => network.GetProperty("fileBytes").GetInt64())];
        Assert.True(bytes[3] < bytes[1] && bytes[3] < bytes[2] && bytes[2] < bytes[0], string.Join(", ", bytes));
        Assert.Equal(bytes[3], new FileInfo(At("small.onnx")).Length);
        Assert.Equal(bytes[3], result.GetProperty("after").GetProperty("fileBytes").GetInt64());
        // Integers count as the parameters that they stand for.
        Assert.InRange(
            result.GetProperty("after").GetProperty("parameters").GetDouble()
                / result.GetProperty("before").GetProperty("parameters").GetDouble(),
            0.3,
            0.5
        );
        Assert.Equal(networks[3].GetProperty("top1").GetDouble(), result.GetProperty("after").GetProperty("top1").GetDouble());
        Assert.Contains("low rank + int8", File.ReadAllText(At("small.html")));
        Assert.Contains(OnnxFile.Read(At("small.onnx")).Nodes, static node => node.Operation is QuantizeLinear);
        Assert.Equal(2, (await CommandRun.Of("compress", Sample, At("other.onnx"), "--target", "params=0.5", "--quantize")).Code);
    }

    [Fact]
    public async Task Several_inputs_take_an_archive_with_an_array_for_each()
    {
        Sketch sketch = new();
        string first = sketch.Node("c1", new Convolution(), "x", sketch.Weights("w1", [6, 3, 3, 3]));
        string second = sketch.Node("c2", new Convolution(), "z", sketch.Weights("w2", [6, 2, 3, 3]));
        sketch.Node("y", new Add(), first, second);
        Graph graph = sketch.Graph(3, 8, 8);
        graph = graph with { Inputs = [.. graph.Inputs, new("z", ElementType.Float32, [new(1), new(2), new(8), new(8)])] };
        graph = graph with { Inputs = graph.Inputs.SetItem(0, graph.Inputs[0] with { Dimensions = [new(1), new(3), new(8), new(8)] }) };
        OnnxFile.Write(graph, At("two.onnx"));
        using (ZipArchive archive = ZipFile.Open(At("samples.npz"), ZipArchiveMode.Create))
            foreach (
                (string name, Tensor<float> values) in (IEnumerable<(string, Tensor<float>)>)
                    [("x", sketch.Random([20, 3, 8, 8])), ("z", sketch.Random([20, 1, 2, 8, 8]))]
            )
            {
                NpyFile.Write(values, At("array.npy"));
                archive.CreateEntryFromFile(At("array.npy"), $"{name}.npy");
            }
        CommandRun refused = await CommandRun.Of("quantize", At("two.onnx"), At("int8.onnx"), "--data", "sample");
        Assert.Equal(3, refused.Code);
        Assert.Contains("npz:FILE", refused.Error);
        CommandRun run = await CommandRun.Of("quantize", At("two.onnx"), At("int8.onnx"), "--data", $"npz:{At("samples.npz")}");
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"On {10} samples"), run.Output);
        using ISession session = OrtRuntime.Load(At("int8.onnx"), 1);

        CommandRun verified = await CommandRun.Of(
            "verify",
            At("two.onnx"),
            At("int8.onnx"),
            "--data",
            $"npz:{At("samples.npz")}",
            "--json",
            At("verified.json")
        );
        Assert.Equal((0, ""), (verified.Code, verified.Code == 0 ? "" : verified.Error));
        JsonElement json = Json("verified.json");
        Assert.Equal("samples.npz", json.GetProperty("data").GetString());
        Assert.Equal(20, json.GetProperty("result").GetProperty("samples").GetInt32());
        CommandRun pictures = await CommandRun.Of("verify", At("two.onnx"), At("int8.onnx"), "--data", "sample");
        Assert.Equal(3, pictures.Code);
        Assert.Contains("npz:FILE", pictures.Error);
    }

    private static string Ports(IEnumerable<Port> ports) =>
        string.Join("; ", ports.Select(static port => $"{port.Name} {port.Type} {string.Join('×', port.Dimensions ?? [])}"));

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllText(At(name))).RootElement;
}
