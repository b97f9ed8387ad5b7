using System.Text.Json.Nodes;
using Google.Protobuf;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Tests.Cli;
using Tensorial.Tests.Onnx;

namespace Tensorial.Tests.Hostile;

/// <summary>Stores and checkpoints say what they belong to; what belongs to another model, other images or another version is named.</summary>
public sealed class StoreOwnershipTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private readonly List<string> _told = [];

    public void Dispose() => _folder.Delete(true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    /// <summary>A model is its weights, wherever they lie: results of one are no results of the other.</summary>
    [Fact]
    public void Weights_beside_a_model_are_part_of_its_fingerprint()
    {
        File.WriteAllBytes(
            At("model.onnx"),
            TinyModel
                .Of([TinyModel.External("w", [4, 4], ("location", "w.bin"))], TinyModel.Node("MatMul", "n", ["x", "w"], ["y"]))
                .ToByteArray()
        );
        File.WriteAllBytes(At("w.bin"), new byte[64]);
        ModelFile first = ModelFile.From(At("model.onnx"));
        Assert.Equal(new FileInfo(At("model.onnx")).Length + 64, first.Bytes);
        File.WriteAllBytes(At("w.bin"), [.. new byte[63], 1]);

        Assert.NotEqual(first.Sha256, ModelFile.From(At("model.onnx")).Sha256);
        File.WriteAllBytes(At("w.bin"), new byte[64]);
        Assert.Equal(first, ModelFile.From(At("model.onnx")));
    }

    [Fact]
    public void A_cache_names_what_it_holds_of_others_and_does_not_use_it()
    {
        using (ResultCache one = ResultCache.Open(At("work"), "model-one", "", _told.Add))
            one.Add("loss", 1);
        Assert.Empty(_told);

        using ResultCache two = ResultCache.Open(At("work"), "model-two", "pictures", _told.Add);

        Assert.Null(two.Find("loss"));
        string told = Assert.Single(_told);
        Assert.Contains("model-one", told);
        Assert.Contains("model-two", told);
    }

    [Theory]
    [InlineData("damaged")]
    [InlineData("missing")]
    public void Damaged_factors_are_named_and_kept_again(string how)
    {
        using (ResultCache cache = ResultCache.Open(At("work"), "model", ""))
            cache.AddValues("shift", [1, 2, 3]);
        string file = Assert.Single(Directory.GetFiles(At("work"), "*.npy"));
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        if (how == "missing")
            File.Delete(file);

        using (ResultCache again = ResultCache.Open(At("work"), "model", "", _told.Add))
        {
            Assert.Null(again.FindValues("shift"));
            Assert.Contains(how, Assert.Single(_told));
            Assert.Contains(Path.GetFileName(file), _told[0]);
            again.AddValues("shift", [4, 5, 6]);
            Assert.Equal([4.0, 5.0, 6.0], again.FindValues("shift")!);
        }
        using ResultCache third = ResultCache.Open(At("work"), "model", "");
        Assert.Equal([4.0, 5.0, 6.0], third.FindValues("shift")!);
    }

    [Fact]
    public void Factors_that_a_killed_run_did_not_note_down_are_removed_and_nothing_else()
    {
        using (ResultCache cache = ResultCache.Open(At("work"), "model", ""))
            cache.AddValues("shift", [1, 2, 3]);
        string[] kept = [.. Directory.GetFiles(At("work"), "*.npy"), Path.Combine(At("work"), "mine.npy")];
        File.Copy(kept[0], kept[1]);
        File.Copy(kept[0], Path.Combine(At("work"), new string('a', 32) + ".npy"));

        ResultCache.Open(At("work"), "other", "").Dispose();

        Assert.Equal(kept.Order(), Directory.GetFiles(At("work"), "*.npy").Order());
    }

    [Theory]
    [InlineData("scope", "other")]
    [InlineData("version", "0.0.1")]
    [InlineData("check", null)]
    public void Every_part_of_a_line_is_under_its_checksum(string part, string? value)
    {
        using (ResultStore store = ResultStore.Open(At("work")))
            store.Add("key", "scope", StoredKind.Baseline, new Evaluation(10, 0.5, 0.75, 1.25));
        string path = Path.Combine(At("work"), "measurements.jsonl");
        JsonNode line = JsonNode.Parse(File.ReadAllText(path))!;
        line[part] = value;
        File.WriteAllText(path, line.ToJsonString() + "\n");

        Assert.Contains("line 1", Assert.Throws<BadInputException>(() => ResultStore.Read(At("work"))).Message);
    }

    [Fact]
    public void Results_of_another_version_are_told_of()
    {
        using (ResultStore store = ResultStore.Open(At("work")))
        {
            store.Add("key", "scope", StoredKind.Baseline, new Evaluation(10, 0.5, 0.75, 1.25));
            Assert.Empty(store.OtherVersions);
        }
        StoredResult old = Assert.Single(ResultStore.Read(At("work"))) with { Version = "0.0.1" };
        File.WriteAllText(
            Path.Combine(At("work"), "measurements.jsonl"),
            System.Text.Json.JsonSerializer.Serialize(old.Checked(), AnalysisJson.Line) + "\n"
        );

        using ResultStore again = ResultStore.Open(At("work"));
        Assert.Equal(["0.0.1"], again.OtherVersions);
    }

    private static string[] Training(string output, string work, params string[] test) =>
        [
            .. "train lenet5".Split(' '),
            output,
            .. "--data sample --limit 64 --epochs 1 --batch 32 --threads 1 --quiet --resume".Split(' '),
            work,
            .. test,
        ];

    [Fact]
    public async Task A_checkpoint_of_another_version_is_taken_up_and_told_of()
    {
        Assert.Equal(0, (await CommandRun.Of(Training(At("a.onnx"), At("work"), "--no-test"))).Code);
        string path = Path.Combine(At("work"), "state.json");
        JsonNode state = JsonNode.Parse(File.ReadAllText(path))!;
        state["version"] = "0.0.1";
        File.WriteAllText(path, state.ToJsonString());

        CommandRun again = await CommandRun.Of(Training(At("b.onnx"), At("work"), "--no-test"));

        Assert.Equal(0, again.Code);
        Assert.Contains("0.0.1", again.Error);
    }

    /// <summary>What each epoch came to is of certain test images.</summary>
    [Fact]
    public async Task A_checkpoint_tested_on_other_images_is_refused()
    {
        Assert.Equal(0, (await CommandRun.Of(Training(At("a.onnx"), At("work"), "--no-test"))).Code);

        CommandRun again = await CommandRun.Of(Training(At("b.onnx"), At("work")));

        Assert.Equal(3, again.Code);
        Assert.Contains("tested on", again.Error);
    }

    [Fact]
    public async Task A_compression_names_what_its_folder_holds_of_another_network()
    {
        string[] Compression(string model) =>
            ["compress", model, At("out.onnx"), "--target", "params=0.6", "--format", "svd-out", "--threads", "1", "--resume", At("work")];
        string other = At("other.onnx");
        Assert.Equal(0, (await CommandRun.Of("truncate", Sample, other, "--cut", "o|ihw", "--rank", "9")).Code);
        Assert.Equal(0, (await CommandRun.Of(Compression(Sample))).Code);

        CommandRun run = await CommandRun.Of(Compression(other));

        Assert.Equal(0, run.Code);
        Assert.Contains("not used", run.Error);
        Assert.Contains(ModelFile.From(Sample).Sha256[..12], run.Error);
    }

    [Fact]
    public async Task One_compression_at_a_time_uses_a_folder()
    {
        using ResultCache busy = ResultCache.Open(At("work"), "model", "");

        CommandRun run = await CommandRun.Of("compress", Sample, At("out.onnx"), "--target", "params=0.6", "--resume", At("work"));

        Assert.Equal(4, run.Code);
        Assert.Contains("another run", run.Error);
    }
}
