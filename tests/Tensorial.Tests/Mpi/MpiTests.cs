using System.Diagnostics;
using System.Text.Json;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Tests.Cli;

namespace Tensorial.Tests.Mpi;

/// <summary>train and tune under mpirun, over the MPI libraries of this machine.</summary>
public sealed class MpiTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    [OracleFact(Oracle.OpenMpi)]
    public Task Open_MPI_adds_up_and_copies() => AddsUp(Oracles.OpenMpi);

    [OracleFact(Oracle.Mpich)]
    public Task MPICH_adds_up_and_copies() => AddsUp(Oracles.Mpich);

    [OracleFact(Oracle.OpenMpi)]
    public Task Open_MPI_trains_what_one_process_trains() => TrainsAlike(Oracles.OpenMpi);

    [OracleFact(Oracle.Mpich)]
    public Task MPICH_trains_what_one_process_trains() => TrainsAlike(Oracles.Mpich);

    [OracleFact(Oracle.OpenMpi | Oracle.Mpich)]
    public async Task Both_give_the_same_bits()
    {
        foreach ((string mpirun, string name) in (Tried[])[new(Oracles.OpenMpi, "open"), new(Oracles.Mpich, "mpich")])
        {
            using MpiRun run = MpiRun.Start(mpirun, 3, To(name, Train("resnet20", "--sync-batch-norm")));
            (int code, _, string error) = await run.End();
            Assert.True(code == 0, error);
        }
        AssertSame("open", "mpich");
    }

    [OracleFact(Oracle.OpenMpi)]
    public Task A_killed_rank_of_Open_MPI_ends_the_others_and_its_training_goes_on() => IsKilledAndResumed(Oracles.OpenMpi);

    [OracleFact(Oracle.Mpich)]
    public Task A_killed_rank_of_MPICH_ends_the_others_and_its_training_goes_on() => IsKilledAndResumed(Oracles.Mpich);

    [OracleFact(Oracle.OpenMpi)]
    public Task What_fails_on_one_rank_of_Open_MPI_ends_all() => FailsOnOne(Oracles.OpenMpi);

    [OracleFact(Oracle.Mpich)]
    public Task What_fails_on_one_rank_of_MPICH_ends_all() => FailsOnOne(Oracles.Mpich);

    [OracleFact(Oracle.OpenMpi)]
    public async Task What_fails_on_all_ranks_is_said_once()
    {
        using MpiRun run = MpiRun.Start(Oracles.OpenMpi, 3, "train", "lenet5", At("net.onnx"), "--data", $"npy:{At("none")}");
        (int code, string output, string error) = await run.End();
        Assert.Equal((4, ""), (code, output));
        Assert.Equal(2, error.Split("tensorial: ").Length);
        Assert.DoesNotContain("rank 1:", error);
    }

    [OracleFact(Oracle.OpenMpi)]
    public async Task Blocks_are_handed_to_ranks_and_come_to_the_same_bits()
    {
        string sample = Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");
        Assert.Equal(0, (await CommandRun.Of("truncate", sample, At("small.onnx"), "--cut", "o|ihw", "--rank", "6")).Code);
        string[] Tune(string name) =>
            [
                "tune",
                At("small.onnx"),
                At($"{name}.onnx"),
                "--teacher",
                sample,
                "--mode",
                "sequential",
                "--block-inputs",
                "dense",
                "--block-size",
                "layer",
                "--block-images",
                "128",
                "--block-epochs",
                "2",
                "--data",
                "sample",
                "--test-limit",
                "100",
                "--threads",
                "1",
                "--resume",
                At(name),
            ];
        CommandRun alone = await CommandRun.Of(Tune("alone"));
        Assert.True(alone.Code == 0, alone.Error);
        using MpiRun run = MpiRun.Start(Oracles.OpenMpi, 2, Tune("together"));
        (int code, string output, string error) = await run.End();
        Assert.True(code == 0, error);
        Assert.Equal(Lines(alone.Output), Lines(output));
        AssertSame("alone", "together");
        Assert.Equal(Directory.GetFiles(At("alone"), "block-*").Length, Directory.GetFiles(At("together"), "block-*").Length);

        // The seconds that a block took differ.
        static string[] Lines(string output) =>
            [.. output.Split('\n').Select(static line => line.Contains("conv", StringComparison.Ordinal) ? line[..^8] : line)];
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1")]
    public async Task Without_the_library_ranks_say_what_is_missing(string rank)
    {
        using MpiRun run = MpiRun.Alone(
            new Dictionary<string, string>
            {
                ["OMPI_COMM_WORLD_SIZE"] = "2",
                ["OMPI_COMM_WORLD_RANK"] = rank,
                ["TENSORIAL_MPI"] = "/nowhere/libmpi.so",
            },
            Train("lenet5")
        );
        (int code, string output, string error) = await run.End();
        Assert.Equal((4, ""), (code, output));
        Assert.Equal(
            rank == "0"
                ? "tensorial: The MPI library was not found: /nowhere/libmpi.so could not be loaded. Install the run-time library of the MPI that starts the processes, or name it by TENSORIAL_MPI."
                : "",
            error.Trim()
        );
        Assert.False(File.Exists(At("net.onnx")));
    }

    [Fact]
    public async Task Tasks_of_Slurm_without_MPI_are_told_that_they_are_alone()
    {
        using MpiRun run = MpiRun.Alone(
            new Dictionary<string, string> { ["SLURM_STEP_NUM_TASKS"] = "4", ["SLURM_PROCID"] = "0" },
            Train("lenet5", "--epochs", "1")
        );
        (int code, _, string error) = await run.End();
        Assert.Equal(0, code);
        Assert.Contains("srun has started 4 tasks and no MPI between them: each trains by itself", error);
    }

    [OracleFact(Oracle.OpenMpi | Oracle.Mpich)]
    public async Task The_library_of_another_MPI_is_refused()
    {
        string library = Directory
            .EnumerateFiles("/usr/lib", "libmpich.so.12", new EnumerationOptions { RecurseSubdirectories = true })
            .First();
        Environment.SetEnvironmentVariable("TENSORIAL_MPI", library);
        try
        {
            using MpiRun run = MpiRun.Start(Oracles.OpenMpi, 2, Train("lenet5"));
            (int code, _, string error) = await run.End();
            Assert.Equal(4, code);
            Assert.Matches("2 processes were started together, and MPICH.* knows of 1: it is not the MPI that started them", error);
        }
        finally
        {
            Environment.SetEnvironmentVariable("TENSORIAL_MPI", null);
        }
    }

    /// <summary>With mpirun in srun's place.</summary>
    [OracleFact(Oracle.OpenMpi | Oracle.Shell)]
    public async Task What_is_sent_to_slurm_runs()
    {
        File.WriteAllText(At("srun"), $"#!/bin/bash\nexec {Oracles.OpenMpi} --oversubscribe --bind-to none -n 2 \"${{@:3}}\"\n");
        // The oracle is there on Unix alone.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(At("srun"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        using MpiRun run = MpiRun.Script(
            Path.Combine(Oracles.Repository, "deploy", "slurm", "train.sbatch"),
            new Dictionary<string, string>
            {
                ["PATH"] = $"{_folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}",
                ["MODEL"] = "lenet5",
                ["DATA"] = "sample",
                ["OPTIONS"] = "--limit 96 --test-limit 33 --batch 24 --epochs 2",
                ["STORE"] = At("work"),
                ["OUT"] = At("net.onnx"),
                ["SLURM_CPUS_PER_TASK"] = "1",
            }
        );
        (int code, string output, string error) = await run.End();
        Assert.True(code == 0, error);
        Assert.Contains("2 ranks over", error);
        Assert.Contains("top-1", output);
        Assert.True(File.Exists(At("net.onnx")) && File.Exists(Path.Combine(At("work"), "state.json")));
    }

    private static async Task AddsUp(string mpirun)
    {
        foreach (int size in (int[])[2, 3])
        {
            using MpiRun run = MpiRun.StartProgram(mpirun, size);
            (int code, string output, string error) = await run.End();
            Assert.True(code == 0, error);
            Assert.Equal(size, output.Split("as it should be").Length - 1);
        }
    }

    private async Task TrainsAlike(string mpirun)
    {
        // One step: deep networks with batch normalisations make much of a last bit, step by step.
        await AreAlike(mpirun, 2e-6, Train("resnet20", "--sync-batch-norm", "--limit", "24", "--epochs", "1"));
        await AreAlike(mpirun, 2e-4, Train("lenet5"));
    }

    private async Task AreAlike(string mpirun, double tolerance, string[] command)
    {
        CommandRun alone = await CommandRun.Of([.. To("alone", command), "--json", At("alone.json")]);
        Assert.True(alone.Code == 0, alone.Error);
        using MpiRun run = MpiRun.Start(mpirun, 2, [.. To("together", command), "--json", At("together.json")]);
        (int code, string output, string error) = await run.End();
        Assert.True(code == 0, error);
        // One table, of one rank.
        Assert.Equal(alone.Output.Split('\n').Length, output.Split('\n').Length);
        Assert.Equal(1, error.Split("2 ranks over").Length - 1);
        Assert.Contains("\"ranks\": 2", File.ReadAllText(At("together.json")));
        // 33 test images, shared by two.
        foreach ((JsonElement one, JsonElement two) in Epochs("alone").Zip(Epochs("together")))
        {
            Assert.Equal(one.GetProperty("loss").GetDouble(), two.GetProperty("loss").GetDouble(), 1e-4);
            Assert.Equal(one.GetProperty("testTop1").GetDouble(), two.GetProperty("testTop1").GetDouble(), 1.01 / 33);
        }
        foreach ((string name, float[] a, float[] b) in Weights("alone", "together"))
            Assert.True(a.Zip(b, static (x, y) => Math.Abs(x - y)).Max() <= tolerance * Math.Max(1e-3f, a.Max(Math.Abs)), name);
    }

    private async Task IsKilledAndResumed(string mpirun)
    {
        string[] whole = To("whole", Train("resnet20", "--resume", At("whole"))),
            killed = To("killed", Train("resnet20", "--resume", At("killed")));
        using (MpiRun undisturbed = MpiRun.Start(mpirun, 2, whole))
            Assert.Equal(0, (await undisturbed.End()).Code);

        string state = Path.Combine(At("killed"), "state.json");
        using (MpiRun run = MpiRun.Start(mpirun, 2, killed))
        {
            for (int wait = 0; wait < 1200 && !run.HasEnded && !File.Exists(state); wait++)
                await Task.Delay(25);
            IReadOnlyDictionary<int, int> ranks = run.Ranks();
            Assert.Equal([0, 1], ranks.Keys.Order());
            using (Process victim = Process.GetProcessById(ranks[1]))
                victim.Kill();
            (int code, string output, _) = await run.End(60);
            Assert.NotEqual(0, code);
            Assert.DoesNotContain("top-1", output);
            // mpirun does not wait for those that it ends.
            for (int wait = 0; wait < 100 && ranks.Values.Any(IsRunning); wait++)
                await Task.Delay(100);
            Assert.All(ranks.Values, static id => Assert.False(IsRunning(id)));
        }
        Assert.False(File.Exists(At("killed.onnx")));
        Assert.DoesNotContain("\"epoch\": 3", File.ReadAllText(state));

        using (MpiRun again = MpiRun.Start(mpirun, 2, killed))
            Assert.Equal(0, (await again.End()).Code);
        AssertSame("whole", "killed");
        Assert.Empty(_folder.GetFiles("*.partial", SearchOption.AllDirectories));
    }

    private async Task FailsOnOne(string mpirun)
    {
        // A folder in the way of rank 0's checkpoint.
        Directory.CreateDirectory(Path.Combine(At("work"), "epoch-00001.safetensors", "in the way"));
        using MpiRun run = MpiRun.Start(mpirun, 2, Train("lenet5", "--resume", At("work")));
        (int code, string output, string error) = await run.End(60);
        Assert.Equal((4, ""), (code, output));
        Assert.Contains("tensorial: ", error);
        Assert.DoesNotContain(" at Tensorial.", error);
        Assert.False(File.Exists(At("net.onnx")));
        Assert.Empty(_folder.GetFiles("*.partial", SearchOption.AllDirectories));
    }

    private static bool IsRunning(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private void AssertSame(string one, string other) =>
        Assert.All(Weights(one, other), static weight => Assert.Equal(weight.First, weight.Second));

    private IEnumerable<(string Name, float[] First, float[] Second)> Weights(string one, string other)
    {
        Graph a = OnnxFile.Read(At($"{one}.onnx")),
            b = OnnxFile.Read(At($"{other}.onnx"));
        foreach ((string name, Tensor value) in a.Initializers)
            if (value is Tensor<float> floats)
                yield return (name, floats.Values.ToArray(), b.Initializers[name].Of<float>().Values.ToArray());
    }

    /// <summary>A training of some seconds.</summary>
    private string[] Train(string model, params string[] more) =>
        [
            "train",
            model,
            At("net.onnx"),
            "--data",
            "sample",
            .. more.Contains("--limit") ? [] : (string[])["--limit", "96"],
            "--test-limit",
            "33",
            "--batch",
            "24",
            .. more.Contains("--epochs") ? [] : (string[])["--epochs", "3"],
            "--lr",
            "0.02",
            "--augment",
            "pad=2,flip",
            "--threads",
            "1",
            .. more,
        ];

    private JsonElement[] Epochs(string name)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(At($"{name}.json")));
        return [.. json.RootElement.GetProperty("epochs").EnumerateArray().Select(static epoch => epoch.Clone())];
    }

    /// <summary>The same with another output.</summary>
    private string[] To(string name, string[] command) => [.. command[..2], At($"{name}.onnx"), .. command[3..]];

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private readonly record struct Tried(string Mpirun, string Name);
}
