using Tensorial.Data;

namespace Tensorial.Tests.Data;

public sealed class ImageFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A picture of one colour.</summary>
    private void Write(string name, byte red, int height = 4, int width = 6)
    {
        Tensor<byte> pixels = new([height, width, 3]);
        for (int k = 0; k < height * width; k++)
            (pixels.Values[3 * k], pixels.Values[3 * k + 1], pixels.Values[3 * k + 2]) = (red, 10, 20);
        string path = Path.Combine(_folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        ImageFile.WritePng(pixels, path);
    }

    private ImageSet Open(
        string suffix = "",
        DataSplit split = DataSplit.Test,
        ImageTransform? transform = null,
        Normalization? normalization = null
    ) => DataSource.Parse($"images:{_folder.Path}{suffix}", transform).Open(split, normalization ?? Normalization.None);

    [Fact]
    public void Subfolders_are_classes_in_the_order_of_their_names()
    {
        for (byte k = 0; k < 5; k++)
        {
            Write($"cat/deep/{k}.png", k);
            Write($"ant/{k}.png", (byte)(100 + k));
        }
        ImageSet images = Open();
        Assert.Equal((10, 2, Shape.From([3, 4, 6])), (images.Count, images.Classes, images.ImageShape));
        for (int k = 0; k < 10; k++)
            Assert.Equal(images.Labels[k] == 0, images.Batch(k, 1).Values[0] * 255 >= 99);
        // The first few have something of every class.
        Assert.Equal(2, images.Take(6).Labels.ToArray().Distinct().Count());
        Assert.False(Open(",unlabelled").HasLabels);
    }

    [Theory]
    [InlineData("a.png", "b.png")]
    [InlineData("only/a.png", "only/b.png")]
    [InlineData("x/a.png", "b.png")]
    public void Without_two_classes_there_are_no_labels(params string[] names)
    {
        foreach (string name in names)
            Write(name, 7);
        ImageSet images = Open();
        Assert.False(images.HasLabels);
        Refusal.Says<BadInputException>("Top-1 accuracy needs labels", () => images.LabelsFor("Top-1 accuracy"));
        Refusal.Says<BadInputException>("needs labels", () => images.Labels.Length);
    }

    [Fact]
    public void A_split_is_a_subfolder_where_both_are_there()
    {
        Write("train/a/1.png", 1);
        Write("train/b/2.png", 2);
        Write("val/a/3.png", 3);
        Write("val/b/4.png", 4);
        Assert.Equal([3f, 4f], First(Open()));
        Assert.Equal([1f, 2f], First(Open(split: DataSplit.Train)));

        static float[] First(ImageSet images) =>
            [.. Enumerable.Range(0, images.Count).Select(k => MathF.Round(255 * images.Batch(k, 1).Values[0])).Order()];
    }

    [Fact]
    public void Batches_are_what_picking_gives_and_pixels_what_was_asked_for()
    {
        for (byte k = 0; k < 11; k++)
            Write($"{k}.png", k);
        ImageSet images = Open(normalization: new Normalization([1, 2, 3], [1, 2, 4], isReversed: true)).Skip(2);
        int seen = 0;
        foreach (ImageBatch batch in images.Batches(4))
        {
            Assert.Equal(seen, batch.First);
            Assert.Equal(images.Batch(seen, batch.Count).Values.ToArray(), batch.Images.Values.ToArray());
            Assert.Equal(images.Pick([seen]).Values.ToArray(), batch.Images.Rows(0, 1).Values.ToArray());
            // Blue comes first: (20 / 255 - 1) / 1.
            Assert.Equal(20 / 255f - 1, batch.Images.Values[0]);
            seen += batch.Count;
        }
        Assert.Equal(9, seen);
    }

    [Fact]
    public void Opening_reads_no_picture_where_the_size_is_known_and_damage_is_told_by_name_when_met()
    {
        for (byte k = 0; k < 8; k++)
            _folder.Write($"{k}.jpg", [0xFF, 0xD8, 0xFF, k]);
        ImageSet images = Open(transform: new() { Exactly = new(8, 8) });
        Assert.Equal(8, images.Count);
        Refusal.Says<BadInputException>(".jpg' is damaged", () => images.Batch(0, 4));
        Refusal.Says<BadInputException>(".jpg' is damaged", () => images.Batches(4).Count());
    }

    [Fact]
    public void Pictures_of_two_sizes_are_refused_with_both()
    {
        Write("a.png", 1, height: 4);
        Write("b.png", 1, height: 5);
        Refusal.Says<BadInputException>("have one size", () => Open().Batch(0, 2));
        Assert.Equal([2, 3, 3, 3], (IEnumerable<int>)Open(transform: new() { Crop = new(3, 3) }).Batch(0, 2).Shape);
    }

    [Fact]
    public void Fingerprints_follow_pixels_and_settings_and_not_the_place()
    {
        Write("a.png", 1);
        Write("b.png", 2);
        string first = Open().Fingerprint;
        Assert.Equal(first, Open().Fingerprint);
        Assert.NotEqual(first, Open(transform: new() { Exactly = new(8, 8) }).Fingerprint);
        Assert.NotEqual(first, Open(normalization: Normalization.ImageNet).Fingerprint);
        Write("b.png", 3);
        Assert.NotEqual(first, Open().Fingerprint);
    }

    [Fact]
    public void What_is_not_there_is_told()
    {
        Refusal.Says<BadInputException>("hold no pictures", () => Open());
        Refusal.Says<IOException>("does not exist", () => DataSource.Parse("images:nowhere").Open(DataSplit.Test, Normalization.None));
        Refusal.Says<BadInputException>("Only pictures", () => DataSource.Parse("sample", new() { Crop = new(2, 2) }));
    }

    [Fact]
    public void A_file_for_each_sample_may_have_any_shape()
    {
        for (int k = 0; k < 3; k++)
            NpyFile.Write(new Tensor<float>([2, 50], Enumerable.Repeat((float)k, 100).ToArray()), Path.Combine(_folder.Path, $"{k}.npy"));
        ImageSet signals = DataSource.Parse($"npy:{_folder.Path}").Open(DataSplit.Test, Normalization.None);
        Assert.Equal((3, Shape.From([2, 50])), (signals.Count, signals.ImageShape));
        Assert.Equal(
            [0f, 1f, 2f],
            signals.Batches(2).SelectMany(b => Enumerable.Range(0, b.Count).Select(k => b.Images.Values[100 * k]).ToArray()).Order()
        );
        NpyFile.Write(new Tensor<float>([2, 51]), Path.Combine(_folder.Path, "4.npy"));
        Refusal.Says<BadInputException>(
            "one size",
            () => DataSource.Parse($"npy:{_folder.Path}").Open(DataSplit.Test, Normalization.None).Batch(0, 4)
        );
    }

    [Fact]
    public void Arrays_need_no_labels()
    {
        string file = Path.Combine(_folder.Path, "x.npy"),
            archive = Path.Combine(_folder.Path, "x.npz");
        NpyFile.Write(new Tensor<byte>([5, 3, 8, 8]), file);
        NpzFile.Write(archive, [new("signals", new Tensor<float>([4, 7]))]);
        ImageSet images = DataSource.Parse($"npy:{file}").Open(DataSplit.Test, Normalization.None);
        Assert.Equal((5, false, 0), (images.Count, images.HasLabels, images.Classes));
        Assert.Equal(Shape.From([7]), DataSource.Parse($"npz:{archive},raw").Open(DataSplit.Test, Normalization.None).ImageShape);
    }
}
