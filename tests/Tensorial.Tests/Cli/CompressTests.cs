using System.Text.Json;

namespace Tensorial.Tests.Cli;

/// <summary>The engineer's way: plan, compress, verify, on the embedded sample.</summary>
public sealed class CompressTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task A_plan_is_obeyed_and_the_targets_are_met()
    {
        Assert.Equal(0, (await CommandRun.Of("plan", Sample, "--target", "params=0.6", "--target", "macs=0.6", "--format", "svd-in", "--format", "tucker2", "--out", At("plan.json"))).Code);
        CommandRun obeyed = await CommandRun.Of("compress", Sample, At("small.onnx"), "--plan", At("plan.json"), "--data", "sample", "--limit", "200", "--calibration", "200", "--json", At("small.json"), "--report", At("small.html"));
        Assert.Equal((0, ""), (obeyed.Code, obeyed.Code == 0 ? "" : obeyed.Error));

        JsonElement plan = Json("plan.json"), result = Json("small.json");
        Assert.True(result.GetProperty("after").GetProperty("parameters").GetDouble() <= 0.6 * result.GetProperty("before").GetProperty("parameters").GetDouble());
        Assert.True(result.GetProperty("after").GetProperty("macs").GetDouble() <= 0.6 * result.GetProperty("before").GetProperty("macs").GetDouble());
        foreach (JsonElement planned in plan.GetProperty("layers").EnumerateArray())
        {
            JsonElement written = result.GetProperty("layers").EnumerateArray().Single(layer => layer.GetProperty("name").GetString() == planned.GetProperty("name").GetString());
            Assert.Equal(FormatOf(planned), FormatOf(written));
        }
        string page = File.ReadAllText(At("small.html"));
        Assert.All(result.GetProperty("layers").EnumerateArray(), layer => Assert.Contains(layer.GetProperty("name").GetString()!, page));
        Assert.True(result.GetProperty("after").GetProperty("top1").GetDouble() > 0.7);

        Assert.Equal(0, (await CommandRun.Of("verify", Sample, At("small.onnx"), "--data", "sample", "--limit", "200", "--max-drop", "20")).Code);
        Assert.Equal(1, (await CommandRun.Of("verify", Sample, At("small.onnx"), "--data", "sample", "--limit", "200", "--max-difference", "0")).Code);
    }

    private static string? FormatOf(JsonElement layer) => layer.TryGetProperty("format", out JsonElement format) ? format.GetString() : null;

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllText(At(name))).RootElement;
}
