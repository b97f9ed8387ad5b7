using System.Text.Json;
using System.Text.Json.Nodes;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Tests.Cli;

namespace Tensorial.Tests.Hostile;

/// <summary>Files between runs that a disk, a person or another program has changed: the damage is named, and never computed with.</summary>
public sealed class DamagedFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private static string[] Training(string output, string work) =>
        [
            .. "train lenet5".Split(' '),
            output,
            .. "--data sample --limit 64 --epochs 3 --batch 32 --no-test --threads 1 --quiet --resume".Split(' '),
            work,
        ];

    [Theory]
    [InlineData("flipped bit")]
    [InlineData("NaN")]
    [InlineData("cut")]
    [InlineData("gone")]
    public async Task A_damaged_checkpoint_is_named_and_the_one_before_used(string damage)
    {
        Assert.Equal(0, (await CommandRun.Of(Training(At("first.onnx"), At("work")))).Code);
        string file = Path.Combine(At("work"), "epoch-00003.safetensors");
        byte[] bytes = File.ReadAllBytes(file);
        switch (damage)
        {
            case "flipped bit":
                bytes[^5] ^= 0x10;
                break;
            case "NaN":
                BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 400), float.NaN);
                break;
            case "cut":
                bytes = bytes[..^100];
                break;
        }
        File.WriteAllBytes(file, bytes);
        if (damage == "gone")
            File.Delete(file);

        CommandRun again = await CommandRun.Of(Training(At("second.onnx"), At("work")));

        Assert.Equal(0, again.Code);
        Assert.Contains("epoch-00003.safetensors", again.Error);
        Assert.Contains("epoch 2", again.Error);
        Assert.Equal(Weights(At("first.onnx")), Weights(At("second.onnx")));
    }

    [Fact]
    public async Task Where_both_checkpoints_are_damaged_the_training_says_so()
    {
        Assert.Equal(0, (await CommandRun.Of(Training(At("first.onnx"), At("work")))).Code);
        foreach (string file in Directory.GetFiles(At("work"), "*.safetensors"))
            File.WriteAllBytes(file, [.. File.ReadAllBytes(file)[..^4], 0, 0, 0xC0, 0x7F]);

        CommandRun again = await CommandRun.Of(Training(At("second.onnx"), At("work")));

        Assert.Equal(3, again.Code);
        Assert.Contains("damaged", again.Error);
        Assert.False(File.Exists(At("second.onnx")));
    }

    [Theory]
    [InlineData("epoch", "-5")]
    [InlineData("epoch", "77")]
    [InlineData("steps", "-1")]
    [InlineData("bestEpoch", "9")]
    [InlineData("tensors", "\"../../etc/passwd\"")]
    [InlineData("tensors", "null")]
    [InlineData("epochs", "null")]
    [InlineData("epochs", "[null, null, null]")]
    [InlineData("signature", "null")]
    [InlineData("epochs.0.loss", "1e999")]
    [InlineData("epochs.0.trainTop1", "7")]
    [InlineData("epochs.0.epoch", "0")]
    [InlineData("epochs.0", "[]")]
    public async Task A_state_out_of_range_is_refused(string place, string value)
    {
        Assert.Equal(0, (await CommandRun.Of(Training(At("first.onnx"), At("work")))).Code);
        string path = Path.Combine(At("work"), "state.json");
        File.WriteAllText(path, With(File.ReadAllText(path), place, value));

        CommandRun again = await CommandRun.Of(Training(At("second.onnx"), At("work")));

        Assert.Equal(3, again.Code);
        Assert.Contains("state.json", again.Error);
        Assert.DoesNotContain("   at ", again.Error);
    }

    [Theory]
    [InlineData("[null]")]
    [InlineData("null")]
    [InlineData("[[]]")]
    [InlineData("[{}]")]
    [InlineData("[{\"name\": null}]")]
    [InlineData("[{\"name\": \"conv1.weight\", \"format\": \"svd-out\", \"ranks\": [1], \"damage\": 1e999}]")]
    [InlineData("[{\"name\": \"conv1.weight\", \"format\": \"svd-out\", \"ranks\": [1], \"relativeError\": -1}]")]
    [InlineData("[{\"name\": \"conv1.weight\", \"format\": \"rtt\", \"ranks\": [1,1,1], \"reshape\": [null]}]")]
    [InlineData("[{\"name\": \"conv1.weight\", \"format\": \"svd-out\", \"ranks\": null}]")]
    public async Task A_plan_with_holes_is_refused(string layers)
    {
        File.WriteAllText(At("plan.json"), $$"""{"schemaVersion": 1, "layers": {{layers}}}""");

        CommandRun run = await CommandRun.Of(
            "compress",
            Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"),
            At("out.onnx"),
            "--plan",
            At("plan.json")
        );

        Assert.Equal(3, run.Code);
        Assert.DoesNotContain("   at ", run.Error);
        Assert.False(File.Exists(At("out.onnx")));
    }

    [Theory]
    [InlineData("layers.0", "null")]
    [InlineData("layers.0.name", "null")]
    [InlineData("layers.0.cuts.0", "null")]
    [InlineData("layers.0.cuts.0.singularValues", "null")]
    [InlineData("layers.0.cuts.0.singularValues.0", "1e999")]
    [InlineData("layers.0.parameters", "-1")]
    [InlineData("layers", "{}")]
    [InlineData("provenance", "null")]
    [InlineData("model", "null")]
    [InlineData("plannedTruncations", "-3")]
    public async Task An_analysis_with_holes_is_refused(string place, string value)
    {
        string sample = Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");
        Assert.Equal(0, (await CommandRun.Of("analyze", sample, "--quiet", "--json", At("analysis.json"))).Code);
        File.WriteAllText(At("analysis.json"), With(File.ReadAllText(At("analysis.json")), place, value));

        foreach (
            string[] command in (string[][])
                [
                    ["report", At("analysis.json"), At("out.html")],
                    ["merge", At("out.json"), At("analysis.json")],
                ]
        )
        {
            CommandRun run = await CommandRun.Of(command);
            Assert.Equal(3, run.Code);
            Assert.DoesNotContain("   at ", run.Error);
        }
        Assert.False(File.Exists(At("out.html")) || File.Exists(At("out.json")));
    }

    [Fact]
    public void A_flipped_digit_in_a_store_is_found()
    {
        using (ResultStore store = ResultStore.Open(At("store")))
            for (int i = 0; i < 3; i++)
                store.Add($"key{i}", "scope", StoredKind.Baseline, new Evaluation(10, 0.5, 0.75, 1.25 + i));
        Assert.Equal(2.25, ResultStore.Read(At("store"))[1].As<Evaluation>().Loss);
        string path = Path.Combine(At("store"), "measurements.jsonl");
        File.WriteAllText(path, File.ReadAllText(path).Replace("2.25", "2.35", StringComparison.Ordinal));

        BadInputException error = Assert.Throws<BadInputException>(() => ResultStore.Read(At("store")));

        Assert.Contains("line 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_factors_are_forgotten()
    {
        using (ResultCache memory = ResultCache.Open(At("store"), "model", ""))
        {
            memory.AddValues("shift", [1, 2, 3]);
            Assert.Equal([1.0, 2.0, 3.0], memory.FindValues("shift")!);
        }
        string file = Assert.Single(Directory.GetFiles(At("store"), "*.npy"));
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);

        using ResultCache again = ResultCache.Open(At("store"), "model", "");
        Assert.Null(again.FindValues("shift"));
    }

    [Fact]
    public void One_run_at_a_time_uses_a_folder()
    {
        using FolderLock first = FolderLock.Take(At("work"), "training");

        Assert.Throws<IOException>(() => FolderLock.Take(At("work"), "training"));
    }

    [Fact]
    public async Task A_training_waits_for_no_other_in_its_folder()
    {
        using FolderLock other = FolderLock.Take(At("work"), "training");

        CommandRun run = await CommandRun.Of(Training(At("out.onnx"), At("work")));

        Assert.Equal(4, run.Code);
        Assert.Contains("another run", run.Error);
    }

    [Fact]
    public void Leftovers_of_a_killed_run_are_removed_by_the_next()
    {
        using Stream stream = new MemoryStream();
        AtomicFile.Write(At("a.json"), file => file.WriteByte(1));
        string host = "";
        AtomicFile.Write(
            At("b.json"),
            _ => host = Path.GetFileName(Directory.GetFiles(_folder.FullName, "*.partial").Single()).Split('.')[2]
        );
        // No process has this number: Linux ends at 2^22.
        string left = At($"b.json.{host}.999999999.0123.partial"),
            others = At("b.json.00000000.999999999.0123.partial"),
            running = At($"b.json.{host}.{Environment.ProcessId}.0123.partial");
        foreach (string path in (string[])[left, others, running])
            File.WriteAllText(path, "");

        AtomicFile.Write(At("b.json"), file => file.WriteByte(2));

        Assert.False(File.Exists(left));
        Assert.True(File.Exists(others) && File.Exists(running));
    }

    /// <summary>Tensors of a network by name, without what it says of the command that made it.</summary>
    private static Dictionary<string, string> Weights(string path) =>
        Tensorial
            .Onnx.OnnxFile.Read(path)
            .Initializers.ToDictionary(
                static pair => pair.Key,
                static pair =>
                    Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(pair.Value.Bytes(0, pair.Value.Shape.ElementCount)))
            );

    /// <summary>A JSON text with the value at a place, keys and numbers with dots between, replaced.</summary>
    private static string With(string json, string place, string value)
    {
        JsonNode root = JsonNode.Parse(json)!;
        string[] keys = place.Split('.');
        JsonNode at = root;
        foreach (string key in keys[..^1])
            at = (at is JsonArray list ? list[int.Parse(key)] : at[key])!;
        const string mark = "\u0001here\u0001";
        if (at is JsonArray array)
            array[int.Parse(keys[^1])] = mark;
        else
            at[keys[^1]] = mark;
        return root.ToJsonString().Replace(JsonSerializer.Serialize(mark), value, StringComparison.Ordinal);
    }
}
