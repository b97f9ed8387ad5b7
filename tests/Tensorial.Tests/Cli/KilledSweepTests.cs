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
        string[] whole = Arguments("whole"), killed = Arguments("killed");
        string store = Path.Combine(_folder.FullName, "killed", "measurements.jsonl");
        using (Process process = Process.Start(new ProcessStartInfo("dotnet", [typeof(Tensorial.Cli.Tool).Assembly.Location, .. killed])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        })!)
        {
            for (int wait = 0; wait < 600 && !process.HasExited && Lines(store).Length < 12; wait++) await Task.Delay(50);
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

    private string[] Arguments(string name) =>
    [
        "analyze", Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"), "--data", "sample", "--limit", "300", "--cuts", "o|ihw,oi|hw", "--threads", "1",
        "--resume", Path.Combine(_folder.FullName, name), "--json", Path.Combine(_folder.FullName, name + ".json"), "--quiet",
    ];

    private static string[] Lines(string store)
    {
        if (!File.Exists(store)) return [];
        using StreamReader reader = new(new FileStream(store, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Everything measured, without the time it took.</summary>
    private (string, int, double, double, double)[] Numbers(string name)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder.FullName, name + ".json")));
        return [.. json.RootElement.GetProperty("truncations").EnumerateArray().Select(static t => (
            t.GetProperty("layer").GetString() + t.GetProperty("cut").GetString() + t.GetProperty("rule").GetString(), t.GetProperty("samples").GetInt32(),
            t.GetProperty("normLoss").GetDouble(), t.GetProperty("top1").GetDouble(), t.GetProperty("loss").GetDouble()))];
    }
}
