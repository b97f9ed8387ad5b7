using Tensorial.Data.Sharded;
using Tensorial.Graphs;

namespace Tensorial.Data;

/// <summary>Where images come from and in which format: what <c>--data</c> names.</summary>
public abstract record DataSource
{
    private static readonly string[] Kinds = ["images", "tar", "cifar10", "cifar100", "idx", "npy", "npz", "sample"];

    private const string Expected =
        "Give images:FOLDER, tar:SHARDS, cifar10:FOLDER, cifar100:FOLDER, idx:FOLDER (the MNIST family), npy:IMAGES.npy, npy:IMAGES.npy,LABELS.npy, "
        + "npy:SET.npz, npy:FOLDER, or sample.";

    /// <summary>
    /// Reads <c>images:FOLDER</c>, <c>tar:SHARDS</c> (a tar file, a folder of them, or a pattern such as
    /// <c>train-{000000..000146}.tar</c>), <c>cifar10:FOLDER</c>, <c>cifar100:FOLDER</c>, <c>idx:FOLDER</c>, <c>npy:IMAGES.npy</c>,
    /// <c>npy:IMAGES.npy,LABELS.npy</c>, <c>npy:SET.npz</c> (with <c>,nchw</c>, <c>,nhwc</c> or <c>,raw</c> where the shape does not tell),
    /// <c>npy:FOLDER</c>, or <c>sample</c>. No file is touched yet.
    /// </summary>
    /// <param name="text">What is read.</param>
    /// <param name="transform">How pictures of <c>images:</c> and <c>tar:</c> are brought to one size; null where they have one.</param>
    /// <exception cref="BadInputException">None of these, or a transform for a set whose images have one size.</exception>
    public static DataSource Parse(string text, ImageTransform? transform = null)
    {
        (string format, string place) = text.Split(':', 2) is [string before, string after] ? (before, after) : (text, "");
        if (transform is not null && !HoldsPictures(text))
            throw new BadInputException(
                $"Only pictures of images:FOLDER and tar:SHARDS are resized, cropped, framed or made grey, not '{text}'."
            );
        return (format.ToLowerInvariant(), place) switch
        {
            ("images" or "tar" or "cifar10" or "cifar100" or "idx" or "npy" or "npz", "") => throw new BadInputException(
                $"'{text}' does not say where the images are. {Expected}"
            ),
            ("cifar10", _) => new CifarSource(CifarFormat.Cifar10, place),
            ("cifar100", _) => new CifarSource(CifarFormat.Cifar100, place),
            ("idx", _) => new IdxSource(place),
            ("images", _) => ImageFolderSource.From(place, transform ?? new()),
            ("tar", _) => TarSource.From(place, transform),
            ("npy" or "npz", _) => NpySource.From(place),
            ("sample", "") => new SampleSource(),
            _ => throw new BadInputException($"'{text}' is no data set. {Expected}{NearestWord.Hint(text.Split(':')[0], Kinds)}"),
        };
    }

    /// <summary>Whether a set's text names picture files, which a transform brings to one size.</summary>
    internal static bool HoldsPictures(string text) =>
        text.StartsWith("images:", StringComparison.OrdinalIgnoreCase) || text.StartsWith("tar:", StringComparison.OrdinalIgnoreCase);

    /// <summary>Opens one split, at most <paramref name="limit"/> images of it: into memory, or where each lies in a file of its own, by
    /// name.</summary>
    /// <exception cref="BadInputException">The files are not what the format says; the message names file, place and values.</exception>
    /// <exception cref="IOException">A file or folder is missing or cannot be read.</exception>
    public ImageSet Open(DataSplit split, Normalization normalization, int? limit = null)
    {
        ImageSet.CheckLimit(limit);
        return Read(split, normalization, limit ?? int.MaxValue);
    }

    /// <summary>The same set as a network takes it: arrays whose samples have its input's extents stay as they are stored.</summary>
    internal virtual DataSource Suiting(Graph graph) => this;

    private protected abstract ImageSet Read(DataSplit split, Normalization normalization, int limit);
}
