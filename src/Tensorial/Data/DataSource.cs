namespace Tensorial.Data;

/// <summary>Where labelled images come from and in which format: what <c>--data</c> names.</summary>
public abstract record DataSource
{
    private const string Expected =
        "Give cifar10:FOLDER, cifar100:FOLDER, idx:FOLDER (the MNIST family), npy:IMAGES.npy,LABELS.npy, npy:SET.npz, or sample.";

    /// <summary>
    /// Reads <c>cifar10:FOLDER</c>, <c>cifar100:FOLDER</c>, <c>idx:FOLDER</c>, <c>npy:IMAGES.npy,LABELS.npy</c>, <c>npy:SET.npz</c> (both
    /// with <c>,nchw</c> or <c>,nhwc</c> where the shape does not tell), or <c>sample</c>. No file is touched yet.
    /// </summary>
    /// <exception cref="BadInputException">None of these.</exception>
    public static DataSource Parse(string text)
    {
        (string format, string place) = text.Split(':', 2) is [string before, string after] ? (before, after) : (text, "");
        return (format.ToLowerInvariant(), place) switch
        {
            ("cifar10" or "cifar100" or "idx" or "npy", "") => throw new BadInputException(
                $"'{text}' does not say where the images are. {Expected}"
            ),
            ("cifar10", _) => new CifarSource(CifarFormat.Cifar10, place),
            ("cifar100", _) => new CifarSource(CifarFormat.Cifar100, place),
            ("idx", _) => new IdxSource(place),
            ("npy", _) => NpySource.Parse(place),
            ("sample", "") => new SampleSource(),
            _ => throw new BadInputException($"'{text}' is no data set. {Expected}"),
        };
    }

    /// <summary>Reads one split, at most <paramref name="limit"/> images of it, into memory.</summary>
    /// <exception cref="BadInputException">The files are not what the format says; the message names file, place and values.</exception>
    /// <exception cref="IOException">A file or folder is missing or cannot be read.</exception>
    public ImageSet Open(Split split, Normalization normalization, int? limit = null)
    {
        ImageSet.CheckLimit(limit);
        return Read(split, normalization, limit ?? int.MaxValue);
    }

    private protected abstract ImageSet Read(Split split, Normalization normalization, int limit);
}
