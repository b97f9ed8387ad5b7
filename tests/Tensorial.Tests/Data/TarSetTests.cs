using System.Formats.Tar;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Tensorial.Data;
using Tensorial.Data.Sharded;
using Tensorial.Tests.Cli;
using Tensorial.Training;

namespace Tensorial.Tests.Data;

/// <summary>Sets in tar files: as Python's tarfile writes and reads them, and as the folder that was packed.</summary>
public sealed class TarSetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string At(string name) => Path.Combine(_folder.Path, name);

    private static ImageSet Open(string place, ImageTransform? transform = null, DataSplit split = DataSplit.Test) =>
        DataSource.Parse($"tar:{place}", transform).Open(split, Normalization.None);

    /// <summary>A picture of one colour, as a PNG file.</summary>
    private static byte[] Png(int red, int height = 2, int width = 3)
    {
        using MemoryStream to = new();
        Tensor<byte> pixels = new([height, width, 3]);
        for (int k = 0; k < height * width; k++)
            pixels.Values[3 * k] = (byte)red;
        ImageFile.WritePng(pixels, to);
        return to.ToArray();
    }

    private string Pack(string name, params (string Name, byte[] Content)[] entries)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        using FileStream to = File.Create(At(name));
        using TarWriter tar = new(to, TarEntryFormat.Pax);
        foreach ((string entry, byte[] content) in entries)
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, entry) { DataStream = new MemoryStream(content) });
        return At(name);
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>First pixels, as bytes, in the set's order.</summary>
    private static int[] Reds(ImageSet images) =>
        [.. Enumerable.Range(0, images.Count).Select(k => (int)MathF.Round(255 * images.Batch(k, 1).Values[0]))];

    [OracleTheory(Oracle.Pillow)]
    [InlineData("USTAR")]
    [InlineData("GNU")]
    [InlineData("PAX")]
    public void Shards_that_tarfile_wrote_are_read_as_Pillow_reads_them(string format)
    {
        string[] lines = Oracles
            .RunPython(
                """
                import io, json, sys, tarfile
                from PIL import Image
                import numpy
                random = numpy.random.default_rng(1)
                kind = getattr(tarfile, sys.argv[2] + '_FORMAT')
                for shard in range(3):
                    with tarfile.open(f'{sys.argv[1]}/train-{shard:06d}.tar', 'w', format=kind) as t:
                        def put(name, data):
                            info = tarfile.TarInfo(name)
                            info.size = len(data)
                            t.addfile(info, io.BytesIO(data))
                        put('__meta__.json', b'{}')
                        for k in range(7):
                            key = ('./' if k == 3 else '') + f'part{shard}/' + ('k' * 120 if k == 5 and kind != tarfile.USTAR_FORMAT else '') + f'{k}'
                            image = Image.fromarray(random.integers(0, 255, (9, 8, 3), 'u1'))
                            packed = io.BytesIO()
                            name = 'jpg' if k % 2 else 'PNG'
                            image.save(packed, 'JPEG' if k % 2 else 'PNG', quality=90)
                            label = int(random.integers(0, 9))
                            # Out of order, and beside files of other purposes.
                            if k % 3 == 0:
                                put(f'{key}.cls', f'{label}\n'.encode())
                            put(f'{key}.{name}', packed.getvalue())
                            put(f'{key}.seg.png', packed.getvalue())
                            if k % 3 == 1:
                                put(f'{key}.json', json.dumps({'text': 'é', 'cls': label}).encode())
                            if k % 3 == 2:
                                put(f'{key}.txt', b'a picture')
                                put(f'{key}.cls', str(label).encode())
                            pixels = numpy.asarray(Image.open(packed).convert('RGB')).transpose(2, 0, 1)
                            print(label, pixels.tobytes().hex())
                """,
                _folder.Path,
                format
            )
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        ImageSet images = Open(_folder.Path);
        Assert.Equal((21, Shape.From([3, 9, 8])), (images.Count, images.ImageShape));
        List<string> found = [];
        for (int k = 0; k < images.Count; k++)
            found.Add($"{images.Labels[k]} {Convert.ToHexStringLower(((Tensor<byte>)images.Stored(k, default)).Values)}");
        Assert.Equal(lines.Order(), found.Order());
    }

    [OracleFact(Oracle.Pillow)]
    public async Task What_export_writes_is_what_tarfile_and_Pillow_read()
    {
        string shards = At("shards");
        CommandRun run = await CommandRun.Of("data", "export", "--data", "sample", "--limit", "50", "--out", shards, "--shards", "3");
        Assert.Equal(0, run.Code);
        Assert.Contains($"--data tar:{shards} --grayscale", run.Output);
        string[] read = Oracles
            .RunPython(
                """
                import io, glob, itertools, sys, tarfile
                from PIL import Image
                import numpy
                for path in sorted(glob.glob(sys.argv[1] + '/*.tar')):
                    with tarfile.open(path) as t:
                        members = list(t)
                        assert all(m.isreg() and m.mtime == 0 for m in members)
                        # WebDataset: neighbours of one name up to the first dot are a sample.
                        for key, files in itertools.groupby(members, lambda m: m.name.split('.', 1)[0]):
                            sample = {m.name.split('.', 1)[1]: t.extractfile(m).read() for m in files}
                            assert set(sample) == {'png', 'cls'}, sample.keys()
                            print(int(key), int(sample['cls']), numpy.asarray(Image.open(io.BytesIO(sample['png']))).tobytes().hex())
                """,
                shards
            )
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        ImageSet sample = DataSource.Parse("sample").Open(DataSplit.Test, Normalization.None, 50);
        Assert.Equal(
            Enumerable
                .Range(0, 50)
                .Select(k => $"{k} {sample.Labels[k]} {Convert.ToHexStringLower(((Tensor<byte>)sample.Stored(k, default)).Values)}"),
            read
        );
        Assert.Equal(2, (await CommandRun.Of("data", "export", "--data", $"tar:{shards}", "--out", shards, "--shards", "3")).Code);
        Assert.Equal(
            2,
            (await CommandRun.Of("data", "export", "--data", "sample", "--limit", "2", "--out", At("more"), "--shards", "3")).Code
        );
    }

    /// <summary>Packed or not, and into how many files, the set is the same, in the same order.</summary>
    [Fact]
    public async Task A_folder_and_its_shards_are_one_set()
    {
        async Task Export(string place, params string[] options) =>
            Assert.Equal(
                0,
                (await CommandRun.Of(["data", "export", "--data", "sample", "--limit", "60", "--out", At(place), .. options])).Code
            );
        await Export("folder", "--flat");
        await Export("one", "--flat", "--shards", "1");
        await Export("five", "--shards", "5");
        ImageTransform gray = new() { Grayscale = true };
        ImageSet folder = DataSource.Parse($"images:{At("folder")}", gray).Open(DataSplit.Test, Normalization.None),
            five = Open(At("five"), gray);
        Assert.Equal(folder.Fingerprint, Open(At("one"), gray).Fingerprint);
        Assert.Equal(folder.Fingerprint, five.WithoutLabels().Fingerprint);
        Assert.Equal(folder.Fingerprint, Open(At("five") + ",unlabelled", gray).Fingerprint);
        Assert.True(five.HasLabels);
        Assert.Equal(60, five.Batches(16).Sum(static batch => batch.Count));
        Assert.Equal(folder.Batch(7, 1).Values.ToArray(), five.Pick([7]).Values.ToArray());
        Assert.Equal(five.Fingerprint, Open(At("five"), gray).Fingerprint);

        string model = Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");
        Assert.Equal(
            0,
            (await CommandRun.Of("evaluate", model, "--data", $"tar:{At("five")}", "--grayscale", "--json", At("tar.json"))).Code
        );
        Assert.Equal(0, (await CommandRun.Of("evaluate", model, "--data", "sample", "--limit", "60", "--json", At("sample.json"))).Code);
        Assert.Equal(Top1(At("sample.json")), Top1(At("tar.json")));
        CommandRun trained = await CommandRun.Of(
            "train",
            model,
            At("out.onnx"),
            "--data",
            $"tar:{At("five")}",
            "--grayscale",
            "--epochs",
            "1",
            "--batch",
            "8"
        );
        Assert.Equal("", trained.Code == 0 ? "" : trained.Error);

        static double Top1(string json) =>
            System.Text.Json.JsonDocument.Parse(File.ReadAllText(json)).RootElement.GetProperty("top1").GetDouble();
    }

    /// <summary>Files keep their bytes, so that JPEGs are not compressed twice.</summary>
    [Fact]
    public async Task Files_are_packed_as_they_are()
    {
        string[] sources =
        [
            .. new[] { "baseline.jpg", "progressive.jpg", "rgb.png", "rgb.webp" }.Select(static name =>
                Path.Combine(Oracles.Repository, "tests", "hostile", "corpus", name)
            ),
        ];
        Directory.CreateDirectory(At("pictures"));
        foreach (string source in sources)
            File.Copy(source, Path.Combine(At("pictures"), Path.GetFileName(source)));
        Assert.Equal(
            0,
            (
                await CommandRun.Of(
                    "data",
                    "export",
                    "--data",
                    $"images:{At("pictures")}",
                    "--out",
                    At("shards"),
                    "--shards",
                    "2",
                    "--split",
                    "train"
                )
            ).Code
        );
        List<string> packed = [];
        foreach (string shard in Directory.GetFiles(At("shards"), "train-*.tar"))
        {
            using TarReader tar = new(File.OpenRead(shard));
            while (tar.GetNextEntry(copyData: true) is { } entry)
                packed.Add(Path.GetExtension(entry.Name) + Convert.ToHexString(SHA256.HashData(entry.DataStream!)));
        }
        Assert.Equal(
            sources.Select(static path => Path.GetExtension(path) + Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))).Order(),
            packed.Order()
        );
    }

    [Fact]
    public async Task Arrays_are_samples_too()
    {
        for (int k = 0; k < 6; k++)
            NpyFile.Write(new Tensor<float>([2, 5], Enumerable.Repeat(k - 2.5f, 10).ToArray()), At($"{k}.npy"));
        Assert.Equal(
            0,
            (await CommandRun.Of("data", "export", "--data", $"npy:{_folder.Path}", "--out", At("shards"), "--shards", "2")).Code
        );
        ImageSet arrays = Open(At("shards"));
        Assert.Equal((6, Shape.From([2, 5])), (arrays.Count, arrays.ImageShape));
        Assert.Equal([-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f], Enumerable.Range(0, 6).Select(k => arrays.Batch(k, 1).Values[0]).Order());
        Refusal.Says<BadInputException>("holds arrays", () => Open(At("shards"), new() { Crop = new(2, 2) }));
    }

    [Fact]
    public void Packed_folders_have_their_classes_in_the_names()
    {
        string path = Pack(
            "set.tar",
            [.. Enumerable.Range(0, 8).Select(static k => ($"./{(k % 2 == 0 ? "cat" : "ant")}/{k}.png", Png(k)))]
        );
        ImageSet images = Open(path);
        Assert.Equal(2, images.Classes);
        int[] reds = Reds(images);
        for (int k = 0; k < 8; k++)
            Assert.Equal(reds[k] % 2 == 0 ? 1 : 0, images.Labels[k]);
        Assert.False(Open(path + ",unlabelled").HasLabels);
    }

    [Fact]
    public void Splits_are_subfolders_or_words_in_names_and_patterns_are_files()
    {
        foreach (
            (string name, int red) in ((string, int)[])
                [
                    ("named/set-train-0.tar", 1),
                    ("named/set-val-0.tar", 2),
                    ("named/set-val-1.tar", 3),
                    ("below/train/a.tar", 4),
                    ("below/test/a.tar", 5),
                    ("any/training0.tar", 6),
                    ("any/b.tar", 7),
                ]
        )
            Pack(name, ("x.png", Png(red)));
        Assert.Equal([2, 3], Reds(Open(At("named"))).Order());
        Assert.Equal([1], Reds(Open(At("named"), split: DataSplit.Train)));
        Assert.Equal([5], Reds(Open(At("below"))));
        Assert.Equal([4], Reds(Open(At("below"), split: DataSplit.Train)));
        Assert.Equal([6, 7], Reds(Open(At("any"))).Order());
        Assert.Equal([2, 3], Reds(Open(At("named/set-val-{0..1}.tar"), split: DataSplit.Train)).Order());
        Assert.Equal([1, 2], Reds(Open(At("named/set-{train,val}-0.tar"))).Order());
        Assert.Equal([1, 2], Reds(Open(At("named/*-0.tar"))).Order());
        Refusal.Says<IOException>("2 are missing", () => Open(At("named/set-val-{0..3}.tar")));
        Refusal.Says<IOException>("set-val-00.tar", () => Open(At("named/set-val-{00..01}.tar")));
        Refusal.Says<BadInputException>("no range", () => Open(At("named/set-val-{3..1}.tar")));
        Refusal.Says<BadInputException>("no pattern", () => Open(At("named/set-val-{3..1.tar")));
        Refusal.Says<BadInputException>("names no tar files", () => Open(At("named/*.png")));
        Refusal.Says<IOException>("neither a folder nor a tar file", () => Open(At("nowhere")));
        File.WriteAllBytes(At("x.tar.gz"), [1]);
        Refusal.Says<BadInputException>("is compressed", () => Open(At("x.tar.gz")));
    }

    public static TheoryData<string, string, string> Refused { get; } =
        new()
        {
            { "a class and", "a.png b.png", "a.cls=1" },
            { "has one picture or array", "a.png a.jpg", "" },
            { "a class is a whole number", "a.png", "a.cls=one" },
            { "a class is a whole number", "a.png", "a.cls=-1" },
            { "a class is a whole number", "a.png", "a.cls=16777216" },
            { "a class is a whole number", "a.png", "a.json={\"label\": 1.5}" },
            { "a class is a number", "a.png", "a.cls=0000000000000000000000000000000000000000000000000000000000000000000001" },
            { "JSON beside", "a.png", "a.json={" },
            { "of one kind", "a.png b.npy", "" },
            { "no pictures", "a.txt", "" },
            { "no pictures", "__a.png .png a", "" },
        };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_no_set_is_refused_in_words(string words, string files, string text)
    {
        string path = Pack(
            "x.tar",
            [
                .. files.Split(' ').Select(static name => (name, Png(1))),
                .. text.Split('=', 2) is [var name, var content] ? [(name, Text(content))] : ((string, byte[])[])[],
            ]
        );
        Refusal.Says<BadInputException>(words, () => Open(path));
    }

    [Fact]
    public void Damage_and_change_are_told_by_name()
    {
        string path = Pack("x.tar", ("a.png", Png(1)), ("b.png", Text("no picture")), ("c.png", Png(2, 9, 9)));
        ImageSet images = Open(path, new() { Exactly = new(2, 2) });
        Refusal.Says<BadInputException>("x.tar(b.png)' is no picture", () => images.Batches(2).Count());
        byte[] whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, whole[..1600]);
        Refusal.Says<BadInputException>("not an intact tar archive", () => Open(path));
        Refusal.Says<IOException>("was changed while it was in use", () => images.Batch(0, 1));
    }

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
                .Select(shard => Pack($"{shard:D2}.tar", [.. Enumerable.Range(0, 4).Select(k => ($"{k}.png", Png(4 * shard + k)))])),
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
        byte[] picture = Png(1);
        string path = Pack("x.tar", [.. Enumerable.Range(0, count).Select(k => ($"{k:D5}.png", picture))]);
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
