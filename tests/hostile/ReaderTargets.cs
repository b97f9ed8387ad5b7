using System.IO.Compression;
using System.Text;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Data.Fetching;
using Tensorial.Decompositions;
using Tensorial.Equations;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Training;
using Tensorial.Training.Schedules;

namespace Tensorial.Hostile;

/// <summary>Files that strangers give: models, images, arrays, archives, and texts.</summary>
internal static class ReaderTargets
{
    /// <summary>Bytes that are read of an entry of an archive.</summary>
    private const int MostOfEntry = 1 << 20;

    public static IReadOnlyList<Target> All =>
        [
            new("onnx", false, Corpora.Models, Messages.Mutate, Onnx),
            new("external-data", false, ExternalModels, Messages.Mutate, External),
            new("npy", false, Arrays, Bytes.Mutate, static bytes => NpyFile.Read(new MemoryStream(bytes), "x.npy", bytes.Length)),
            new("npz", false, Packs, MutatePack, Npz),
            new("idx", false, Idx, Bytes.Mutate, static bytes => IdxFile.Read(new MemoryStream(bytes), "x-idx", bytes.Length, 1..4, 100)),
            new("gzip", false, static () => [.. Idx().Select(Corpora.Zipped)], MutateZipped, Gzip),
            new("tar", false, static () => [Tar()], MutateTar, static bytes => ReadAll(Scratch.Write(bytes, "x.tar"))),
            new("tgz", false, static () => [Corpora.Zipped(Tar())], MutateTgz, static bytes => ReadAll(Scratch.Write(bytes, "x.tgz"))),
            new("tar-set", false, static () => [TarSet()], MutateTar, Shards),
            new("cifar", false, static () => [Records()], Bytes.Mutate, Cifar),
            new("pictures", false, Corpora.Pictures, MutatePicture, static bytes => ImageFile.Read(bytes, "x")),
            new("picture-folder", false, Corpora.Pictures, MutatePicture, PictureFolder),
            new(
                "safetensors",
                false,
                static () => Corpora.Files("weights.safetensors", "block-001.safetensors"),
                Bytes.Mutate,
                Safetensors
            ),
            new("einsum", false, Equations, Texts.Mutate, Einsum),
            new("options", false, Options, Texts.Mutate, Option),
        ];

    private static void Onnx(byte[] bytes)
    {
        Graph graph = OnnxFile.Read(bytes, "x.onnx");
        _ = KernelWeights.From(WeightsAsInitializers.Apply(graph));
        _ = OnnxFile.Read(OnnxFile.ToBytes(graph), "again.onnx");
    }

    private static IReadOnlyList<byte[]> ExternalModels()
    {
        string path = Scratch.Write(Corpora.File("tiny.onnx"), "make", "model.onnx");
        Onnx.OnnxModel model = OnnxWriter.Write(OnnxFile.Read(path));
        string target = Scratch.At("make", "external.onnx");
        // The values of tiny tensors stay inside; here every one goes out.
        model.Save(target, largest: 0);
        byte[] kept = File.ReadAllBytes(target);
        Onnx.Proto.ModelProto proto = Tensorial.Onnx.Proto.ModelProto.Parser.ParseFrom(Corpora.File("tiny.onnx"));
        int offset = 0;
        foreach (Onnx.Proto.TensorProto tensor in proto.Graph.Initializer)
        {
            int length = tensor.RawData.Length;
            tensor.ClearRawData();
            tensor.DataLocation = Tensorial.Onnx.Proto.TensorProto.Types.DataLocation.External;
            foreach (
                (string key, string value) in ((string, string)[])
                    [("location", "data.bin"), ("offset", $"{offset}"), ("length", $"{length}")]
            )
                tensor.ExternalData.Add(new Onnx.Proto.StringStringEntryProto { Key = key, Value = value });
            offset += length;
        }
        return [Google.Protobuf.MessageExtensions.ToByteArray(proto), kept];
    }

    private static void External(byte[] bytes)
    {
        string path = Scratch.Write(bytes, "external", "model.onnx"),
            data = Scratch.At("external", "data.bin");
        if (!File.Exists(data))
            File.WriteAllBytes(data, new byte[2048]);
        _ = OnnxFile.Read(path);
        _ = ModelFile.From(path);
    }

    private static byte[] Npy(Tensor tensor)
    {
        using MemoryStream stream = new();
        NpyFile.Write(tensor, stream);
        return stream.ToArray();
    }

