using System.Collections.Immutable;
using Tensorial.Graphs;

namespace Tensorial.Data;

/// <summary>
/// Images in NumPy's files, with or without labels: one or two .npy files, which serve as either split, one .npz, which may hold both
/// splits, or a folder with a .npy file for each sample. Images of bytes are scaled to [0, 1]; images of floats are taken as they are.
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

    private static readonly HashSet<string> Extensions = new(StringComparer.OrdinalIgnoreCase) { ".npy" };

    /// <param name="place">What follows <c>npy:</c>.</param>
    /// <exception cref="BadInputException">More than two files.</exception>
    public static NpySource From(string place)
    {
        string[] parts = place.Split(',', StringSplitOptions.TrimEntries);
        PixelOrder? order = parts[^1].ToLowerInvariant() switch
        {
            "nchw" => PixelOrder.ChannelsFirst,
            "nhwc" => PixelOrder.ChannelsLast,
            "raw" => PixelOrder.AsStored,
            _ => null,
        };
        return (order is null ? parts : parts[..^1]) switch
        {
            [string images] => new(images, null, order),
            [string images, string labels] => new(images, labels, order),
            _ => throw new BadInputException(
                $"'npy:{place}' is no data set: give npy:IMAGES.npy, npy:IMAGES.npy,LABELS.npy, npy:SET.npz or npy:FOLDER, with ,nchw, "
                    + ",nhwc or ,raw (any samples, as they are) where the shape does not tell."
            ),
        };
    }

    /// <summary>Extents of the input that the samples go into; null where that is not known.</summary>
    public ImmutableArray<Dimension>? Declared { get; init; }

    internal override DataSource Suiting(Graph graph) =>
        graph.FreeInputs is [{ Dimensions: { } dimensions }] ? this with { Declared = dimensions } : this;

    /// <summary>The order of pixels in an array: as the input has them, where its extents are those.</summary>
    private PixelOrder? OrderOf(Shape shape) =>
        Order is null
        && Declared is { } declared
        && declared.Length == shape.Rank
        && (shape.Rank != 4 || declared.Skip(1).Any(static d => d.Extent is not null))
        && declared.Zip(shape).Skip(1).All(static pair => (pair.First.Extent ?? pair.Second) == pair.Second)
            ? PixelOrder.AsStored
            : Order;

    private protected override ImageSet Read(DataSplit split, Normalization normalization, int limit)
    {
        if (Labels is not null)
            return Combine(Images, NpyFile.Read(Images), Labels, NpyFile.Read(Labels), normalization, limit);
        if (Directory.Exists(Images))
            return Folder(split, normalization).Take(limit);
        if (!Images.EndsWith(".npz", StringComparison.OrdinalIgnoreCase))
            return Combine(Images, NpyFile.Read(Images), null, null, normalization, limit);

        using NpzFile file = NpzFile.Open(Images);
        string word = split == DataSplit.Train ? "train" : "test";
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
        if (pairs.FirstOrDefault(pair => there.Contains(pair.Images)).Images is { } alone)
            return Combine($"{Images}({alone})", file.Read(alone), null, null, normalization, limit);
        if (there.Count == 1)
            return Combine($"{Images}({there.Single()})", file.Read(there.Single()), null, null, normalization, limit);
        throw new BadInputException(
            $"'{Images}' holds {(there.Count == 0 ? "no arrays" : string.Join(", ", there))}, where one array alone "
                + $"or one of these pairs is looked for: {string.Join("; ", pairs.Select(pair => $"{pair.Images}, {pair.Labels}"))}."
        );
    }

    private ImageSet Combine(string imagesName, Tensor images, string? labelsName, Tensor? labels, Normalization normalization, int limit)
    {
        int[]? numbers = labels is null ? null : StoredArray.Labels(labelsName!, labels);
        if (images.Shape.Rank == 0 || (numbers is not null && images.Shape[0] != numbers.Length))
        {
            throw new BadInputException(
                $"'{imagesName}' has the shape {images.Shape}"
                    + (
                        numbers is null
                            ? ": images need an axis that counts them."
                            : $" and '{labelsName}' {numbers.Length:N0} labels: each image needs one."
                    )
            );
        }
        if (images.Shape.ElementCount == 0)
            throw new BadInputException($"'{imagesName}' holds no images: its shape is {images.Shape}.");
        Tensor pixels = StoredArray.Pixels(imagesName, images) switch
        {
            Tensor<byte> bytes => PixelOrders.ToChannelsFirst(imagesName, bytes, OrderOf(bytes.Shape)),
            Tensor floats => PixelOrders.ToChannelsFirst(imagesName, floats.Of<float>(), OrderOf(floats.Shape)),
        };
        string name = Path.GetFileName(imagesName);
        return (
            numbers is null ? new ImageSet(name, pixels, normalization) : new(name, pixels, numbers, numbers.Max() + 1, normalization)
        ).Take(limit);
    }

    private ImageSet Folder(DataSplit split, Normalization normalization)
    {
        ImageFolder found = ImageFolder.List(Images, split, Extensions, "arrays", labelled: true);
        return new(
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(found.Root))),
            new ArrayFiles(new FolderFiles(found.Root, found.Files)),
            found.Labels,
            found.Classes.Length,
            normalization
        );
    }
}
