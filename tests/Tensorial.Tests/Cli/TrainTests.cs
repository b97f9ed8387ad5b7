using System.Text.Json;

namespace Tensorial.Tests.Cli;

/// <summary>Training and tuning from the command line, on the embedded sample.</summary>
public sealed class TrainTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task A_fresh_network_is_trained_and_its_checkpoint_taken_up()
    {
        string[] command = ["train", "lenet5", At("net.onnx"), "--data", "sample", "--limit", "640", "--test-limit", "200", "--batch", "32", "--lr", "0.05", "--epochs", "3", "--augment", "pad=1", "--json", At("net.json")];
        CommandRun whole = await CommandRun.Of(command);
        Assert.Equal((0, ""), (whole.Code, whole.Code == 0 ? "" : whole.Error));
        JsonElement[] epochs = Epochs("net.json");
        Assert.Equal([1, 2, 3], epochs.Select(static e => e.GetProperty("epoch").GetInt32()));
        Assert.True(epochs[2].GetProperty("loss").GetDouble() < epochs[0].GetProperty("loss").GetDouble());
        Assert.True(epochs[2].GetProperty("testTop1").GetDouble() > 0.3);
        Assert.All(epochs, static e => Assert.True(e.GetProperty("seconds").GetDouble() > 0 && e.GetProperty("trainTop1").GetDouble() > 0.05));
        string curve = Curve(epochs);

        Assert.Equal(0, (await CommandRun.Of([.. command, "--resume", At("work")])).Code);
        string state = Path.Combine(At("work"), "state.json");
        Assert.Contains("\"epoch\": 3", File.ReadAllText(state));
        CommandRun again = await CommandRun.Of([.. command, "--resume", At("work")]);
        Assert.Equal(0, again.Code);
        Assert.Equal(curve, Curve(Epochs("net.json")));
        Assert.Equal(3, (await CommandRun.Of([.. command, "--resume", At("work"), "--seed", "1"])).Code);
        Assert.Equal(0, (await CommandRun.Of("evaluate", At("net.onnx"), "--data", "sample", "--limit", "200")).Code);
    }

    [Fact]
    public async Task A_compressed_network_is_tuned_block_by_block_and_end_to_end()
    {
        Assert.Equal(0, (await CommandRun.Of("compress", Sample, At("small.onnx"), "--target", "params=0.3", "--format", "tucker2")).Code);
        CommandRun run = await CommandRun.Of(
            "tune", At("small.onnx"), At("tuned.onnx"), "--teacher", Sample, "--mode", "sequential", "--block-images", "300", "--block-epochs", "5", "--epochs", "1", "--lr", "0.002",
            "--data", "sample", "--limit", "500", "--test-limit", "400", "--json", At("tuned.json"));
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
        JsonElement result = JsonDocument.Parse(File.ReadAllText(At("tuned.json"))).RootElement;
        Assert.Equal(1, result.GetProperty("schemaVersion").GetInt32());
        Assert.NotEmpty(result.GetProperty("blocks").EnumerateArray());
        Assert.All(result.GetProperty("blocks").EnumerateArray(), static b => Assert.True(b.GetProperty("errorAfter").GetDouble() <= b.GetProperty("errorBefore").GetDouble()));
        Assert.Single(Epochs("tuned.json"));
        Assert.True(result.GetProperty("top1After").GetDouble() > result.GetProperty("top1Before").GetDouble());
    }

    private JsonElement[] Epochs(string name) => [.. JsonDocument.Parse(File.ReadAllText(At(name))).RootElement.GetProperty("epochs").EnumerateArray()];

    private static string Curve(JsonElement[] epochs) =>
        string.Join('\n', epochs.Select(static e => $"{e.GetProperty("loss").GetRawText()} {e.GetProperty("trainTop1").GetRawText()} {e.GetProperty("testTop1").GetRawText()}"));

    private string At(string name) => Path.Combine(_folder.FullName, name);
}
