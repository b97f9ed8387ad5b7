using System.Text.Json;
using Tensorial.Compression;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Onnx;

namespace Tensorial.Tests.Cli;

/// <summary>Where the time goes: every layer has its steps in each runtime, before and after.</summary>
public sealed class LayerTimesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    public void Dispose() => _folder.Delete(true);

    [Theory]
    [InlineData("/conv1/Conv", "/conv1/Conv")]
    [InlineData("/conv1/Conv/cp3/ri", "/conv1/Conv")]
    [InlineData("Conv_12_nchwc", "Conv_12")]
    [InlineData("Conv_1 + Relu_2", "Conv_1")]
    [InlineData("Conv_123", "")]
    [InlineData("unblock /conv1/Conv_output_0", "")]
    public void A_step_belongs_to_the_longest_name_that_it_begins_with(string step, string layer) =>
        Assert.Equal(layer, LayerTimes.LayerOf(step, ["/conv1", "/conv1/Conv", "Conv_1", "Conv_12"]));

    [Fact]
    public async Task Every_layer_has_its_time_before_and_after_in_each_runtime()
    {
        string small = At("small.onnx");
        CommandRun run = await CommandRun.Of(
            "compress",
            Sample,
            small,
            "--target",
            "params=0.5",
            "--format",
            "svd-out",
            "--objective",
            "size",
            "--json",
            At("small.json"),
            "--report",
            At("small.html")
        );
        Assert.True(run.Code == 0, run.Error);
        using JsonDocument result = JsonDocument.Parse(await File.ReadAllTextAsync(At("small.json")));
        JsonElement[] times = [.. result.RootElement.GetProperty("layerTimes").EnumerateArray()];
        Assert.Contains(times, static one => one.GetProperty("runtime").GetString() == "tensorial");
        foreach (JsonElement one in times)
            Check(one, small);
        Assert.Contains("Where the time goes", await File.ReadAllTextAsync(At("small.html")), StringComparison.Ordinal);

        foreach (string runtime in (string[])["own", .. times.Length > 1 ? ["onnxruntime"] : (string[])[]])
        {
            run = await CommandRun.Of(
                "bench",
                Sample,
                small,
                "--by-layer",
                "--runtime",
                runtime,
                "--pairs",
                "1",
                "--json",
                At($"{runtime}.json")
            );
            Assert.True(run.Code == 0, run.Error);
            Assert.Contains("everything else", run.Output, StringComparison.Ordinal);
            using JsonDocument bench = JsonDocument.Parse(await File.ReadAllTextAsync(At($"{runtime}.json")));
            Check(bench.RootElement.GetProperty("layers"), small);
        }
    }

    [Fact]
    public void The_peak_is_that_of_a_processor() => Assert.InRange(PeakRate.MacsPerSecond, 1e7, 1e12);

    /// <summary>The layers are those that multiply, and their multiply-accumulates add up to the networks'.</summary>
    private static void Check(JsonElement times, string small)
    {
        (GraphStatistics before, GraphStatistics after) = (
            GraphStatistics.From(OnnxFile.Read(Sample)),
            GraphStatistics.From(OnnxFile.Read(small))
        );
        JsonElement[] layers = [.. times.GetProperty("layers").EnumerateArray()];
        Assert.Equal(
            [.. before.Nodes.Where(static node => node.Macs > 0).Select(static node => node.Node.Label), ""],
            layers.Select(static layer => layer.GetProperty("layer").GetString())
        );
        foreach (JsonElement layer in layers.SkipLast(1))
        foreach (string time in (string[])["beforeMs", "afterMs", "floorBeforeMs", "floorAfterMs"])
            Assert.True(layer.GetProperty(time).GetDouble() > 0, $"{layer} in {times.GetProperty("runtime")}");
        Assert.Equal(before.Macs, layers.Sum(static layer => layer.GetProperty("macsBefore").GetInt64()));
        Assert.Equal(after.Macs, layers.Sum(static layer => layer.GetProperty("macsAfter").GetInt64()));
    }

    private string At(string name) => Path.Combine(_folder.FullName, name);
}
