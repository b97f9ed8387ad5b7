using System.IO.Compression;
using Tensorial.Data;

namespace Tensorial.Tests.Data;

public class IdxTests
{
    private const string Images = "t10k-images-idx3-ubyte",
        Labels = "t10k-labels-idx1-ubyte";

    internal static byte[] Idx(byte type, int[] extents, params byte[] values) =>
        [0, 0, type, (byte)extents.Length, .. extents.SelectMany(extent => BitConverter.GetBytes(extent).Reverse()), .. values];

    internal static byte[] Pack(byte[] bytes)
    {
        using MemoryStream packed = new();
        using (GZipStream zip = new(packed, CompressionLevel.Fastest, leaveOpen: true))
            zip.Write(bytes);
        return packed.ToArray();
    }

    private static readonly byte[] TwoImages = Idx(8, [2, 1, 2], 0, 51, 102, 255),
        TwoLabels = Idx(8, [2], 4, 1);

    private static ImageSet Open(TemporaryFolder folder, DataSplit split = DataSplit.Test, int? limit = null) =>
        DataSource.Parse($"idx:{folder.Path}").Open(split, Normalization.None, limit);

    [Theory]
    [InlineData(Images, Labels, DataSplit.Test)]
    [InlineData(Images + ".gz", Labels + ".gz", DataSplit.Test)]
    [InlineData("t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte.gz", DataSplit.Test)]
    [InlineData("test-images-idx3-ubyte", "test-labels-idx1-ubyte", DataSplit.Test)]
    [InlineData("emnist-letters-test-images-idx3-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte.gz", DataSplit.Test)]
    [InlineData("train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", DataSplit.Train)]
    public void Grey_images_are_found_by_name_and_read(string images, string labels, DataSplit split)
    {
        using TemporaryFolder folder = new();
        folder.Write(images, images.EndsWith(".gz", StringComparison.Ordinal) ? Pack(TwoImages) : TwoImages);
        folder.Write(labels, labels.EndsWith(".gz", StringComparison.Ordinal) ? Pack(TwoLabels) : TwoLabels);
        ImageSet set = Open(folder, split);
        Assert.Equal([1, 1, 2], set.ImageShape);
        Assert.Equal(5, set.Classes);
        Assert.Equal([4, 1], set.Labels.ToArray());
        Assert.Equal([0, .2f, .4f, 1], set.Batch(0, 2).Values.ToArray());
        Assert.Equal(5, Open(folder, split, 1).Classes);
        Assert.Equal([4], Open(folder, split, 1).Labels.ToArray());
    }

    [Fact]
    public void Colour_images_show_their_channels_by_their_shape()
    {
        using TemporaryFolder folder = new();
        folder.Write(Images, Idx(8, [1, 2, 2, 3], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
        folder.Write(Labels, Idx(8, [1], 0));
        ImageSet set = Open(folder);
        Assert.Equal([3, 2, 2], set.ImageShape);
        float[] pixels = set.Batch(0, 1).Values.ToArray();
        Assert.Equal([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11], pixels.Select(value => (int)MathF.Round(value * 255)));
    }

    public static TheoryData<string, byte[], byte[]> Malformed =>
        new()
        {
            { "too short for an IDX file", [0, 0, 8], TwoLabels },
            { "starts with 89504E47", [0x89, 0x50, 0x4E, 0x47, 1, 2, 3], TwoLabels },
            { "32-bit floats (IDX type 0d)", Idx(0x0D, [2, 1, 2], new byte[16]), TwoLabels },
            { "has 2 axes; 3 or 4 were expected", Idx(8, [2, 2], 1, 2, 3, 4), TwoLabels },
            { "ends inside its header", [0, 0, 8, 3, 0, 0, 0, 1, 0], TwoLabels },
            { "declares the extent 0 for axis 0", Idx(8, [0, 1, 2]), TwoLabels },
            { "declares the extent 4,294,967,295 for axis 1", Idx(8, [1, -1, 2]), TwoLabels },
            { "declares the shape 2147483647×2147483647×2147483647", Idx(8, [int.MaxValue, int.MaxValue, int.MaxValue]), TwoLabels },
            { "takes 20 bytes; the file has at most 19", TwoImages[..^1], TwoLabels },
            { "goes on after the 4 values", [.. TwoImages, 0], TwoLabels },
            { "2 images and", TwoImages, Idx(8, [3], 1, 2, 3) },
            { "has the shape 1×2×1×9, where neither", Idx(8, [1, 2, 1, 9], new byte[18]), Idx(8, [1], 1) },
        };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_file_is_refused_by_name_and_value(string words, byte[] images, byte[] labels)
    {
        using TemporaryFolder folder = new();
        folder.Write(Images, images);
        folder.Write(Labels, labels);
        string message = Assert.ThrowsAny<BadInputException>(() => Open(folder)).Message;
        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.Contains(folder.Path, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_packed_file_cannot_declare_more_than_it_can_hold()
    {
        using TemporaryFolder folder = new();
        folder.Write(Images + ".gz", Pack(Idx(8, [2_000_000_000, 1, 1], 1, 2)));
        folder.Write(Labels, TwoLabels);
        Refusal.Says<BadInputException>("which takes 2,000,000,016 bytes", () => Open(folder));
    }

    [Fact]
    public void A_broken_or_cut_gzip_file_is_refused()
    {
        using TemporaryFolder folder = new();
        folder.Write(Labels, TwoLabels);
        string images = folder.Write(Images + ".gz", TwoImages);
        Refusal.Says<BadInputException>("not an intact gzip file", () => Open(folder));
        byte[] packed = Pack(Idx(8, [2, 20, 20], [.. Enumerable.Range(0, 800).Select(index => (byte)(index * index))]));
        File.WriteAllBytes(images, packed[..(packed.Length / 2)]);
        Assert.ThrowsAny<BadInputException>(() => Open(folder));
    }

    [Fact]
    public void A_folder_with_several_sets_or_none_is_refused()
    {
        using TemporaryFolder folder = new();
        Refusal.Says<FileNotFoundException>("does not hold t10k-images-idx3-ubyte", () => Open(folder));
        folder.Write("a-test-images-idx3-ubyte", TwoImages);
        folder.Write("b-test-images-idx3-ubyte", TwoImages);
        Refusal.Says<BadInputException>("several sets: a-test-images-idx3-ubyte, b-test", () => Open(folder));
    }

    [Fact]
    public void Any_damage_gives_a_set_or_a_clear_refusal()
    {
        byte[] images = Idx(8, [3, 4, 4], [.. Enumerable.Range(0, 48).Select(index => (byte)index)]),
            labels = Idx(8, [3], 0, 1, 2);
        Mutations.Apply(images, seed: 1, rounds: 2000, damaged => Read(damaged, 3..4));
        Mutations.Apply(
            Pack(images),
            seed: 2,
            rounds: 2000,
            damaged =>
            {
                using GZipStream unpacked = new(new MemoryStream(damaged), CompressionMode.Decompress);
                IdxFile.Read(unpacked, "damaged", damaged.Length * Deflate.MostExpansion, 3..4, int.MaxValue);
            }
        );
        Mutations.Apply(labels, seed: 3, rounds: 500, damaged => Read(damaged, 1..1));

        static void Read(byte[] damaged, Range rank) =>
            IdxFile.Read(new MemoryStream(damaged), "damaged", damaged.Length, rank, int.MaxValue);
    }
}
