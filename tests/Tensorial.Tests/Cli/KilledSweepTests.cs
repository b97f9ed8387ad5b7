using System.Diagnostics;
using System.Text.Json;

namespace Tensorial.Tests.Cli;

/// <summary>A sweep survives the end of its process.</summary>
public sealed class KilledSweepTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task What_was_measured_before_a_kill_is_not_measured_again()
    {
        string[] whole = Arguments("whole"),
            killed = Arguments("killed");
        string store = Path.Combine(_folder.FullName, "killed", "measurements.jsonl");
        using (
            Process process = Process.Start(
                new ProcessStartInfo("dotnet", [typeof(Tensorial.Cli.Tool).Assembly.Location, .. killed])
                {
                    RedirectStandardError = true,
                    RedirectStandardOutput = true,
                }
            )!
        )
        {
            for (int wait = 0; wait < 600 && !process.HasExited && Lines(store).Length < 12; wait++)
                await Task.Delay(50);
            process.Kill();
            await process.WaitForExitAsync();
        }
        string[] measured = Lines(store);
        Assert.True(measured.Length >= 12, "the sweep measured nothing within half a minute");

        Assert.Equal(0, (await CommandRun.Of(killed)).Code);
        Assert.Equal(0, (await CommandRun.Of(whole)).Code);
        string[] resumed = Lines(store);
        // A last line torn by the kill is dropped and measured again; every whole one stays, once.
        Assert.Equal(measured[..^1], resumed[..(measured.Length - 1)]);
        Assert.Equal(Lines(Path.Combine(_folder.FullName, "whole", "measurements.jsonl")).Length, resumed.Length);
        Assert.Equal(Numbers("whole"), Numbers("killed"));

        // Finished, it costs nothing: nothing is added to the store.
        Assert.Equal(0, (await CommandRun.Of(killed)).Code);
        Assert.Equal(resumed, Lines(store));
    }

    [Theory]
    [InlineData("--limit", "9", "9 images")]
    [InlineData("--normalize", "0.3,0.3", "normalisation")]
    public async Task A_store_of_other_images_is_refused_and_left_alone(string option, string value, string named)
    {
        string[] run =
        [
            "analyze",
            Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"),
            "--data",
            "sample",
            "--cuts",
            "o|ihw",
            "--ranks",
            "2",
            "--threads",
            "1",
            "--resume",
            Path.Combine(_folder.FullName, "store"),
            "--quiet",
        ];
        string store = Path.Combine(_folder.FullName, "store", "measurements.jsonl");
        Assert.Equal(0, (await CommandRun.Of([.. run, .. option == "--limit" ? [] : (string[])["--limit", "8"]])).Code);
        string[] before = Lines(store);

        CommandRun other = await CommandRun.Of([.. run, option, value, .. option == "--limit" ? [] : (string[])["--limit", "8"]]);
        Assert.Equal(3, other.Code);
        Assert.Contains("--resume", other.Error);
        Assert.Contains(named, other.Error);
        Assert.Equal(before, Lines(store));
    }

    [Fact]
    public async Task A_store_of_another_model_is_refused_and_more_ranks_are_added()
    {
        string model = Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"),
            changed = Path.Combine(_folder.FullName, "changed.onnx");
        string[] options =
        [
            "--data",
            "sample",
            "--limit",
            "8",
            "--cuts",
            "o|ihw",
            "--threads",
            "1",
            "--resume",
            Path.Combine(_folder.FullName, "store"),
            "--quiet",
        ];
        Assert.Equal(0, (await CommandRun.Of(["analyze", model, .. options, "--ranks", "2"])).Code);
        string[] few = Lines(Path.Combine(_folder.FullName, "store", "measurements.jsonl"));
        Assert.Equal(0, (await CommandRun.Of(["analyze", model, .. options, "--ranks", "2,3"])).Code);
        string[] more = Lines(Path.Combine(_folder.FullName, "store", "measurements.jsonl"));
        Assert.Equal(few, more[..few.Length]);
        Assert.True(more.Length > few.Length);

        Assert.Equal(0, (await CommandRun.Of("truncate", model, changed, "--cut", "o|ihw", "--rank", "2")).Code);
        CommandRun refused = await CommandRun.Of(["analyze", changed, .. options, "--ranks", "2"]);
        Assert.Equal(3, refused.Code);
        Assert.Contains("changed.onnx", refused.Error);
        Assert.Contains("fashion-cnn.onnx", refused.Error);
    }

    [Fact]
    public async Task Two_shards_merge_into_the_whole()
    {
        string At(string name) => Path.Combine(_folder.FullName, name);
        string[] run =
        [
            "analyze",
            Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"),
            "--data",
            "sample",
            "--limit",
            "40",
            "--cuts",
            "o|ihw",
            "--ranks",
            "1,4,9",
            "--threads",
            "1",
            "--quiet",
        ];
        Assert.Equal(0, (await CommandRun.Of([.. run, "--json", At("whole.json")])).Code);
        foreach (string shard in (string[])["1", "2"])
            Assert.Equal(0, (await CommandRun.Of([.. run, "--shard", $"{shard}/2", "--json", At($"{shard}.json")])).Code);
        Assert.Equal(0, (await CommandRun.Of("merge", At("merged.json"), At("1.json"), At("2.json"))).Code);
        Assert.Equal(Numbers("whole").Order(), Numbers("merged").Order());
    }

    private string[] Arguments(string name) =>
        [
            "analyze",
            Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"),
            "--data",
            "sample",
            "--limit",
            "300",
            "--cuts",
            "o|ihw,oi|hw",
            "--threads",
            "1",
            "--resume",
            Path.Combine(_folder.FullName, name),
            "--json",
            Path.Combine(_folder.FullName, name + ".json"),
            "--quiet",
        ];

    private static string[] Lines(string store)
    {
        if (!File.Exists(store))
            return [];
        using StreamReader reader = new(new FileStream(store, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Everything measured, without the time it took.</summary>
    private (string, int, double, double, double)[] Numbers(string name)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder.FullName, name + ".json")));
        return
        [
            .. json
                .RootElement.GetProperty("truncations")
                .EnumerateArray()
                .Select(static t =>
                    (
                        t.GetProperty("layer").GetString() + t.GetProperty("cut").GetString() + t.GetProperty("rule").GetString(),
                        t.GetProperty("samples").GetInt32(),
                        t.GetProperty("normLoss").GetDouble(),
                        t.GetProperty("top1").GetDouble(),
                        t.GetProperty("loss").GetDouble()
                    )
                ),
        ];
    }
}
