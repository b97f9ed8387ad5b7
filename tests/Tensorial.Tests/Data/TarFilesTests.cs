using System.Security.Cryptography;
using Tensorial.Data;
using Tensorial.Data.Sharded;
using Tensorial.Training;

namespace Tensorial.Tests.Data;

/// <summary>The order of samples in tar files, and how much of them is held.</summary>
public sealed class TarFilesTests : IDisposable
{
    private readonly TarSets _sets = new();

    public void Dispose() => _sets.Dispose();

    /// <summary>A window holds whole shards, enough of them, and is gone through before the next.</summary>
    [Theory]
    [InlineData(1, 12)]
    [InlineData(7, 6)]
    [InlineData(20, 2)]
    [InlineData(21, 2)]
    [InlineData(100, 1)]
    public void Shards_are_read_window_by_window_in_the_same_order_every_time(int window, int windows)
    {
        string[] paths =
        [
            .. Enumerable
                .Range(0, 12)
                .Select(shard =>
                    _sets.Pack($"{shard:D2}.tar", [.. Enumerable.Range(0, 4).Select(k => ($"{k}.png", TarSets.Png(4 * shard + k)))])
                ),
        ];
        TarFiles files = TarFiles.Open(paths, window);
        Assert.Equal(48, Enumerable.Range(0, 48).Select(files.PathOf).Distinct().Count());
        Assert.Equal(windows, files.Windows.Count);
        int[] bounds = [.. files.Windows, 48];
        string[][] parts =
        [
            .. bounds.Zip(
                bounds.Skip(1),
                (start, end) => Enumerable.Range(start, end - start).Select(k => files.PathOf(k).Split('(')[0]).Distinct().ToArray()
            ),
        ];
        Assert.Equal(12, parts.Sum(static shards => shards.Length));
        Assert.All(bounds.Zip(bounds.Skip(1)), pair => Assert.True(pair.Second - pair.First >= Math.Min(window, 48)));
        Assert.Equal(Enumerable.Range(0, 48).Select(files.PathOf), Enumerable.Range(0, 48).Select(TarFiles.Open(paths, window).PathOf));

        ImageSet images = new("x", new PictureFiles(files, new()), null, 0, Normalization.None);
        foreach (ImageSet set in (ImageSet[])[images, images.Skip(3).Take(40)])
        {
            int[] order = set.Shuffled(new Random(5)),
                places =
                [.. order.Select(k => Array.FindLastIndex([.. files.Windows], start => start <= k + (48 - set.Count > 0 ? 3 : 0)))];
            Assert.Equal(Enumerable.Range(0, set.Count), order.Order());
            Assert.Equal(order, set.Shuffled(new Random(5)));
            Assert.Equal(places.Distinct().Count(), places.Zip(places.Skip(1)).Count(static pair => pair.First != pair.Second) + 1);
        }
    }

    /// <summary>Sets in one window, and all others, are shuffled as they ever were.</summary>
    [Fact]
    public void A_set_in_memory_is_shuffled_whole()
    {
        ImageSet sample = DataSource.Parse("sample").Open(DataSplit.Test, Normalization.None, 100);
        int[] order = [.. Enumerable.Range(0, 100)];
        BatchStream.RandomOf(3, 1, -1).Shuffle(order);
        Assert.Equal(order, sample.Shuffled(BatchStream.RandomOf(3, 1, -1)));
    }

    /// <summary>Of a set that is too large to be kept, what was decoded is let go of, however often it is gone through.</summary>
    [Fact]
    public void A_set_larger_than_memory_is_never_held()
    {
        const int count = 12_000,
            used = 200;
        byte[] picture = TarSets.Png(1);
        string path = _sets.Pack("x.tar", [.. Enumerable.Range(0, count).Select(k => ($"{k:D5}.png", picture))]);
        Watched store = new(new PictureFiles(TarFiles.Open([path]), new() { Exactly = new(256, 256) }));
        Assert.True(count * store.ImageBytes > 2L << 30);
        ImageSet images = new("x", store, null, 0, Normalization.None);
        for (int pass = 0; pass < 2; pass++)
            foreach (int[] chosen in Enumerable.Range(0, used).Chunk(10))
                images.Pick(chosen);
        int ahead = 0;
        foreach (ImageBatch batch in images.Batches(10).Take(8))
            ahead = Math.Max(ahead, store.Given - 2 * used - batch.First - batch.Count);
        // No more than the next batch is decoded ahead.
        Assert.InRange(ahead, 0, 10);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.InRange(store.Alive, 0, 20);

        // One that fits is kept from the second time on.
        Watched small = new(new PictureFiles(TarFiles.Open([path]), new() { Exactly = new(2, 2) }));
        ImageSet kept = new("x", small, null, 0, Normalization.None);
        for (int pass = 0; pass < 4; pass++)
            kept.Batch(0, 50);
        Assert.Equal(100, small.Given);
    }

    /// <summary>Knows which of the images that it gave are still there.</summary>
    private sealed class Watched(ImageStore images) : ImageStore
    {
        private readonly List<WeakReference> _given = [];

        public int Given
        {
            get
            {
                lock (_given)
                    return _given.Count;
            }
        }

        public int Alive => _given.Count(static image => image.IsAlive);

        public override int Count => images.Count;

        public override Shape ImageShape => images.ImageShape;

        public override bool IsInMemory => false;

        public override Tensor Read(int image, CancellationToken cancel)
        {
            Tensor read = images.Read(image, cancel);
            lock (_given)
                _given.Add(new(read));
            return read;
        }

        public override void AddTo(IncrementalHash hash, int first, int count) => images.AddTo(hash, first, count);
    }
}
