using System.Text.RegularExpressions;

namespace Tensorial.Data;

/// <summary>A pair of IDX files with the names that the MNIST family uses, gzip-compressed or not.</summary>
internal sealed partial record IdxSource(string Folder) : DataSource
{
    private protected override ImageSet Read(DataSplit split, Normalization normalization, int limit)
    {
        string images = Locate(split, "images", 3);
        string labels = Locate(split, "labels", 1);
        string name = $"{Path.GetFileName(Path.GetFullPath(Folder))} ({(split == DataSplit.Train ? "train" : "test")})";
        return Combine(name, images, IdxFile.Read(images, 3..4, limit), labels, IdxFile.Read(labels, 1..1), normalization, limit);
    }

    /// <summary>
    /// Grey images [count, H, W], or colour images whose shape tells the channels, with their labels; classes are counted over all labels.
    /// </summary>
    internal static ImageSet Combine(
        string name,
        string imagesName,
        Tensor<byte> images,
        string labelsName,
        Tensor<byte> labels,
        Normalization normalization,
        int limit
    )
    {
        if (images.Shape[0] != Math.Min(labels.Shape[0], limit))
        {
            throw new BadInputException(
                $"'{imagesName}' holds {images.Shape[0]:N0} images and '{labelsName}' {labels.Shape[0]:N0} "
                    + "labels: each image needs one."
            );
        }
        int[] numbers = Array.ConvertAll(labels.Values.ToArray(), label => (int)label);
        Tensor<byte> pixels = PixelOrders.ToChannelsFirst(imagesName, images, null);
        return new(name, pixels, numbers.AsMemory(0, images.Shape[0]), numbers.Max() + 1, normalization);
    }

    /// <summary>
    /// The only file for this split and part: MNIST's own name, with a dot instead of the second hyphen, with the prefix of EMNIST,
    /// with .gz.
    /// </summary>
    private string Locate(DataSplit split, string part, int rank)
    {
        if (!Directory.Exists(Folder))
            throw new DirectoryNotFoundException($"The folder '{Folder}' for IDX files does not exist.");
        string[] words = split == DataSplit.Train ? ["train"] : ["t10k", "test"];
        IEnumerable<string> found =
            from path in Directory.EnumerateFiles(Folder)
            let match = FileName().Match(Path.GetFileName(path))
            where match.Success && words.Contains(match.Groups["split"].Value) && match.Groups["part"].Value == part
            select match.Groups["stem"].Value;
        string[] stems = [.. found.Distinct().Order(StringComparer.Ordinal)];
        string standard = $"{words[0]}-{part}-idx{rank}-ubyte";
        string? stem =
            stems.Contains(standard) ? standard
            : stems is [string only] ? only
            : null;
        if (stem is null)
        {
            throw stems.Length == 0
                ? new FileNotFoundException($"'{Folder}' does not hold {standard}, nor {standard}.gz.")
                : new BadInputException($"'{Folder}' holds several sets: {string.Join(", ", stems)}. Keep each in a folder of its own.");
        }
        string plain = Path.Combine(Folder, stem);
        return File.Exists(plain) ? plain : plain + ".gz";
    }

    [GeneratedRegex(@"^(?<stem>(.+-)?(?<split>train|t10k|test)-(?<part>images|labels)[-.]idx\d-ubyte)(\.gz)?$")]
    private static partial Regex FileName();
}
