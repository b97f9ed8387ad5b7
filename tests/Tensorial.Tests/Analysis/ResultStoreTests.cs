using Tensorial.Analysis;

namespace Tensorial.Tests.Analysis;

public sealed class ResultStoreTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"tensorial-{Guid.NewGuid():N}");

    private static readonly Evaluation First = new(10, 0.5, 0.75, 1.25),
        Second = new(10, 0.25, 0.5, 2);

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void What_was_added_is_there_after_reopening()
    {
        using (ResultStore store = ResultStore.Open(_folder))
        {
            store.Add("a", "run", StoredKind.Baseline, First);
            store.Add("b", "run", StoredKind.Baseline, Second);
            store.Add("a", "run", StoredKind.Baseline, Second);
        }
        using ResultStore again = ResultStore.Open(_folder);
        Assert.Equal(First, again.Find<Evaluation>("a"));
        Assert.Equal(Second, again.Find<Evaluation>("b"));
        Assert.Null(again.Find<Evaluation>("c"));
        Assert.Equal(2, ResultStore.Read(_folder).Count);
    }

    /// <summary>A process killed in the middle of a write leaves any beginning of the last line.</summary>
    [Fact]
    public void A_line_torn_off_anywhere_costs_that_line_only()
    {
        using (ResultStore store = ResultStore.Open(_folder))
        {
            store.Add("a", "run", StoredKind.Baseline, First);
            store.Add("b", "run", StoredKind.Baseline, Second);
        }
        string path = Path.Combine(_folder, "measurements.jsonl");
        byte[] whole = File.ReadAllBytes(path);
        int first = Array.IndexOf(whole, (byte)'\n') + 1;
        for (int length = first; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            using (ResultStore store = ResultStore.Open(_folder))
            {
                Assert.Equal(First, store.Find<Evaluation>("a"));
                Assert.Null(store.Find<Evaluation>("b"));
                store.Add("b", "run", StoredKind.Baseline, Second);
            }
            Assert.Equal(whole, File.ReadAllBytes(path));
        }
    }

    [Fact]
    public void What_was_added_is_in_the_file_before_the_store_is_closed()
    {
        using ResultStore store = ResultStore.Open(_folder);
        store.Add("a", "run", StoredKind.Baseline, First);
        Assert.Single(ResultStore.Read(_folder));
    }

    [Fact]
    public void Two_writers_may_share_a_folder_but_not_a_file()
    {
        using ResultStore one = ResultStore.Open(_folder, "shard-1-of-2");
        Assert.Contains(_folder, Assert.Throws<IOException>(() => ResultStore.Open(_folder, "shard-1-of-2")).Message);
        one.Add("a", "run", StoredKind.Baseline, First);
        using ResultStore two = ResultStore.Open(_folder, "shard-2-of-2");
        Assert.Equal(First, two.Find<Evaluation>("a"));
    }

    [Fact]
    public void Damage_before_the_last_line_is_reported_with_its_place()
    {
        Directory.CreateDirectory(_folder);
        File.WriteAllText(Path.Combine(_folder, "measurements.jsonl"), "{\"key\": \"a\"\n{}\n");
        Assert.Contains("line 1", Assert.Throws<BadInputException>(() => ResultStore.Open(_folder)).Message);
    }

    [Fact]
    public void A_folder_without_results_is_no_store()
    {
        Directory.CreateDirectory(_folder);
        Assert.Throws<BadInputException>(() => ResultStore.Read(_folder));
    }

    [Fact]
    public void Keys_tell_their_parts_apart() => Assert.NotEqual(ResultStore.Key("ab", "c"), ResultStore.Key("a", "bc"));
}
