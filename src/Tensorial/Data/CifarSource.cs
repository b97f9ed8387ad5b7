namespace Tensorial.Data;

/// <summary>CIFAR's binary files, in the folder given or in the one inside it that the published archive makes.</summary>
internal sealed record CifarSource(CifarFormat Format, string Folder) : DataSource
{
    private protected override ImageSet Read(DataSplit split, Normalization normalization, int limit)
    {
        IReadOnlyList<string> paths = Locate(split);
        int[] counts = [.. paths.Select(CountOf)];
        int total = (int)Math.Min(counts.Sum(count => (long)count), limit);

        Tensor<byte> images = new([total, 3, 32, 32]);
        int[] labels = new int[total];
        for (int file = 0, first = 0; first < total; first += counts[file++])
        {
            int count = Math.Min(counts[file], total - first);
            Span<byte> pixels = images.Values.Slice(first * CifarFormat.PixelBytes, count * CifarFormat.PixelBytes);
            ReadRecords(paths[file], pixels, labels.AsSpan(first, count));
        }
        return new($"{Format.Name} ({(split == DataSplit.Train ? "train" : "test")})", images, labels, Format.Classes, normalization);
    }

    private IReadOnlyList<string> Locate(DataSplit split)
    {
        IReadOnlyList<string> names = Format.Files(split);
        if (!Directory.Exists(Folder))
            throw new DirectoryNotFoundException($"The folder '{Folder}' for {Format.Name} does not exist.");
        string inner = Path.Combine(Folder, Format.ArchiveFolder);
        string folder = Directory.Exists(inner) ? inner : Folder;
        foreach (string name in names)
        {
            if (!File.Exists(Path.Combine(folder, name)))
            {
                string command = Format.Name.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
                throw new FileNotFoundException(
                    $"'{folder}' does not hold {name} of {Format.Name}; " + $"'tensorial data get {command} --out {Folder}' brings the set."
                );
            }
        }
        return [.. names.Select(name => Path.Combine(folder, name))];
    }

    /// <summary>Records in a file, from its length.</summary>
    private int CountOf(string path)
    {
        long length = InputFile.StampOf(path).Length;
        (long count, long rest) = Math.DivRem(length, Format.RecordBytes);
        if (length == 0)
            throw new BadInputException($"'{path}' is empty; {Format.Name} records of {Format.RecordBytes:N0} bytes were expected.");
        if (rest != 0)
        {
            throw new BadInputException(
                $"'{path}' has {length:N0} bytes, which is not a whole number of {Format.Name} records of "
                    + $"{Format.RecordBytes:N0} bytes: record {count:N0}, at offset {count * Format.RecordBytes:N0}, has only {rest:N0}."
            );
        }
        return (int)Math.Min(count, int.MaxValue);
    }

    private void ReadRecords(string path, Span<byte> pixels, Span<int> labels)
    {
        using FileStream file = InputFile.Open(path);
        Span<byte> prefix = stackalloc byte[Format.LabelBytes];
        for (int record = 0; record < labels.Length; record++)
        {
            try
            {
                file.ReadExactly(prefix);
                file.ReadExactly(pixels.Slice(record * CifarFormat.PixelBytes, CifarFormat.PixelBytes));
            }
            catch (EndOfStreamException)
            {
                throw new BadInputException($"'{path}' became shorter while it was read: it ends in record {record:N0}.");
            }
            labels[record] = prefix[^1];
            if (labels[record] >= Format.Classes)
            {
                throw new BadInputException(
                    $"'{path}', record {record:N0} (offset {(long)record * Format.RecordBytes:N0}): "
                        + $"the label is {labels[record]}, {Format.Name} has the labels 0 to {Format.Classes - 1}."
                );
            }
        }
    }
}
