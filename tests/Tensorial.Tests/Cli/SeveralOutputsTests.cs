using System.Text.Json;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Operations;

namespace Tensorial.Tests.Cli;

/// <summary>Networks with several outputs are tuned on all of them, by the weights given.</summary>
public sealed class SeveralOutputsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task Every_output_is_distilled_that_has_a_weight()
    {
        // Class scores of the whole network first, then features of its last convolution, a thousand times as large.
        Graph graph = OnnxFile.Read(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"));
        string features = graph.Nodes.Last(static node => node.Operation is MaxPool or Relu).Outputs[0];
        OnnxFile.Write(
            graph with
            {
                Nodes = [.. graph.Nodes, new("large", new Mul(), [features, "thousand"], ["features"])],
                Outputs = [.. graph.Outputs, new("features", ElementType.Float32, null)],
                Initializers = graph.Initializers.Add("thousand", new Tensor<float>([], new[] { 1000f })),
            },
            At("net.onnx")
        );
        string scores = graph.Outputs[0].Name;
        await Works("data", "export", "--data", "sample", "--limit", "200", "--out", At("pictures"), "--flat");
        await Works(
            "compress",
            At("net.onnx"),
            At("small.onnx"),
            "--target",
            "params=0.4",
            "--format",
            "svd-out",
            "--objective",
            "size",
            "--layers",
            "*"
        );
        Dictionary<string, double> before = await Errors("small.onnx");
        Assert.True(before[scores] > 0 && before["features"] > 0, Text(before));

        await Tunes("all.onnx");
        Dictionary<string, double> all = await Errors("all.onnx");
        string errors = $"{Text(before)} before, {Text(all)} after";
        Assert.True(all[scores] < before[scores], errors);
        Assert.True(all["features"] < before["features"], errors);
        Assert.Equal([scores, "features"], OnnxFile.Read(At("all.onnx")).Outputs.Select(static port => port.Name));
        Assert.Equal(OnnxFile.Read(At("small.onnx")).Nodes.Length, OnnxFile.Read(At("all.onnx")).Nodes.Length);

        await Tunes("features.onnx", "--output-weight", $"{scores}=0");
        Dictionary<string, double> one = await Errors("features.onnx");
        Assert.True(one["features"] <= 1.05 * all["features"], $"{Text(one)} for features alone, {Text(all)} for all");

        foreach (string wrong in (string[])["nothing=1", $"{scores}=-1", "features"])
        {
            CommandRun run = await CommandRun.Of([.. Tuning("wrong.onnx"), "--output-weight", wrong]);
            Assert.InRange(run.Code, 2, 3);
            Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        }
    }

    private string[] Data => ["--data", $"images:{At("pictures")}", "--grayscale"];

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private string[] Tuning(string output) =>
        [
            "tune",
            At("small.onnx"),
            At(output),
            "--teacher",
            At("net.onnx"),
            "--epochs",
            "4",
            "--batch",
            "25",
            "--lr",
            "0.002",
            .. Data,
            "--no-test",
        ];

    private Task Tunes(string output, params string[] more) => Works([.. Tuning(output), .. more]);

    private async Task<Dictionary<string, double>> Errors(string network)
    {
        await Works(["verify", At("net.onnx"), At(network), .. Data, "--json", At("verify.json")]);
        return JsonDocument
            .Parse(File.ReadAllBytes(At("verify.json")))
            .RootElement.GetProperty("result")
            .GetProperty("outputs")
            .EnumerateArray()
            .ToDictionary(
                static output => output.GetProperty("name").GetString()!,
                static output => output.GetProperty("relativeError").GetDouble()
            );
    }

    private static string Text(Dictionary<string, double> errors) => string.Join(", ", errors);

    private static async Task Works(params string[] arguments)
    {
        CommandRun run = await CommandRun.Of(arguments);
        Assert.True(run.Code == 0, $"{string.Join(' ', arguments)}: {run.Code} {run.Error}");
    }
}
