using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tensorial.Cli;

namespace Tensorial.Tests.Cli;

/// <summary>What is sent to schedulers, in deploy: valid there, and in our own command line. PyYAML reads the files.</summary>
public sealed class DeploymentTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    private static string Deploy => Path.Combine(Oracles.Repository, "deploy");

    public static TheoryData<string> Jobs =>
        [.. Directory.GetFiles(Path.Combine(Deploy, "kubernetes"), "*.yaml").Select(static path => Path.GetFileName(path)).Order()];

    public static TheoryData<string> Scripts =>
        [.. Directory.GetFiles(Path.Combine(Deploy, "slurm"), "*.sbatch").Select(static path => Path.GetFileName(path)).Order()];

    private static JsonElement Read(string job) =>
        JsonDocument
            .Parse(
                Oracles.RunPython(
                    "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))",
                    Path.Combine(Deploy, "kubernetes", job)
                )
            )
            .RootElement;

    [OracleTheory(Oracle.PyYaml)]
    [MemberData(nameof(Jobs))]
    public void A_job_is_as_kubernetes_takes_it_and_its_command_is_ours(string name)
    {
        JsonElement job = Read(name);
        Assert.Empty(new JobSchema().MistakesOf(job));

        JsonElement spec = job.GetProperty("spec");
        JsonElement container = spec.GetProperty("template").GetProperty("spec").GetProperty("containers")[0];
        string[] arguments = [.. container.GetProperty("args").EnumerateArray().Select(static argument => argument.GetString()!)];
        int pods = spec.TryGetProperty("completions", out JsonElement completions) ? completions.GetInt32() : 1;
        if (container.TryGetProperty("command", out _))
        {
            // A shell's script, run with a program in the tool's place that prints what it is given behind the tool's file.
            Program("dotnet", "shift; printf '%s\\n' \"$@\"");
            File.WriteAllText(At("script"), Assert.Single(arguments));
            File.WriteAllLines(At("grid.txt"), [.. Enumerable.Range(1, pods).Select(static line => $"--lr 0.{line} --weight-decay 1e-4")]);
            arguments = Run(At("script"), OnPath, ("JOB_COMPLETION_INDEX", $"{pods - 1}"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Contains($"grid/lr-0.{pods}-weight-decay-1e-4.onnx", arguments);
            AssertParses(arguments, []);
            return;
        }
        AssertParses(arguments, pods > 1 ? [("JOB_COMPLETION_INDEX", $"{pods - 1}")] : []);
        int shard = Array.IndexOf(arguments, "--shard");
        Assert.Equal(pods > 1, shard >= 0);
        if (shard >= 0)
            Assert.Equal($"auto/{pods}", arguments[shard + 1]);
    }

    /// <summary>The schema is one that can fail.</summary>
    [OracleTheory(Oracle.PyYaml)]
    [InlineData("spec/completionMode", null, "backoffLimitPerIndex without completionMode Indexed")]
    [InlineData("spec/completions", "\"8\"", "job.spec.completions is string, not integer")]
    [InlineData("spec/completion", "8", "job.spec.completion is no field of it")]
    [InlineData("spec/template/spec/restartPolicy", "\"Always\"", "not one of Never, OnFailure")]
    [InlineData("spec/template/spec/containers/0/resources/requests/memory", "\"2 GB\"", "not of the form")]
    [InlineData("spec/template/spec/containers/0/args/12", "4", "is integer, not string")]
    [InlineData("spec/template/spec/containers/0/name", "\"other\"", "names tensorial, no container of the pod")]
    [InlineData("spec/template/spec/volumes/0/name", "\"other\"", "mounts no volume of the pod")]
    [InlineData("spec/podFailurePolicy/rules/0/onExitCodes/values", "[0, 2]", "exit code 0")]
    [InlineData("spec/podFailurePolicy/rules/1/onPodConditions/0/status", "true", "is boolean, not string")]
    public void A_mistake_in_a_job_is_found(string path, string? value, string expected)
    {
        JsonNode job = JsonNode.Parse(Read("sweep.yaml").GetRawText())!;
        string[] steps = path.Split('/');
        JsonNode parent = steps[..^1].Aggregate(job, static (node, step) => (int.TryParse(step, out int k) ? node[k] : node[step])!);
        JsonNode? replacement = value is null ? null : JsonNode.Parse(value);
        if (parent is JsonArray array)
            array[int.Parse(steps[^1])] = replacement;
        else if (value is null)
            parent.AsObject().Remove(steps[^1]);
        else
            parent[steps[^1]] = replacement;
        Assert.Contains(
            new JobSchema().MistakesOf(JsonDocument.Parse(job.ToJsonString()).RootElement),
            mistake => mistake.Contains(expected, StringComparison.Ordinal)
        );
    }

    /// <summary>Run with a program in the tool's place that prints what it is given, a line an argument.</summary>
    [OracleTheory(Oracle.Shell)]
    [MemberData(nameof(Scripts))]
    public void A_script_is_a_shell_s_and_its_command_ours(string name)
    {
        // srun's own options begin with two hyphens; what follows is the program.
        Program("srun", "while [[ $1 == --* ]]; do shift; done\nexec \"$@\"");
        File.WriteAllText(At("grid.txt"), "--lr 0.3 --weight-decay 1e-4\n--lr 0.1 --weight-decay 5e-4\n");
        string output = Run(
            Path.Combine(Deploy, "slurm", name),
            OnPath,
            ("TENSORIAL", "printf %s\\n"),
            ("MODEL", "model.onnx"),
            ("DATA", "cifar10:cifar10"),
            ("OPTIONS", name is "plan.sbatch" or "compress.sbatch" ? "--data cifar10:cifar10 --format tucker2" : "--normalize cifar10"),
            ("GRID", "grid.txt"),
            ("SHARDS", "8"),
            ("SLURM_ARRAY_TASK_ID", "2"),
            ("SLURM_CPUS_PER_TASK", "4")
        );
        string[] arguments = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        AssertParses(arguments, [("SLURM_ARRAY_TASK_ID", "2")]);
        if (name == "grid.sbatch")
        {
            Assert.Contains("grid/lr-0.1-weight-decay-5e-4.onnx", arguments);
            Assert.Contains("5e-4", arguments);
        }
        // An array of the same size as there are shards.
        string text = File.ReadAllText(Path.Combine(Deploy, "slurm", name));
        if (text.Contains("auto/$SHARDS", StringComparison.Ordinal))
            Assert.Contains("#SBATCH --array=1-8\n", text);
    }

    /// <summary>Two lines of a grid, trained, and their curves in one page.</summary>
    [OracleFact(Oracle.Shell)]
    public async Task A_grid_is_trained_line_by_line()
    {
        File.WriteAllText(At("grid.txt"), "--seed 1\n--seed 2 --lr 0.01\n");
        foreach (string task in (string[])["1", "2"])
            Run(
                Path.Combine(Deploy, "slurm", "grid.sbatch"),
                ("TENSORIAL", $"dotnet {typeof(Tool).Assembly.Location}"),
                ("MODEL", "lenet5"),
                ("DATA", "sample"),
                ("OPTIONS", "--limit 64 --test-limit 64 --epochs 1 --batch 32"),
                ("GRID", "grid.txt"),
                ("SLURM_ARRAY_TASK_ID", task),
                ("SLURM_CPUS_PER_TASK", "1")
            );
        string[] results = [At("grid/seed-1.json"), At("grid/seed-2-lr-0.01.json")];
        CommandRun page = await CommandRun.Of(["report", results[0], At("grid.html"), "--compare", .. results]);
        Assert.Equal(0, page.Code);
        string html = File.ReadAllText(At("grid.html"));
        Assert.Contains("seed-1", html);
        Assert.Contains("seed-2-lr-0.01", html);
        Assert.Contains("2 trainings", html);
    }

    private (string Name, string Value) OnPath => ("PATH", $"{_folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}");

    /// <summary>A program that scripts find before others of its name.</summary>
    private void Program(string name, string lines)
    {
        File.WriteAllText(At(name), $"#!/bin/bash\n{lines}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(At(name), UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private string Run(string script, params (string Name, string Value)[] variables)
    {
        ProcessStartInfo start = new("bash", [script])
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output + errors.Result);
        return output;
    }

    private static void AssertParses(string[] arguments, (string Name, string Value)[] variables)
    {
        // The variables of a task are set around the parsing alone: other tests read them too.
        foreach ((string name, string value) in variables)
            Environment.SetEnvironmentVariable(name, value);
        try
        {
            using StringWriter nowhere = new();
            RootCommand root = Tool.CreateRoot(new Terminal(nowhere, nowhere, errorIsTerminal: false, color: false));
            ParseResult parsed = root.Parse(arguments);
            Assert.Empty(parsed.Errors);
            Assert.Empty(OptionMessages.Strays(parsed));
            Assert.NotEqual(root, parsed.CommandResult.Command);
        }
        finally
        {
            foreach ((string name, _) in variables)
                Environment.SetEnvironmentVariable(name, null);
        }
    }

    private string At(string name) => Path.Combine(_folder.FullName, name);
}
