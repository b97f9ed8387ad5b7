using System.Diagnostics;
using System.Text.Json;
using Tensorial.Cli;

namespace Tensorial.Tests.Cli;

/// <summary>Parts of a sweep on several machines, as schedulers number them.</summary>
public sealed class ShardTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    [Theory]
    [InlineData("2/4", "", "2/4")]
    [InlineData("auto", "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_MAX=12 SLURM_ARRAY_TASK_COUNT=8", "3/8")]
    [InlineData("auto", "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=3 SLURM_ARRAY_TASK_COUNT=4", "1/4")]
    [InlineData("auto/8", "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_COUNT=2", "7/8")]
    [InlineData("auto/8", "JOB_COMPLETION_INDEX=0", "1/8")]
    [InlineData("auto/8", "JOB_COMPLETION_INDEX=7", "8/8")]
    public void A_task_knows_its_part(string text, string variables, string expected) =>
        Assert.Equal(expected, SchedulerShard.Parse(text, Environment(variables)).ToString());

    /// <summary>A part that is guessed would be measured twice, and another never.</summary>
    [Theory]
    [InlineData("auto", "", "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set")]
    [InlineData("auto/8", "", "neither")]
    [InlineData("auto", "SLURM_ARRAY_TASK_ID=3", "SLURM_ARRAY_TASK_COUNT")]
    [InlineData("auto", "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_COUNT=2", "submitted again")]
    [InlineData("auto/8", "SLURM_ARRAY_TASK_ID=0", "numbered 1 to 8")]
    [InlineData("auto/8", "SLURM_ARRAY_TASK_ID=9", "numbered 1 to 8")]
    [InlineData("auto", "JOB_COMPLETION_INDEX=1", "auto/N")]
    [InlineData("auto/8", "JOB_COMPLETION_INDEX=8", "index 7")]
    [InlineData("auto/0", "JOB_COMPLETION_INDEX=0", "shard")]
    [InlineData("5/4", "", "shard")]
    public void A_part_is_never_guessed(string text, string variables, string named) =>
        Assert.Contains(named, Assert.Throws<BadInputException>(() => SchedulerShard.Parse(text, Environment(variables))).Message);

    [Fact]
    public async Task What_is_missing_is_named_and_the_rest_joins_to_the_whole()
    {
        foreach (int shard in (int[])[1, 3])
            Assert.Equal(0, (await Part("store", "--shard", $"{shard}/3")).Code);
        CommandRun partial = await CommandRun.Of("merge", At("partial.json"), At("store"));
        Assert.Equal(0, partial.Code);
        Assert.Contains("measurements are missing, and nothing is there of shard 2/3", partial.Output);

        // The second part on another machine, in a store of its own.
        Assert.Equal(0, (await Part("other", "--shard", "2/3")).Code);
        Assert.Equal(0, (await Part("whole")).Code);
        CommandRun joined = await CommandRun.Of("merge", At("joined.json"), At("store"), At("other"));
        Assert.DoesNotContain("missing", joined.Output);
        CommandRun whole = await CommandRun.Of("merge", At("all.json"), At("whole"));
        Assert.Equal(0, whole.Code);
        Assert.Equal(Points("all.json"), Points("joined.json"));
    }

    /// <summary>The files that are sent to Slurm, run as its tasks run them.</summary>
    [OracleFact(Oracle.Shell)]
    public void What_is_sent_to_slurm_runs()
    {
        string merged = "";
        foreach (string task in (string[])["1", "2"])
        {
            Script("sweep.sbatch", task);
            merged = Script("merge.sbatch", task);
        }
        Assert.Contains("24 of 24 planned measurements", merged);
        Assert.True(File.Exists(At("sweep.html")));

        string Script(string name, string task)
        {
            ProcessStartInfo start = new("bash", [Path.Combine(Oracles.Repository, "deploy", "slurm", name)])
            {
                WorkingDirectory = _folder.FullName,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (
                (string variable, string value) in ((string, string)[])
                    [
                        ("TENSORIAL", $"dotnet {typeof(Tool).Assembly.Location}"),
                        ("MODEL", Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx")),
                        ("DATA", "sample"),
                        ("OPTIONS", "--limit 16 --cuts oi|hw --scope layers"),
                        ("SHARDS", "2"),
                        ("SLURM_ARRAY_TASK_ID", task),
                        ("SLURM_CPUS_PER_TASK", "1"),
                    ]
            )
                start.Environment[variable] = value;
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, output + errors.Result);
            return output;
        }
    }

    private Task<CommandRun> Part(string store, params string[] more) =>
        CommandRun.Of([
            "analyze",
            Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"),
            "--data",
            "sample",
            "--limit",
            "16",
            "--cuts",
            "oi|hw",
            "--scope",
            "layers",
            "--resume",
            At(store),
            .. more,
        ]);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private string[] Points(string json) =>
        [
            .. JsonDocument
                .Parse(File.ReadAllText(At(json)))
                .RootElement.GetProperty("truncations")
                .EnumerateArray()
                .Select(static point =>
                    $"{point.GetProperty("layer")} {point.GetProperty("cut")} {point.GetProperty("rank")} {point.GetProperty("normLoss")} {point.GetProperty("top1")}"
                ),
        ];

    private static Func<string, string?> Environment(string variables)
    {
        Dictionary<string, string> known = variables
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(static pair => pair.Split('='))
            .ToDictionary(static pair => pair[0], static pair => pair[1]);
        return name => known.GetValueOrDefault(name);
    }
}
