using System.Text.Json;

namespace Tensorial.Tests.Cli;

/// <summary>Everything but accuracy works on pictures without labels.</summary>
public sealed class LabelFreeTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static string Dense => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    private string At(string name) => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(true);

    private static async Task<CommandRun> Works(params string[] arguments)
    {
        CommandRun run = await CommandRun.Of(arguments);
        Assert.True(run.Code == 0, $"{string.Join(' ', arguments)}: {run.Code} {run.Error}");
        return run;
    }

    private JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllBytes(At(name))).RootElement;

    [Fact]
    public async Task A_folder_of_pictures_compresses_tunes_and_verifies_a_network()
    {
        await Works("data", "export", "--data", "sample", "--limit", "100", "--out", At("pictures"), "--flat");
        string[] data = ["--data", $"images:{At("pictures")}", "--grayscale"];
        await Works([
            "compress",
            Dense,
            At("small.onnx"),
            "--target",
            "params=0.3",
            "--format",
            "tucker2",
            .. data,
            "--json",
            At("c.json"),
            "--report",
            At("c.html"),
        ]);
        JsonElement compared = Json("c.json").GetProperty("verification");
        Assert.False(compared.TryGetProperty("first", out _));
        Assert.Equal(100, compared.GetProperty("samples").GetInt32());
        double error = compared.GetProperty("relativeError").GetDouble();
        Assert.InRange(error, 1e-6, 1);

        Assert.Equal(1, (await CommandRun.Of(["verify", Dense, At("small.onnx"), .. data, "--max-error", Invariant(0.9 * error)])).Code);
        await Works(["verify", Dense, At("small.onnx"), .. data, "--max-error", Invariant(1.1 * error)]);

        // Fitted without images there is more to learn.
        await Works("compress", Dense, At("small.onnx"), "--target", "params=0.3", "--format", "tucker2");
        foreach (string mode in (string[])["e2e", "sequential"])
        {
            string[] how = mode == "e2e" ? ["--epochs", "4", "--lr", "0.005"] : ["--block-images", "100", "--block-epochs", "4"];
            await Works([
                "tune",
                At("small.onnx"),
                At($"{mode}.onnx"),
                "--teacher",
                Dense,
                "--mode",
                mode,
                .. how,
                "--batch",
                "32",
                .. data,
                "--json",
                At("t.json"),
                "--report",
                At("t.html"),
            ]);
            JsonElement tuning = Json("t.json");
            Assert.False(tuning.TryGetProperty("top1Before", out _));
            Assert.True(tuning.GetProperty("errorAfter").GetDouble() < tuning.GetProperty("errorBefore").GetDouble(), mode);
        }
    }

    [Fact]
    public async Task Subfolders_give_the_accuracy_that_the_set_itself_gives()
    {
        await Works("data", "export", "--data", "sample", "--out", At("classes"));
        await Works("evaluate", Dense, "--data", "sample", "--json", At("a.json"));
        await Works("evaluate", Dense, "--data", $"images:{At("classes")}", "--grayscale", "--json", At("b.json"));
        foreach (string number in (string[])["samples", "top1", "top5"])
            Assert.Equal(Json("a.json").GetProperty(number).GetDouble(), Json("b.json").GetProperty(number).GetDouble());
        Assert.Equal(Json("a.json").GetProperty("loss").GetDouble(), Json("b.json").GetProperty("loss").GetDouble(), 1e-9);
    }

    [Theory]
    [InlineData("Top-1 accuracy needs labels", "evaluate", "NET")]
    [InlineData("Training without a teacher needs labels", "train", "NET", "OUT")]
    [InlineData("Training without a teacher needs labels", "tune", "NET", "OUT")]
    [InlineData("--max-drop needs labels", "verify", "NET", "NET", "--max-drop", "1")]
    [InlineData("max-drop= needs labels", "compress", "NET", "OUT", "--target", "max-drop=1")]
    [InlineData("needs labels", "analyze", "NET")]
    public async Task What_needs_labels_says_so(string words, params string[] arguments)
    {
        await Works("data", "export", "--data", "sample", "--limit", "8", "--out", At("few"), "--flat");
        CommandRun run = await CommandRun.Of([
            .. arguments.Select(word =>
                word == "NET" ? Dense
                : word == "OUT" ? At("out.onnx")
                : word
            ),
            "--data",
            $"images:{At("few")}",
            "--grayscale",
        ]);
        Assert.Equal(3, run.Code);
        Assert.Contains(words, run.Error);
        Assert.False(File.Exists(At("out.onnx")));
    }

    [Theory]
    [InlineData("--preset", "resnet")]
    [InlineData("--letterbox", "64", "--crop", "32")]
    [InlineData("--mean", "0.5", "--normalize", "imagenet")]
    [InlineData("--crop", "big")]
    public async Task Options_that_make_no_sense_are_usage(params string[] options) =>
        Assert.Equal(2, (await CommandRun.Of(["evaluate", Dense, "--data", $"images:{_folder.FullName}", .. options])).Code);

    private static string Invariant(double value) => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}
