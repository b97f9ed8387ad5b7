using Microsoft.Win32.SafeHandles;

namespace Tensorial.Data.Sharded;

/// <summary>The samples of tar files, read from where they lie there: places and names are held, some hundred bytes
/// each, and no content.</summary>
internal sealed class TarFiles : SampleFiles
{
    /// <summary>
    /// Samples that are mixed with each other at least. Fewer would do for most sets; of ImageNet it is some thirteen of its thousand
    /// usual shards, which a disk reads ahead in.
    /// </summary>
    public const int WindowSize = 16_384;

    private readonly (string Path, InputFile.Stamp Stamp)[] _shards;
    private readonly (int Shard, TarSample Sample)[] _samples;

    private TarFiles((string Path, InputFile.Stamp Stamp)[] shards, (int Shard, TarSample Sample)[] samples, IReadOnlyList<int> windows) =>
        (_shards, _samples, Windows) = (shards, samples, windows);

    public override int Count => _samples.Length;

    public override IReadOnlyList<int> Windows { get; }

    /// <summary>Class of each sample; null where none of them says one.</summary>
    /// <exception cref="BadInputException">Some do; names one of either kind.</exception>
    public int[]? Labels
    {
        get
        {
            int without = Array.FindIndex(_samples, static place => place.Sample.Label is null),
                with = Array.FindIndex(_samples, static place => place.Sample.Label is not null);
            if (with < 0)
                return null;
            return without < 0
                ? [.. _samples.Select(static place => place.Sample.Label!.Value)]
                : throw new BadInputException(
                    $"'{PathOf(with)}' has a class and '{PathOf(without)}' has none: all samples of a set have one (KEY.cls), or none has."
                );
        }
    }

    /// <summary>Whether samples are arrays, not pictures.</summary>
    /// <exception cref="BadInputException">Some are; names one of either kind.</exception>
    public bool AreArrays
    {
        get
        {
            bool first = _samples[0].Sample.IsArray;
            int other = Array.FindIndex(_samples, place => place.Sample.IsArray != first);
            return other < 0
                ? first
                : throw new BadInputException(
                    $"'{PathOf(0)}' and '{PathOf(other)}' are a picture and an array: the samples of a set are of one kind."
                );
        }
    }

    /// <summary>Reads the headers of tar files, several at a time.</summary>
    /// <param name="paths">The files, in order.</param>
    /// <param name="window">Samples that are mixed with each other at least.</param>
    /// <exception cref="BadInputException">One is damaged, or none holds a sample.</exception>
    /// <exception cref="IOException">One cannot be read.</exception>
    public static TarFiles Open(string[] paths, int window = WindowSize)
    {
        var shards = new TarShard[paths.Length];
        Tasks.Run(paths.Length, k => shards[k] = TarShard.Read(paths[k]));
        if (shards.All(static shard => shard.Samples.Length == 0))
            throw new BadInputException(
                $"'{paths[0]}'{(paths.Length > 1 ? $" and {paths.Length - 1:N0} more hold" : " holds")} no pictures ({string.Join(", ", ImageFile.Extensions)}) and no arrays (.npy)."
            );
        (List<(int, TarSample)> samples, List<int> windows) = Ordered(shards, window);
        return new([.. shards.Select(static shard => (shard.Path, shard.Stamp))], [.. samples], windows);
    }

    /// <summary>
    /// Shards in an order that is drawn once; as many in a row as hold enough samples are a window, and those are mixed, so that whoever
    /// takes the first few gets some of every class and whoever takes all goes through the files one after the other.
    /// </summary>
    private static (List<(int, TarSample)> Samples, List<int> Windows) Ordered(TarShard[] shards, int window)
    {
        int[] turns = [.. Enumerable.Range(0, shards.Length)];
        new Random(ImageFolder.Seed).Shuffle(turns);
        List<(int, TarSample)> ordered = [];
        List<int> windows = [];
        int left = shards.Sum(static shard => shard.Samples.Length);
        List<(int Shard, TarSample Sample)> open = [];
        foreach (int shard in turns)
        {
            open.AddRange(shards[shard].Samples.Select(sample => (shard, sample)));
            // What would be too little for a window of its own goes with the last.
            if (open.Count == 0 || (open.Count < left && (open.Count < window || left - open.Count < window)))
                continue;
            (int Shard, TarSample Sample)[] mixed =
            [
                .. open.OrderBy(static place => place.Sample.Name, StringComparer.Ordinal).ThenBy(static place => place.Shard),
            ];
            new Random(ImageFolder.Seed).Shuffle(mixed);
            windows.Add(ordered.Count);
            ordered.AddRange(mixed);
            left -= open.Count;
            open.Clear();
        }
        return (ordered, windows);
    }

    public override string NameOf(int sample) => _samples[sample].Sample.Name;

    public override string PathOf(int sample) => $"{_shards[_samples[sample].Shard].Path}({NameOf(sample)})";

    public override long LengthOf(int sample)
    {
        Check(_samples[sample].Shard);
        return _samples[sample].Sample.Length;
    }

    public override byte[] Read(int sample)
    {
        (int shard, TarSample place) = _samples[sample];
        Check(shard);
        byte[] content = new byte[place.Length];
        using SafeFileHandle file = InputFile.OpenHandle(_shards[shard].Path);
        for (int have = 0; have < content.Length; )
            have += RandomAccess.Read(file, content.AsSpan(have), place.Offset + have) is var more and > 0
                ? more
                : throw Changed(_shards[shard].Path);
        Check(shard);
        return content;
    }

    private void Check(int shard)
    {
        (string path, InputFile.Stamp stamp) = _shards[shard];
        if (InputFile.StampOf(path) != stamp)
            throw Changed(path);
    }
}
