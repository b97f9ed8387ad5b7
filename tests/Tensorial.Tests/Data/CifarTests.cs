using Tensorial.Data;

namespace Tensorial.Tests.Data;

public class CifarTests
{
    /// <summary>Records whose pixels count up from the record's number, labelled 0, 1, 2, … before the prefix's last byte.</summary>
    private static byte[] Records(CifarFormat format, int count)
    {
        byte[] file = new byte[count * format.RecordBytes];
        for (int record = 0; record < count; record++)
        {
            Span<byte> bytes = file.AsSpan(record * format.RecordBytes, format.RecordBytes);
            bytes[0] = 7;
            bytes[format.LabelBytes - 1] = (byte)(record % format.Classes);
            for (int pixel = 0; pixel < CifarFormat.PixelBytes; pixel++)
                bytes[format.LabelBytes + pixel] = (byte)(record + pixel);
        }
        return file;
    }

    private static ImageSet Open(string text, DataSplit split = DataSplit.Test, int? limit = null) =>
        DataSource.Parse(text).Open(split, Normalization.None, limit);

    [Theory]
    [InlineData("cifar10", "test_batch.bin", 10)]
    [InlineData("cifar100", "test.bin", 100)]
    [InlineData("cifar10", "cifar-10-batches-bin/test_batch.bin", 10)]
    [InlineData("cifar100", "cifar-100-binary/test.bin", 100)]
    public void Records_become_images_and_labels(string name, string file, int classes)
    {
        using TemporaryFolder folder = new();
        folder.Write(file, Records(classes == 10 ? CifarFormat.Cifar10 : CifarFormat.Cifar100, 4));
        ImageSet set = Open($"{name}:{folder.Path}");
        Assert.Equal([3, 32, 32], set.ImageShape);
        Assert.Equal(classes, set.Classes);
        Assert.Equal([0, 1, 2, 3], set.Labels.ToArray());
        Assert.Equal([2 / 255f, 3 / 255f], set.Batch(2, 1).Values[..2].ToArray());
        Assert.Equal(1, Open($"{name}:{folder.Path}", limit: 1).Count);
        Assert.Equal(set.Take(1).Fingerprint, Open($"{name}:{folder.Path}", limit: 1).Fingerprint);
    }

    [Fact]
    public void Training_files_are_joined_in_order_and_a_limit_reaches_across_them()
    {
        using TemporaryFolder folder = new();
        for (int file = 1; file <= 5; file++)
            folder.Write($"data_batch_{file}.bin", Records(CifarFormat.Cifar10, file));
        Assert.Equal([0, 0, 1, 0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3, 4], Open($"cifar10:{folder.Path}", DataSplit.Train).Labels.ToArray());
        Assert.Equal([0, 0, 1, 0], Open($"cifar10:{folder.Path}", DataSplit.Train, 4).Labels.ToArray());
    }

    [Fact]
    public void A_wrong_label_is_named_with_its_place()
    {
        using TemporaryFolder folder = new();
        byte[] records = Records(CifarFormat.Cifar10, 3);
        records[2 * 3073] = 10;
        folder.Write("test_batch.bin", records);
        Refusal.Says<BadInputException>(
            "test_batch.bin', record 2 (offset 6,146): the label is 10, CIFAR-10 has the labels 0 to 9",
            () => Open($"cifar10:{folder.Path}")
        );
    }

    [Theory]
    [InlineData(0, "is empty")]
    [InlineData(3072, "record 0, at offset 0, has only 3,072")]
    [InlineData(3 * 3073 + 1, "record 3, at offset 9,219, has only 1")]
    public void A_file_of_the_wrong_length_is_refused(int length, string words)
    {
        using TemporaryFolder folder = new();
        folder.Write("test_batch.bin", new byte[length]);
        Refusal.Says<BadInputException>(words, () => Open($"cifar10:{folder.Path}"));
    }

    [Fact]
    public void A_missing_file_is_a_file_error_that_says_how_to_get_it()
    {
        using TemporaryFolder folder = new();
        Refusal.Says<FileNotFoundException>("tensorial data get cifar10", () => Open($"cifar10:{folder.Path}"));
        Assert.Throws<DirectoryNotFoundException>(() => Open($"cifar10:{folder.Path}/nowhere"));
    }

    [OracleFact(Oracle.Cifar10)]
    public void The_first_test_image_is_the_known_cat()
    {
        ImageSet set = Open($"cifar10:{Oracles.Cifar10}");
        Assert.Equal((10_000, 3), (set.Count, set.Labels[0]));
        Tensor<float> cat = set.Batch(0, 1);
        Assert.Equal([158 / 255f, 112 / 255f, 49 / 255f], new[] { cat.Values[0], cat.Values[1024], cat.Values[2048] });
    }
}
