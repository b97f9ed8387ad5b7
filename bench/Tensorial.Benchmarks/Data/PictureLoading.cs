using Tensorial.Data;

namespace Tensorial.Benchmarks.Data;

/// <summary>
/// JPEG files to normalised batches, decoded, resized to 256, cropped to 224, on all cores; against Pillow doing the same in as many
/// processes. The peer makes the files.
/// </summary>
internal static class PictureLoading
{
    private const int Count = 256,
        Batch = 32;

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
        Paired.Report("JPEG files to batches of 224×224", Count, "image", Load, peer, rounds: 5);
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

        void Load()
        {
            foreach (ImageBatch _ in source.Open(DataSplit.Test, preset.Normalization).Batches(Batch)) { }
        }
    }
}
