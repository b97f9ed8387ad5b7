using Tensorial.Data;

namespace Tensorial.Tests.Data;

/// <summary>Sets in tar files as Python's tarfile writes them, and as strangers do.</summary>
public sealed class TarSetTests : IDisposable
{
    private readonly TarSets _sets = new();

    public void Dispose() => _sets.Dispose();

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
                _sets.Folder,
                format
            )
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        ImageSet images = TarSets.Open(_sets.Folder);
        Assert.Equal((21, Shape.From([3, 9, 8])), (images.Count, images.ImageShape));
        List<string> found = [];
        for (int k = 0; k < images.Count; k++)
            found.Add($"{images.Labels[k]} {Convert.ToHexStringLower(((Tensor<byte>)images.Stored(k, default)).Values)}");
        Assert.Equal(lines.Order(), found.Order());
    }

    [Fact]
    public void Packed_folders_have_their_classes_in_the_names()
    {
        string path = _sets.Pack(
            "set.tar",
            [.. Enumerable.Range(0, 8).Select(static k => ($"./{(k % 2 == 0 ? "cat" : "ant")}/{k}.png", TarSets.Png(k)))]
        );
        ImageSet images = TarSets.Open(path);
        Assert.Equal(2, images.Classes);
        int[] reds = Reds(images);
        for (int k = 0; k < 8; k++)
            Assert.Equal(reds[k] % 2 == 0 ? 1 : 0, images.Labels[k]);
        Assert.False(TarSets.Open(path + ",unlabelled").HasLabels);
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
            _sets.Pack(name, ("x.png", TarSets.Png(red)));
        Assert.Equal([2, 3], Reds(TarSets.Open(_sets.At("named"))).Order());
        Assert.Equal([1], Reds(TarSets.Open(_sets.At("named"), split: DataSplit.Train)));
        Assert.Equal([5], Reds(TarSets.Open(_sets.At("below"))));
        Assert.Equal([4], Reds(TarSets.Open(_sets.At("below"), split: DataSplit.Train)));
        Assert.Equal([6, 7], Reds(TarSets.Open(_sets.At("any"))).Order());
        Assert.Equal([2, 3], Reds(TarSets.Open(_sets.At("named/set-val-{0..1}.tar"), split: DataSplit.Train)).Order());
        Assert.Equal([1, 2], Reds(TarSets.Open(_sets.At("named/set-{train,val}-0.tar"))).Order());
        Assert.Equal([1, 2], Reds(TarSets.Open(_sets.At("named/*-0.tar"))).Order());
        Refusal.Says<IOException>("2 are missing", () => TarSets.Open(_sets.At("named/set-val-{0..3}.tar")));
        Refusal.Says<IOException>("set-val-00.tar", () => TarSets.Open(_sets.At("named/set-val-{00..01}.tar")));
        Refusal.Says<BadInputException>("no range", () => TarSets.Open(_sets.At("named/set-val-{3..1}.tar")));
        Refusal.Says<BadInputException>("no pattern", () => TarSets.Open(_sets.At("named/set-val-{3..1.tar")));
        Refusal.Says<BadInputException>("names no tar files", () => TarSets.Open(_sets.At("named/*.png")));
        Refusal.Says<IOException>("neither a folder nor a tar file", () => TarSets.Open(_sets.At("nowhere")));
        File.WriteAllBytes(_sets.At("x.tar.gz"), [1]);
        Refusal.Says<BadInputException>("is compressed", () => TarSets.Open(_sets.At("x.tar.gz")));
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
        string path = _sets.Pack(
            "x.tar",
            [
                .. files.Split(' ').Select(static name => (name, TarSets.Png(1))),
                .. text.Split('=', 2) is [var name, var content] ? [(name, TarSets.Text(content))] : ((string, byte[])[])[],
            ]
        );
        Refusal.Says<BadInputException>(words, () => TarSets.Open(path));
    }

    [Fact]
    public void Damage_and_change_are_told_by_name()
    {
        string path = _sets.Pack(
            "x.tar",
            ("a.png", TarSets.Png(1)),
            ("b.png", TarSets.Text("no picture")),
            ("c.png", TarSets.Png(2, 9, 9))
        );
        ImageSet images = TarSets.Open(path, new() { Exactly = new(2, 2) });
        Refusal.Says<BadInputException>("x.tar(b.png)' is no picture", () => images.Batches(2).Count());
        byte[] whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, whole[..1600]);
        Refusal.Says<BadInputException>("not an intact tar archive", () => TarSets.Open(path));
        Refusal.Says<IOException>("was changed while it was in use", () => images.Batch(0, 1));
    }
}
