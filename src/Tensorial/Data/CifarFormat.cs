namespace Tensorial.Data;

/// <summary>
/// A record of the CIFAR binary files: one or two label bytes, of which the last counts (in CIFAR-100: coarse, then fine), then 32 × 32
/// bytes each of red, green and blue, row by row. See https://www.cs.toronto.edu/~kriz/cifar.html.
/// </summary>
internal sealed record CifarFormat(string Name, int Classes, int LabelBytes)
{
    public const int PixelBytes = 3 * 32 * 32;

    public static CifarFormat Cifar10 { get; } = new("CIFAR-10", 10, 1);

    public static CifarFormat Cifar100 { get; } = new("CIFAR-100", 100, 2);

    public int RecordBytes => LabelBytes + PixelBytes;

    /// <summary>The folder inside the published archive.</summary>
    public string ArchiveFolder => LabelBytes == 1 ? "cifar-10-batches-bin" : "cifar-100-binary";

    /// <summary>The files that make up a split, in order.</summary>
    public IReadOnlyList<string> Files(DataSplit split) =>
        (LabelBytes, split) switch
        {
            (1, DataSplit.Train) => ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
            (1, _) => ["test_batch.bin"],
            (_, DataSplit.Train) => ["train.bin"],
            _ => ["test.bin"],
        };
}
