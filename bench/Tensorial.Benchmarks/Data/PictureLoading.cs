using Tensorial.Data;
using Tensorial.Data.Sharded;

namespace Tensorial.Benchmarks.Data;

/// <summary>
/// JPEG files to normalised batches, decoded, resized to 256, cropped to 224, on all cores; against Pillow doing the same in as many
/// processes, from a folder and from tar files. The peer makes the files.
/// </summary>
internal static class PictureLoading
{
    private const int Count = 256,
        Batch = 32,
        Shards = 4;

    public static void Run()
    {
        string folder = Path.Combine(Path.GetTempPath(), "tensorial-pictures");
        string processes = $"{Environment.ProcessorCount}";
        using Peer? peer = Peer.Start("/usr/bin/python3", "pictures.py", folder, $"{Count}", processes);
        if (!Directory.Exists(folder))
            return;
        ImagePreset preset = ImagePreset.Parse("torchvision");
        DataSource source = DataSource.Parse($"images:{folder}", preset.Transform);
        string[] files = Directory.GetFiles(folder, "*.jpg");
        Paired.Report("JPEG files to batches of 224×224", Count, "image", () => Load(source), peer, rounds: 5);
        string shards = folder + "-shards";
        Directory.CreateDirectory(shards);
        ImageSet pictures = DataSource.Parse($"images:{folder}").Open(DataSplit.Test, Normalization.None);
        for (int k = 0; k < Shards; k++)
            ShardWriter.Write(pictures, Path.Combine(shards, $"{k:D6}.tar"), k, Shards, labelled: false);
        DataSource packed = DataSource.Parse($"tar:{shards}", preset.Transform);
        Paired.Report($"the same out of {Shards} tar files", Count, "image", () => Load(packed), peer, rounds: 5);
        Paired.Report(
            "finding what lies where in them",
            Count,
            "image",
            () => packed.Open(DataSplit.Test, preset.Normalization),
            (Peer?)null,
            rounds: 5
        );
        byte[] file = File.ReadAllBytes(files[0]);
        Tensor<byte> pixels = ImageFile.Read(file, files[0]);
        Paired.Report("decoding one, one thread", 1, "image", () => ImageFile.Read(file, files[0]), (Peer?)null, runs: 50, rounds: 5);
        Paired.Report(
            "resizing one to 256×341, one thread",
            1,
            "image",
            () => Resampling.Resize(pixels, 256, 341),
            (Peer?)null,
            runs: 50,
            rounds: 5
        );

        void Load(DataSource set)
        {
            foreach (ImageBatch _ in set.Open(DataSplit.Test, preset.Normalization).Batches(Batch)) { }
        }
    }
}
