using System.Text.Json.Nodes;
using Tensorial.Analysis;
using Tensorial.Compression;

namespace Tensorial.Tests.Cli;

/// <summary>The search behind plan and compare in parts: together they are one run, to the bit.</summary>
public sealed class SearchShardTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    private static Task<CommandRun> Plan(string store, params string[] more) =>
        CommandRun.Of([
            "plan",
            Sample,
            .. "--format svd-out --format tucker2 --objective size --data sample --threads 1 --resume".Split(' '),
            store,
            .. more,
        ]);

    [Fact]
    public async Task Shards_of_a_plan_joined_give_the_plan_of_one_run()
    {
        foreach (string shard in (string[])["1/2", "2/2"])
        {
            CommandRun part = await Plan(At($"store-{shard[0]}"), "--shard", shard);
            Assert.Equal("", part.Error);
            Assert.Contains($"Shard {shard} is done", part.Output);
        }
        CommandRun merge = await CommandRun.Of("merge", At("joined"), At("store-1"), At("store-2"));
        Assert.Equal(0, merge.Code);
        Assert.DoesNotContain("Of the search", merge.Output);
        int known = Results(At("joined"));
        Assert.Equal(Results(At("store-1")) + Results(At("store-2")), known);

        CommandRun joined = await Plan(At("joined"), "--target", "params=0.5", "--out", At("joined.json")),
            whole = await Plan(At("whole"), "--target", "params=0.5", "--out", At("whole.json"));

        Assert.Equal("", joined.Error);
        Assert.Equal(whole.Output, joined.Output);
        Assert.Equal(File.ReadAllBytes(At("whole.json")), File.ReadAllBytes(At("joined.json")));
        Assert.Equal(known, Results(At("joined")));
        Assert.Equal(known, Results(At("whole")));
    }

    [Fact]
    public async Task Shards_that_share_a_folder_need_no_joining()
    {
        foreach (string shard in (string[])["1/2", "2/2"])
            Assert.Equal(0, (await Plan(At("shared"), "--shard", shard, "--allocate", "error")).Code);
        int known = Results(At("shared"));

        CommandRun plan = await Plan(At("shared"), "--target", "params=0.5", "--allocate", "error");

        Assert.Equal(0, plan.Code);
        Assert.Equal("", plan.Error);
        Assert.Equal(known, Results(At("shared")));
    }

    /// <summary>In JSON all but when, where and how long.</summary>
    [Fact]
    public async Task Shards_of_a_comparison_joined_give_that_of_one_run()
    {
        string[] Compare(string store) =>
            [
                "compare",
                Sample,
                .. "--formats svd-out,tucker2 --rates 0.25,0.5 --data sample --limit 100 --threads 1 --resume".Split(' '),
                At(store),
            ];
        foreach (string shard in (string[])["1/2", "2/2"])
            Assert.Equal(0, (await CommandRun.Of([.. Compare($"store-{shard[0]}"), "--shard", shard])).Code);
        Assert.Equal(0, (await CommandRun.Of("merge", At("joined"), At("store-1"), At("store-2"))).Code);
        int known = Results(At("joined"));

        CommandRun joined = await CommandRun.Of([.. Compare("joined"), "--json", At("joined.json")]),
            whole = await CommandRun.Of([.. Compare("whole"), "--json", At("whole.json")]);

        Assert.Equal((0, 0), (joined.Code, whole.Code));
        Assert.Equal(whole.Output, joined.Output);
        Assert.Equal(Numbers("whole.json"), Numbers("joined.json"));
        Assert.Equal(known, Results(At("joined")));
    }

    [Fact]
    public async Task Shards_of_a_search_for_forms_joined_give_that_of_one_run()
    {
        string[] Search(string store) =>
            ["search", Sample, .. "--rate 0.5 --compare --layers conv1* --layers conv2* --threads 1 --resume".Split(' '), At(store)];
        foreach (string shard in (string[])["1/2", "2/2"])
        {
            CommandRun part = await CommandRun.Of([.. Search($"store-{shard[0]}"), "--shard", shard]);
            Assert.Equal((0, ""), (part.Code, part.Error));
            Assert.Contains($"Shard {shard} is done", part.Output);
            Assert.Equal(1, Results(At($"store-{shard[0]}")));
        }
        CommandRun half = await CommandRun.Of("merge", At("half"), At("store-2"));
        Assert.Contains("nothing is there of shard 1/2", half.Output);
        Assert.Equal(0, (await CommandRun.Of("merge", At("joined"), At("store-1"), At("store-2"))).Code);
        int known = Results(At("joined"));
        Assert.Equal(Results(At("store-1")) + Results(At("store-2")), known);

        CommandRun joined = await CommandRun.Of([.. Search("joined"), "--json", At("joined.json")]),
            rest = await CommandRun.Of([.. Search("half"), "--json", At("half.json")]),
            whole = await CommandRun.Of([.. Search("whole"), "--json", At("whole.json")]),
            plain = await CommandRun.Of([.. Search("whole")[..^2], "--json", At("plain.json")]);

        Assert.Equal((0, ""), (joined.Code, joined.Error));
        Assert.Contains("nothing is there of shard 1/2", rest.Error);
        Assert.Equal(known, Results(At("joined")));
        foreach (
            (CommandRun run, string json) in ((CommandRun, string)[])[(joined, "joined.json"), (rest, "half.json"), (plain, "plain.json")]
        )
        {
            Assert.Equal(whole.Output, run.Output);
            Assert.Equal(File.ReadAllBytes(At("whole.json")), File.ReadAllBytes(At(json)));
        }

        // Of other rates nothing is known, and their shards are another search.
        Assert.Equal(
            0,
            (
                await CommandRun.Of(
                    "search",
                    Sample,
                    "--rate",
                    "0.3",
                    "--layers",
                    "conv1*",
                    "--layers",
                    "conv2*",
                    "--threads",
                    "1",
                    "--resume",
                    At("other"),
                    "--shard",
                    "1/2"
                )
            ).Code
        );
        CommandRun mixed = await CommandRun.Of("merge", At("mixed"), At("store-1"), At("other"));
        Assert.Equal(3, mixed.Code);
        Assert.Contains("only shards of one search can be joined", mixed.Error);
    }

    [Fact]
    public async Task Missing_and_unfinished_shards_are_named()
    {
        Assert.Equal(0, (await Plan(At("store"), "--shard", "1/3", "--allocate", "error")).Code);
        CommandRun merge = await CommandRun.Of("merge", At("joined"), At("store"));
        Assert.Equal(0, merge.Code);
        Assert.Contains("nothing is there of shard 2/3, 3/3", merge.Output);

        string work = ResultStore
            .Read(At("store"))
            .First(static line => line.Kind == StoredKind.Shard)
            .Value.GetProperty("work")
            .GetString()!;
        Assert.Equal(
            ["nothing is there of shard 2/3", "shard 3/3 is not finished"],
            ShardRecord.Missing([new(work, "1/3", false), new(work, "1/3", true), new(work, "3/3", false)])
        );
        Assert.Empty(ShardRecord.Missing([new(work, "1/3", true), new(work, "1/2", true), new(work, "2/2", true)]));

        CommandRun plan = await Plan(At("joined"), "--target", "params=0.5", "--allocate", "error");
        Assert.Equal(0, plan.Code);
        Assert.Contains("nothing is there of shard 2/3, 3/3", plan.Error);
    }

    [Fact]
    public async Task Shards_of_another_search_or_network_are_refused_by_name()
    {
        string other = At("other.onnx");
        Assert.Equal(0, (await CommandRun.Of("truncate", Sample, other, "--cut", "o|ihw", "--rank", "9")).Code);
        string[] Part(string model, string store, string format, string shard) =>
            ["plan", model, "--format", format, "--objective", "size", "--threads", "1", "--resume", At(store), "--shard", shard];
        foreach (
            string[] part in (string[][])
                [Part(Sample, "one", "svd-out", "1/2"), Part(Sample, "format", "svd-in", "2/2"), Part(other, "network", "svd-out", "2/2")]
        )
            Assert.Equal(0, (await CommandRun.Of(part)).Code);

        CommandRun format = await CommandRun.Of("merge", At("joined"), At("one"), At("format")),
            network = await CommandRun.Of("merge", At("joined"), At("one"), At("network"));

        Assert.Equal((3, 3), (format.Code, network.Code));
        Assert.Contains(At("format"), format.Error);
        Assert.Contains("svd-in", format.Error);
        Assert.Contains(At("network"), network.Error);
        Assert.Contains(ModelFile.From(other).Sha256[..12], network.Error);
        Assert.False(Directory.Exists(At("joined")));
    }

    [Theory]
    [InlineData(2, "--resume", "plan $ --shard 1/2")]
    [InlineData(2, "--out", "plan $ --shard 1/2 --resume store --out plan.json")]
    [InlineData(2, "--resume", "search $ --shard 1/2")]
    [InlineData(2, "--json", "search $ --shard 1/2 --resume store --json out.json")]
    [InlineData(2, "--json", "compare $ --shard 1/2 --resume store --json out.json")]
    [InlineData(3, "latency=", "plan $ --shard 1/2 --resume store --target latency=0.5")]
    [InlineData(3, "Uniform", "plan $ --shard 1/2 --resume store --format tucker2 --allocate uniform --target params=0.5")]
    public async Task What_a_shard_cannot_do_is_refused(int code, string named, string line)
    {
        CommandRun run = await CommandRun.Of([
            .. line.Split(' ')
                .Select(word =>
                    word == "$" ? Sample
                    : word is "store" or "plan.json" or "out.json" ? At(word)
                    : word
                ),
        ]);
        Assert.Equal(code, run.Code);
        Assert.Contains(named, run.Error);
    }

    /// <summary>A store of a search has no sweep's result.</summary>
    [Fact]
    public async Task Stores_of_a_search_are_joined_into_a_folder()
    {
        using (ResultCache cache = ResultCache.Open(At("store"), "model", ""))
            cache.AddValues("shift", [1, 2, 3]);
        CommandRun file = await CommandRun.Of("merge", At("out.json"), At("store"));
        Assert.Equal(2, file.Code);
        Assert.Contains("tensorial merge DIR", file.Error);

        // Again and again, as parts come in.
        foreach (int _ in (int[])[1, 2])
            Assert.Equal(0, (await CommandRun.Of("merge", At("joined"), At("store"))).Code);
        using ResultCache joined = ResultCache.Open(At("joined"), "model", "");
        Assert.Equal([1.0, 2.0, 3.0], joined.FindValues("shift")!);
    }

    /// <summary>Every layer is in one shard, and no shard has more than the average and one layer.</summary>
    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 2)]
    [InlineData(5, 7)]
    [InlineData(20, 1)]
    [InlineData(20, 3)]
    [InlineData(100, 8)]
    public void Layers_are_dealt_out_evenly(int layers, int count)
    {
        Random random = new(layers);
        double[] costs = [.. Enumerable.Range(0, layers).Select(_ => Math.Exp(4 * random.NextDouble()))];
        int[][] shards = [.. Enumerable.Range(1, count).Select(index => SearchShards.LayersOf(new(index, count), costs).ToArray())];
        Assert.Equal(Enumerable.Range(0, layers), shards.SelectMany(static own => own).Order());
        Assert.All(
            shards,
            own => Assert.True(own.Sum(layer => costs[layer]) <= costs.Sum() / count + costs.DefaultIfEmpty(0).Max() + 1e-9)
        );
    }

    private static int Results(string store) =>
        ResultStore
            .Read(store)
            .Where(static line => line.Kind is StoredKind.Compression or StoredKind.Structures)
            .DistinctBy(static line => line.Key)
            .Count();

    private string Numbers(string json)
    {
        JsonObject result = JsonNode.Parse(File.ReadAllText(At(json)))!.AsObject();
        result.Remove("provenance");
        return result.ToJsonString();
    }
}
