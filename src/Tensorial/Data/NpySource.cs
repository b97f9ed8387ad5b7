namespace Tensorial.Data;

/// <summary>
/// Images and labels in NumPy's files: two .npy files, which serve as either split, or one .npz, which may hold both splits. Images of
/// bytes are scaled to [0, 1]; images of floats are taken as they are.
/// </summary>
internal sealed record NpySource(string Images, string? Labels, PixelOrder? Order) : DataSource
{
    /// <summary>Names under which .npz files keep images and labels: with a split (Keras, MedMNIST), then without.</summary>
    private static readonly (string Images, string Labels)[] Names =
    [
        ("x_SPLIT", "y_SPLIT"),
        ("SPLIT_images", "SPLIT_labels"),
        ("images", "labels"),
        ("x", "y"),
        ("data", "labels"),
        ("arr_0", "arr_1"),
    ];

    /// <param name="place">What follows <c>npy:</c>.</param>
    /// <exception cref="BadInputException">Not one .npz or two .npy files.</exception>
    public static new NpySource Parse(string place)
    {
        string[] parts = place.Split(',', StringSplitOptions.TrimEntries);
        PixelOrder? order = parts[^1].ToLowerInvariant() switch
        {
            "nchw" => PixelOrder.ChannelsFirst,
            "nhwc" => PixelOrder.ChannelsLast,
            _ => null,
        };
        return (order is null ? parts : parts[..^1]) switch
        {
            [string both] when both.EndsWith(".npz", StringComparison.OrdinalIgnoreCase) => new(both, null, order),
            [string images, string labels] => new(images, labels, order),
            _ => throw new BadInputException(
                $"'npy:{place}' is no data set: give npy:IMAGES.npy,LABELS.npy or npy:SET.npz, with ,nchw "
                    + "or ,nhwc where the shape does not tell."
            ),
        };
    }

    private protected override ImageSet Read(Split split, Normalization normalization, int limit)
    {
        if (Labels is not null)
            return Combine(Images, NpyFile.Read(Images), Labels, NpyFile.Read(Labels), normalization, limit);

        using NpzFile file = NpzFile.Open(Images);
        string word = split == Split.Train ? "train" : "test";
        HashSet<string> there = [.. file.Names];
        (string Images, string Labels)[] pairs =
        [
            .. Names.Select(row => (row.Images.Replace("SPLIT", word), row.Labels.Replace("SPLIT", word))),
        ];
        foreach ((string images, string labels) in pairs)
        {
            if (there.Contains(images) && there.Contains(labels))
                return Combine($"{Images}({images})", file.Read(images), $"{Images}({labels})", file.Read(labels), normalization, limit);
        }
        throw new BadInputException(
            $"'{Images}' holds {(there.Count == 0 ? "no arrays" : string.Join(", ", there))}, where one of these "
                + $"pairs is looked for: {string.Join("; ", pairs.Select(pair => $"{pair.Images}, {pair.Labels}"))}."
        );
    }

    private ImageSet Combine(string imagesName, Tensor images, string labelsName, Tensor labels, Normalization normalization, int limit)
    {
        int[] numbers = StoredArray.Labels(labelsName, labels);
        if (images.Shape.Rank == 0 || images.Shape[0] != numbers.Length)
        {
            throw new BadInputException(
                $"'{imagesName}' has the shape {images.Shape} and '{labelsName}' {numbers.Length:N0} labels: " + "each image needs one."
            );
        }
        if (images.Shape.Count == 0)
            throw new BadInputException($"'{imagesName}' holds no images: its shape is {images.Shape}.");
        Tensor pixels = StoredArray.Pixels(imagesName, images) switch
        {
            Tensor<byte> bytes => PixelOrders.ToChannelsFirst(imagesName, bytes, Order),
            Tensor floats => PixelOrders.ToChannelsFirst(imagesName, floats.Of<float>(), Order),
        };
        return new ImageSet(Path.GetFileName(imagesName), pixels, numbers, numbers.Max() + 1, normalization).Take(limit);
    }
}
