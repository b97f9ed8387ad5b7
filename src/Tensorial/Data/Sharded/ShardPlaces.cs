using System.Globalization;
using System.Text.RegularExpressions;

namespace Tensorial.Data.Sharded;

/// <summary>Which tar files a place names: one, those of a folder, or those of a pattern.</summary>
internal static partial class ShardPlaces
{
    private const string Extension = ".tar";

    /// <summary>More shards than any set has; a longer range is a slip.</summary>
    private const int Most = 1 << 20;

    /// <summary>
    /// The files, in the order of their names: of a pattern with numbers or words in braces, <c>train-{000000..000146}.tar</c> as WebDataset has
    /// them, or with <c>*</c> in the file's name; a file as itself; of a folder those in it and below it. A folder has splits where
    /// subfolders, or words in the names of the files, say so.
    /// </summary>
    /// <exception cref="BadInputException">No tar files, compressed ones, or a pattern that is none.</exception>
    /// <exception cref="IOException">A file or folder is missing or cannot be read.</exception>
    public static string[] Find(string place, DataSplit split)
    {
        if (place.Contains('{') && !Path.Exists(place))
            return Expand(place);
        if (Path.GetFileName(place) is var name && name.AsSpan().ContainsAny('*', '?') && !File.Exists(place))
            return OfFolder(Path.GetDirectoryName(place) is { Length: > 0 } folder ? folder : ".", name, recursive: false);
        if (Directory.Exists(place))
            return OfSplit(OfFolder(ImageFolder.SplitOf(place, split), "*", recursive: true), split);
        if (!File.Exists(place))
            throw new FileNotFoundException($"There is neither a folder nor a tar file '{place}'.");
        return IsPacked(place) ? throw Packed(place) : [place];
    }

    private static string[] OfFolder(string folder, string pattern, bool recursive)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"The folder '{folder}' does not exist.");
        string[] files = Directory.GetFiles(
            folder,
            pattern,
            new EnumerationOptions { RecurseSubdirectories = recursive, AttributesToSkip = FileAttributes.Hidden }
        );
        string[] shards = [.. files.Where(static file => file.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))];
        if (shards.Length == 0)
            throw files.FirstOrDefault(IsPacked) is { } packed
                ? Packed(packed)
                : new BadInputException($"'{Path.Combine(folder, pattern)}' names no tar files (*.tar).");
        Array.Sort(shards, StringComparer.Ordinal);
        return shards;
    }

    /// <summary>Those whose names have the split's word in them, where some have that of each.</summary>
    private static string[] OfSplit(string[] shards, DataSplit split)
    {
        string[] train = With(ImageFolder.TrainNames),
            test = With(ImageFolder.TestNames);
        return train.Length == 0 || test.Length == 0 ? shards
            : split == DataSplit.Train ? train
            : test;

        string[] With(string[] names) =>
            [
                .. shards.Where(shard =>
                    Words().Matches(Path.GetFileName(shard)).Any(word => names.Contains(word.Value, StringComparer.OrdinalIgnoreCase))
                ),
            ];
    }

    /// <summary>Every range and list in braces written out, the first one slowest.</summary>
    private static string[] Expand(string pattern)
    {
        string[] shards = [""];
        int at = 0;
        foreach (Match match in Braces().Matches(pattern))
        {
            string before = pattern[at..match.Index];
            string[] choices = match.Groups["low"].Success
                ? Range(pattern, match.Groups["low"].Value, match.Groups["high"].Value)
                : match.Groups["list"].Value.Split(',');
            if ((long)shards.Length * choices.Length > Most)
                throw new BadInputException($"'{pattern}' names more than {Most:N0} files.");
            shards = [.. shards.SelectMany(shard => choices.Select(choice => shard + before + choice))];
            at = match.Index + match.Length;
        }
        string rest = pattern[at..];
        if (rest.AsSpan().ContainsAny('{', '}') || shards.Length == 0)
            throw new BadInputException(
                $"'{pattern}' is no pattern of tar files: write ranges as {{000000..000146}} and lists as {{a,b}}."
            );
        shards = [.. shards.Select(shard => shard + rest)];
        string[] missing = [.. shards.Where(static shard => !File.Exists(shard))];
        return missing.Length == 0
            ? shards
            : throw new FileNotFoundException(
                $"Of the {shards.Length:N0} files of '{pattern}' {missing.Length:N0} are missing, such as '{missing[0]}'."
            );
    }

    private static string[] Range(string pattern, string low, string high)
    {
        if (
            !int.TryParse(low, NumberStyles.None, CultureInfo.InvariantCulture, out int first)
            || !int.TryParse(high, NumberStyles.None, CultureInfo.InvariantCulture, out int last)
            || last < first
            || last - first >= Most
        )
            throw new BadInputException($"{{{low}..{high}}} in '{pattern}' is no range of shards.");
        // As many digits as the first has, as shells count.
        return
        [
            .. Enumerable
                .Range(first, last - first + 1)
                .Select(number => number.ToString(CultureInfo.InvariantCulture).PadLeft(low.Length, '0')),
        ];
    }

    private static bool IsPacked(string path) =>
        path.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase);

    private static BadInputException Packed(string path) =>
        new($"'{path}' is compressed, and samples are read from where they lie in a tar file: unpack it with gunzip first.");

    [GeneratedRegex(@"\{(?:(?<low>[0-9]+)\.\.(?<high>[0-9]+)|(?<list>[^{},]+(?:,[^{},]+)+))\}")]
    private static partial Regex Braces();

    [GeneratedRegex("[A-Za-z]+")]
    private static partial Regex Words();
}
