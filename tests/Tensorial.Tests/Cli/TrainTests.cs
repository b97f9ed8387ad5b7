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
        string[] command =
        [
            "train",
            "lenet5",
            At("net.onnx"),
            "--data",
            "sample",
            "--limit",
            "640",
            "--test-limit",
            "200",
            "--batch",
            "32",
            "--lr",
            "0.05",
            "--epochs",
            "3",
            "--augment",
            "pad=1",
            "--json",
            At("net.json"),
        ];
        CommandRun whole = await CommandRun.Of(command);
        Assert.Equal((0, ""), (whole.Code, whole.Code == 0 ? "" : whole.Error));
        JsonElement[] epochs = Epochs("net.json");
        Assert.Equal([1, 2, 3], epochs.Select(static e => e.GetProperty("epoch").GetInt32()));
        Assert.True(epochs[2].GetProperty("loss").GetDouble() < epochs[0].GetProperty("loss").GetDouble());
        Assert.True(epochs[2].GetProperty("testTop1").GetDouble() > 0.3);
        Assert.All(
            epochs,
            static e => Assert.True(e.GetProperty("seconds").GetDouble() > 0 && e.GetProperty("trainTop1").GetDouble() > 0.05)
        );
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
        string[] command =
        [
            "tune",
            At("small.onnx"),
            At("tuned.onnx"),
            "--teacher",
            Sample,
            "--mode",
            "sequential",
            "--block-images",
            "300",
            "--block-epochs",
            "5",
            "--epochs",
            "1",
            "--lr",
            "0.002",
            "--data",
            "sample",
            "--limit",
            "500",
            "--test-limit",
            "400",
            "--json",
            At("tuned.json"),
            "--report",
            At("tuned.html"),
            "--resume",
            At("work"),
        ];
        CommandRun run = await CommandRun.Of(command);
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
        JsonElement result = JsonDocument.Parse(File.ReadAllText(At("tuned.json"))).RootElement;
        Assert.Equal(1, result.GetProperty("schemaVersion").GetInt32());
        Assert.NotEmpty(result.GetProperty("blocks").EnumerateArray());
        Assert.All(
            result.GetProperty("blocks").EnumerateArray(),
            static b => Assert.True(b.GetProperty("errorAfter").GetDouble() <= b.GetProperty("errorBefore").GetDouble())
        );
        Assert.Single(Epochs("tuned.json"));
        Assert.Contains("Block by block", File.ReadAllText(At("tuned.html")));
        Assert.True(result.GetProperty("top1After").GetDouble() > result.GetProperty("top1Before").GetDouble());
        Assert.True(result.GetProperty("blockMemory").GetProperty("areKept").GetBoolean());

        // What is done is not done again: the same seconds, too.
        Assert.Equal(0, (await CommandRun.Of(command)).Code);
        JsonElement again = JsonDocument.Parse(File.ReadAllText(At("tuned.json"))).RootElement;
        Assert.Equal(result.GetProperty("blocks").ToString(), again.GetProperty("blocks").ToString());
        Assert.Equal(result.GetProperty("epochs").ToString(), again.GetProperty("epochs").ToString());
    }

    [Theory]
    [InlineData("rcp:2"), InlineData("tucker2")]
    public async Task A_fresh_network_is_trained_as_factors(string format)
    {
        CommandRun run = await CommandRun.Of(
            "train",
            "lenet5",
            At("net.onnx"),
            "--format",
            format,
            "--rate",
            "0.3",
            "--keep",
            "fc3*",
            "--data",
            "sample",
            "--limit",
            "640",
            "--test-limit",
            "200",
            "--batch",
            "32",
            "--lr",
            "0.05",
            "--epochs",
            "3",
            "--json",
            At("net.json")
        );
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
        JsonElement[] layers = [.. JsonDocument.Parse(File.ReadAllText(At("net.json"))).RootElement.GetProperty("layers").EnumerateArray()];
        Assert.Equal(
            format,
            layers.Single(static layer => layer.GetProperty("name").GetString() == "conv2.weight").GetProperty("format").GetString()
        );
        Assert.Contains(
            "--keep",
            layers.Single(static layer => layer.GetProperty("name").GetString() == "fc3.weight").GetProperty("keptBecause").GetString(),
            StringComparison.Ordinal
        );
        Assert.True(Epochs("net.json")[^1].GetProperty("testTop1").GetDouble() > 0.25);
        Assert.Equal(0, (await CommandRun.Of("evaluate", At("net.onnx"), "--data", "sample", "--limit", "200")).Code);
    }

    [Fact]
    public async Task A_trained_network_goes_on_as_factors_of_its_weights()
    {
        CommandRun run = await CommandRun.Of(
            "train",
            Sample,
            At("net.onnx"),
            "--format",
            "tucker2",
            "--rate",
            "0.5",
            "--data",
            "sample",
            "--limit",
            "500",
            "--test-limit",
            "300",
            "--batch",
            "50",
            "--lr",
            "0.002",
            "--epochs",
            "1",
            "--json",
            At("net.json")
        );
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
        // Far above what a single epoch could teach fresh factors.
        Assert.True(Epochs("net.json")[0].GetProperty("testTop1").GetDouble() > 0.8);
        Assert.Contains(
            JsonDocument.Parse(File.ReadAllText(At("net.json"))).RootElement.GetProperty("layers").EnumerateArray(),
            static layer => layer.TryGetProperty("relativeError", out JsonElement error) && error.GetDouble() > 0
        );
    }

    /// <summary>What a trained network knows is not undone, and networks that a rate of 0.1 leaves at chance begin lower.</summary>
    [Theory]
    [InlineData("lenet5", "", 0.05)]
    [InlineData("cnn4", "", 0.005)]
    [InlineData("lenet5", "--optimizer adam", 0.001)]
    [InlineData("SAMPLE", "", 0.001)]
    [InlineData("SAMPLE", "--optimizer nesterov", 0.01)]
    [InlineData("SAMPLE", "--fresh", 0.1)]
    [InlineData("SAMPLE", "--lr 0.3", 0.3)]
    public async Task The_usual_learning_rate_is_that_of_the_network(string network, string options, double rate)
    {
        CommandRun run = await CommandRun.Of([
            "train",
            network == "SAMPLE" ? Sample : network,
            At("net.onnx"),
            .. "--data sample --limit 32 --batch 32 --epochs 1 --schedule constant --no-test --json".Split(' '),
            At("net.json"),
            .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        ]);
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
        Assert.Equal(rate, Epochs("net.json")[0].GetProperty("learningRate").GetDouble());
    }

    [Theory]
    [
        InlineData("--format tucker2", "--rate"),
        InlineData("--rate 0.5", "--format"),
        InlineData("--format tucker2 --rate 2", "above 0 and below 1"),
        InlineData("--format nothing --rate 0.5", "no format")
    ]
    public async Task Options_of_factors_go_together(string options, string message)
    {
        CommandRun run = await CommandRun.Of(["train", "lenet5", At("net.onnx"), "--data", "sample", .. options.Split(' ')]);
        Assert.Equal(2, run.Code);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(At("net.onnx")));
    }

    [Fact]
    public async Task Memory_is_stated_and_bounded_and_curves_are_drawn()
    {
        string[] command =
        [
            "train",
            "lenet5",
            At("net.onnx"),
            "--data",
            "sample",
            "--limit",
            "128",
            "--batch",
            "32",
            "--epochs",
            "2",
            "--test-limit",
            "100",
            "--report",
            At("net.html"),
            "--json",
            At("net.json"),
        ];
        CommandRun run = await CommandRun.Of([.. command, "--memory", "3MB"]);
        Assert.Equal(0, run.Code);
        Assert.Matches("a step takes 2[.][0-9] MB.*in 4 parts", run.Error);
        JsonElement memory = JsonDocument.Parse(File.ReadAllText(At("net.json"))).RootElement.GetProperty("memory");
        Assert.Equal(4, memory.GetProperty("parts").GetInt32());
        Assert.InRange(memory.GetProperty("bytes").GetInt64(), memory.GetProperty("activationBytes").GetInt64(), 3_000_000);
        Assert.Contains("Epoch by epoch", File.ReadAllText(At("net.html")));

        CommandRun refused = await CommandRun.Of("train", Sample, At("other.onnx"), "--data", "sample", "--memory", "5MB");
        Assert.Equal(3, refused.Code);
        Assert.Contains("Batches of up to", refused.Error);
        Assert.False(File.Exists(At("other.onnx")));
        Assert.Equal(2, (await CommandRun.Of([.. command, "--memory", "much"])).Code);
    }

    private JsonElement[] Epochs(string name) =>
        [.. JsonDocument.Parse(File.ReadAllText(At(name))).RootElement.GetProperty("epochs").EnumerateArray()];

    private static string Curve(JsonElement[] epochs) =>
        string.Join(
            '\n',
            epochs.Select(static e =>
                $"{e.GetProperty("loss").GetRawText()} {e.GetProperty("trainTop1").GetRawText()} {e.GetProperty("testTop1").GetRawText()}"
            )
        );

    private string At(string name) => Path.Combine(_folder.FullName, name);
}