    private static IReadOnlyList<byte[]> Arrays() =>
        [
            Npy(new Tensor<float>([2, 3, 4], Enumerable.Range(0, 24).Select(static k => k / 7f).ToArray())),
            Npy(new Tensor<byte>([5, 2])),
            Npy(new Tensor<long>([7])),
            Npy(new Tensor<double>([])),
        ];

    private static byte[] Pack(IEnumerable<(string Name, byte[] Bytes)> entries)
    {
        using MemoryStream stream = new();
        using (ZipArchive zip = new(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach ((string name, byte[] bytes) in entries)
            {
                using Stream entry = zip.CreateEntry(name, CompressionLevel.Fastest).Open();
                entry.Write(bytes);
            }
        return stream.ToArray();
    }

    private static IReadOnlyList<byte[]> Packs() => [Pack([("images.npy", Arrays()[0]), ("labels.npy", Arrays()[2])])];

    private static byte[] MutatePack(IReadOnlyList<byte[]> corpus, Random random) =>
        random.Next(2) == 0
            ? Bytes.Mutate(corpus, random)
            : Pack([("images.npy", Bytes.Mutate(Arrays(), random)), (random.Next(2) == 0 ? "labels.npy" : "images.npy", Arrays()[2])]);

    private static void Npz(byte[] bytes)
    {
        using NpzFile file = NpzFile.Open(new MemoryStream(bytes), "x.npz");
        foreach (string name in file.Names)
            _ = file.Read(name);
    }

    private static IReadOnlyList<byte[]> Idx() =>
        [
            [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8],
            [0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 2],
        ];

    private static byte[] MutateZipped(IReadOnlyList<byte[]> corpus, Random random) =>
        random.Next(2) == 0 ? Bytes.Mutate(corpus, random) : Corpora.Zipped(Bytes.Mutate(Idx(), random));

    private static void Gzip(byte[] bytes) => _ = IdxFile.Read(Scratch.Write(bytes, "x-idx3-ubyte.gz"), 1..4);

    private static byte[] Tar() => Packed(("set/one.bin", [1, 2, 3]), ("set/" + new string('n', 120), new byte[700]));

    /// <summary>Samples as WebDataset has them.</summary>
    private static byte[] TarSet() =>
        Packed(
            ("a.png", Corpora.File("one.png")),
            ("a.cls", "1"u8.ToArray()),
            ("./b.png", Corpora.File("one.png")),
            ("b.json", """{"cls": 0, "text": "b"}"""u8.ToArray()),
            ("c.txt", "no picture"u8.ToArray())
        );

    private static void Shards(byte[] bytes)
    {
        _ = Scratch.Write(bytes, "shards", "a.tar");
        ImageSet images = DataSource
            .Parse($"tar:{Path.GetDirectoryName(Scratch.At("shards", "a.tar"))}")
            .Open(DataSplit.Test, Normalization.None);
        foreach (ImageBatch batch in images.Batches(2))
            _ = batch.Images.Shape;
        _ = images.Fingerprint;
    }

    private static byte[] Packed(params (string Name, byte[] Bytes)[] entries)
    {
        using MemoryStream stream = new();
        using (System.Formats.Tar.TarWriter writer = new(stream, System.Formats.Tar.TarEntryFormat.Pax, leaveOpen: true))
            foreach ((string name, byte[] bytes) in entries)
                writer.WriteEntry(
                    new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, name)
                    {
                        DataStream = new MemoryStream(bytes),
                        ModificationTime = DateTimeOffset.UnixEpoch,
                    }
                );
        return stream.ToArray();
    }

    private static byte[] MutateTar(IReadOnlyList<byte[]> corpus, Random random)
    {
        byte[] bytes = Bytes.Mutate(corpus, random);
        return random.Next(4) == 0 ? bytes : Repair.Tar(bytes);
    }

    private static byte[] MutateTgz(IReadOnlyList<byte[]> corpus, Random random) =>
        random.Next(3) == 0 ? Bytes.Mutate(corpus, random) : Corpora.Zipped(MutateTar([Tar()], random));

    private static void ReadAll(string path)
    {
        byte[] buffer = new byte[4096];
        foreach ((string _, Stream content) in Container.Open(path).Entries(static _ => true))
            try
            {
                for (int total = 0, read; total < MostOfEntry && (read = content.Read(buffer)) > 0; total += read) { }
            }
            catch (InvalidDataException error)
            {
                // What unpacks an entry says so.
                throw new BadInputException(error.Message, error);
            }
    }

    private static byte[] Records() => [.. Enumerable.Range(0, 2).SelectMany(static record => (byte[])[(byte)record, .. new byte[3072]])];

    private static void Cifar(byte[] bytes)
    {
        _ = Scratch.Write(bytes, "cifar", "test_batch.bin");
        _ = DataSource.Parse($"cifar10:{Path.GetDirectoryName(Scratch.At("cifar", "x"))}").Open(DataSplit.Test, Normalization.None);
    }

    private static byte[] MutatePicture(IReadOnlyList<byte[]> corpus, Random random)
    {
        byte[] bytes = Bytes.Mutate(corpus, random);
        return random.Next(3) == 0 ? bytes : Repair.Png(bytes);
    }

    private static void PictureFolder(byte[] bytes)
    {
        _ = Scratch.Write(bytes, "pictures", "a.png");
        string folder = Path.GetDirectoryName(Scratch.At("pictures", "a.png"))!;
        ImageSet images = DataSource.Parse($"images:{folder}").Open(DataSplit.Test, Normalization.None);
        foreach (ImageBatch batch in images.Batches(2))
            _ = batch.Images.Shape;
        _ = images.Fingerprint;
    }

    private static void Safetensors(byte[] bytes)
    {
        string path = Scratch.Write(bytes, "x.safetensors");
        _ = StateFile.ReadTensors(path, checksum: null);
    }

    private static IReadOnlyList<byte[]> Equations() =>
        Corpora.Texts(
            "bshw,tshw->bthw|hw\n2x3x5x5 4x3x3x3",
            "bshw,rs,rhw,rt->bthw|hw\n2x3x4x4 5x3 5x3x3 5x4",
            "ab,bc->ac\n2x3 3x4",
            "b s1 s2 h w,r1 s1->b r1 s2 h w\n2x2x3x4x4 3x2",
            "bshw,tshw->bthw|h[stride=2 pad=1],w[stride=2 dilation=2 pad=1:0]\n1x2x8x8 3x2x3x3",
            "(batch)xh,yh->(batch)xy|h[circular convolution]\n2x3x6 4x6",
            "abc,->\n2x2x2 ",
            "a...,...b->ab\n2x3 3x2"
        );

    private static void Einsum(byte[] bytes)
    {
        string[] lines = Encoding.UTF8.GetString(bytes).Split('\n');
        Equation equation = Equation.Parse(lines[0]);
        _ = equation.ToString();
        Shape[] shapes = [.. lines.Skip(1).Take(1).SelectMany(static line => line.Split(' ')).Select(Parse)];
        Plan plan = Plan.Create(equation, null, shapes);
        if (plan.Macs > 100_000 || plan.Scratch > 1_000_000 || shapes.Any(static shape => shape.ElementCount > 10_000))
            return;
        if (plan.Steps.Any(static step => step.Shape.ElementCount > 100_000))
            return;
        _ = plan.Run<float>([.. shapes.Select(static shape => new Tensor<float>(shape))]);

        static Shape Parse(string text) =>
            text.Length == 0
                ? []
                : Shape.From([
                    .. text.Split('x')
                        .Select(part =>
                            int.TryParse(part, out int extent) ? extent : throw new BadInputException($"'{part}' is no extent.")
                        ),
                ]);
    }

    private static IReadOnlyList<byte[]> Options() =>
        Corpora.Texts(
            "o|ihw",
            "params=0.5",
            "max-drop=1",
            "svd-out",
            "rcp:3",
            "25%",
            "loss=0.1",
            "16",
            "2/4",
            "cosine",
            "step:0.1@30,60",
            "cifar",
            "crop=4,flip",
            ".485,.456,.406,.229,.224,.225",
            "imagenet",
            "x=1x3x32x32",
            "224x224",
            "npy:a.npy,b.npy,nchw",
            "images:dir",
            "tar:dir/train-{00..12}.tar"
        );

    /// <summary>Every text that an option takes, through every parser: one that is not meant refuses.</summary>
    private static void Option(byte[] bytes)
    {
        string text = Encoding.UTF8.GetString(bytes);
        foreach (
            Action<string> parse in (Action<string>[])
                [
                    static t => Cut.Parse(t),
                    static t => CompressionTarget.Parse(t),
                    static t => KernelFormat.Parse(t),
                    static t => RankRule.Parse(t),
                    static t => Shard.Parse(t),
                    static t => ScheduleText.Parse(t, 10),
                    static t => AugmentationText.Parse(t),
                    static t => Normalization.Parse(t),
                    static t => InputShape.Parse(t),
                    static t => ImageSize.Parse(t),
                    static t => DataSource.Parse(t),
                ]
        )
            try
            {
                parse(text);
            }
            catch (BadInputException)
            {
                // Others still have their turn.
            }
    }
}
