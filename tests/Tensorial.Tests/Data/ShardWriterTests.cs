using System.Formats.Tar;
using System.Security.Cryptography;
using Tensorial.Data;
using Tensorial.Tests.Cli;

namespace Tensorial.Tests.Data;

/// <summary>Sets that are packed into tar files: what Python reads there, and what is read again.</summary>
public sealed class ShardWriterTests : IDisposable
{
    private readonly TarSets _sets = new();

    public void Dispose() => _sets.Dispose();

    [OracleFact(Oracle.Pillow)]
    public async Task What_export_writes_is_what_tarfile_and_Pillow_read()
    {
        string shards = _sets.At("shards");
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
            (await CommandRun.Of("data", "export", "--data", "sample", "--limit", "2", "--out", _sets.At("more"), "--shards", "3")).Code
        );
    }

    /// <summary>Packed or not, and into how many files, the set is the same, in the same order.</summary>
    [Fact]
    public async Task A_folder_and_its_shards_are_one_set()
    {
        async Task Export(string place, params string[] options) =>
            Assert.Equal(
                0,
                (await CommandRun.Of(["data", "export", "--data", "sample", "--limit", "60", "--out", _sets.At(place), .. options])).Code
            );
        await Export("folder", "--flat");
        await Export("one", "--flat", "--shards", "1");
        await Export("five", "--shards", "5");
        ImageTransform gray = new() { Grayscale = true };
        ImageSet folder = DataSource.Parse($"images:{_sets.At("folder")}", gray).Open(DataSplit.Test, Normalization.None),
            five = TarSets.Open(_sets.At("five"), gray);
        Assert.Equal(folder.Fingerprint, TarSets.Open(_sets.At("one"), gray).Fingerprint);
        Assert.Equal(folder.Fingerprint, five.WithoutLabels().Fingerprint);
        Assert.Equal(folder.Fingerprint, TarSets.Open(_sets.At("five") + ",unlabelled", gray).Fingerprint);
        Assert.True(five.HasLabels);
        Assert.Equal(60, five.Batches(16).Sum(static batch => batch.Count));
        Assert.Equal(folder.Batch(7, 1).Values.ToArray(), five.Pick([7]).Values.ToArray());
        Assert.Equal(five.Fingerprint, TarSets.Open(_sets.At("five"), gray).Fingerprint);

        string model = Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");
        Assert.Equal(
            0,
            (
                await CommandRun.Of("evaluate", model, "--data", $"tar:{_sets.At("five")}", "--grayscale", "--json", _sets.At("tar.json"))
            ).Code
        );
        Assert.Equal(
            0,
            (await CommandRun.Of("evaluate", model, "--data", "sample", "--limit", "60", "--json", _sets.At("sample.json"))).Code
        );
        Assert.Equal(Top1(_sets.At("sample.json")), Top1(_sets.At("tar.json")));
        CommandRun trained = await CommandRun.Of(
            "train",
            model,
            _sets.At("out.onnx"),
            "--data",
            $"tar:{_sets.At("five")}",
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
        Directory.CreateDirectory(_sets.At("pictures"));
        foreach (string source in sources)
            File.Copy(source, Path.Combine(_sets.At("pictures"), Path.GetFileName(source)));
        Assert.Equal(
            0,
            (
                await CommandRun.Of(
                    "data",
                    "export",
                    "--data",
                    $"images:{_sets.At("pictures")}",
                    "--out",
                    _sets.At("shards"),
                    "--shards",
                    "2",
                    "--split",
                    "train"
                )
            ).Code
        );
        List<string> packed = [];
        foreach (string shard in Directory.GetFiles(_sets.At("shards"), "train-*.tar"))
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
            NpyFile.Write(new Tensor<float>([2, 5], Enumerable.Repeat(k - 2.5f, 10).ToArray()), _sets.At($"{k}.npy"));
        Assert.Equal(
            0,
            (await CommandRun.Of("data", "export", "--data", $"npy:{_sets.Folder}", "--out", _sets.At("shards"), "--shards", "2")).Code
        );
        ImageSet arrays = TarSets.Open(_sets.At("shards"));
        Assert.Equal((6, Shape.From([2, 5])), (arrays.Count, arrays.ImageShape));
        Assert.Equal([-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f], Enumerable.Range(0, 6).Select(k => arrays.Batch(k, 1).Values[0]).Order());
        Refusal.Says<BadInputException>("holds arrays", () => TarSets.Open(_sets.At("shards"), new() { Crop = new(2, 2) }));
    }
}
