using System.Globalization;
using System.Text;
using System.Text.Json;
using Tensorial.Data.Fetching;

namespace Tensorial.Data.Sharded;

/// <summary>A picture or an array in a tar file.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Offset">Where its first byte lies.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Label">Its class; null where the file says none.</param>
internal readonly record struct TarSample(string Name, long Offset, int Length, int? Label)
{
    public bool IsArray => Name.EndsWith(".npy", StringComparison.OrdinalIgnoreCase);
}

/// <summary>
/// What lies where in a tar file of WebDataset's convention: the files of a sample have one name up to the first dot, its key. Headers
/// alone are read, and classes.
/// </summary>
/// <param name="Path">The file.</param>
/// <param name="Stamp">What it said of itself when it was read.</param>
/// <param name="Samples">Pictures and arrays, in the file's order.</param>
internal sealed record TarShard(string Path, InputFile.Stamp Stamp, TarSample[] Samples)
{
    /// <summary>Longer classes are none, and longer descriptions are not looked into.</summary>
    private const int MostLabelBytes = 64,
        MostDescriptionBytes = 1 << 20;

    /// <summary>Fields of a description that hold the class.</summary>
    private static readonly string[] LabelFields = ["cls", "label"];

    /// <summary>Reads the headers of a tar file.</summary>
    /// <exception cref="BadInputException">It is damaged, two pictures have one key, or a class is no number; names it.</exception>
    /// <exception cref="IOException">It is missing or cannot be read.</exception>
    public static TarShard Read(string path)
    {
        InputFile.Stamp stamp = InputFile.StampOf(path);
        using FileStream file = InputFile.Open(path);
        List<Found> found = [];
        Dictionary<string, Found> byKey = new(StringComparer.Ordinal);
        foreach ((string full, Stream content) in new TarArchive(file, path).Files())
        {
            string name = full.StartsWith("./", StringComparison.Ordinal) ? full[2..] : full;
            if (KeyOf(name) is not { } key)
                continue;
            string extension = name[(key.Length + 1)..].ToLowerInvariant();
            bool isSample = extension == "npy" || ImageFile.Extensions.Contains("." + extension);
            if (!isSample && extension is not ("cls" or "json"))
                continue;
            if (!byKey.TryGetValue(key, out Found? sample))
                found.Add(byKey[key] = sample = new());
            Place place = new(file.Position, content.Length);
            if (extension == "cls")
                sample.Label = LabelOf(Text(content, path, name), path, name);
            else if (extension == "json")
                sample.Description = place;
            else
                sample.Add(path, name, place);
        }
        foreach (Found sample in found)
            if (sample is { Name: { } name, Label: null, Description: { Length: <= MostDescriptionBytes } place })
                sample.Label = DescribedLabel(file, place, path, name);
        return new(
            path,
            stamp,
            [
                .. found
                    .Where(static sample => sample.Name is not null)
                    .Select(static sample => new TarSample(sample.Name!, sample.Place.Offset, (int)sample.Place.Length, sample.Label)),
            ]
        );
    }

    /// <summary>The name up to the first dot behind its folders; null where that is empty or begins with two underscores, as files about
    /// the archive do, or there is no dot.</summary>
    private static string? KeyOf(string name)
    {
        int start = name.LastIndexOf('/') + 1,
            dot = name.IndexOf('.', start);
        return dot <= start || name.AsSpan(start).StartsWith("__", StringComparison.Ordinal) ? null : name[..dot];
    }

    private static string Text(Stream content, string path, string name)
    {
        if (content.Length > MostLabelBytes)
            throw new BadInputException($"'{path}({name})' has {content.Length:N0} bytes: a class is a number.");
        byte[] bytes = new byte[content.Length];
        content.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes).Trim();
    }

    private static int LabelOf(string text, string path, string name) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int label) && label < StoredArray.MostClasses
            ? label
            : throw new BadInputException(
                $"'{path}({name})' holds '{text}': a class is a whole number from 0, below {StoredArray.MostClasses:N0}."
            );

    /// <summary>The class in a description, where there is one.</summary>
    private static int? DescribedLabel(FileStream file, Place place, string path, string name)
    {
        byte[] bytes = new byte[place.Length];
        file.Position = place.Offset;
        file.ReadExactly(bytes);
        try
        {
            using JsonDocument description = JsonDocument.Parse(bytes);
            JsonElement root = description.RootElement;
            JsonElement? value =
                root.ValueKind == JsonValueKind.Number ? root
                : root.ValueKind != JsonValueKind.Object ? null
                : LabelFields
                    .Select(field => root.TryGetProperty(field, out JsonElement label) ? label : (JsonElement?)null)
                    .FirstOrDefault(static label => label is { ValueKind: JsonValueKind.Number });
            return value is { } number ? LabelOf(number.GetRawText(), path, name) : null;
        }
        catch (JsonException error)
        {
            throw new BadInputException($"The JSON beside '{path}({name})' is damaged: {error.Message}", error);
        }
    }

    private readonly record struct Place(long Offset, long Length);

    /// <summary>What was found of a sample so far.</summary>
    private sealed class Found
    {
        public string? Name { get; private set; }

        public Place Place { get; private set; }

        public int? Label { get; set; }

        public Place? Description { get; set; }

        public void Add(string path, string name, Place place)
        {
            if (Name is not null)
                throw new BadInputException($"'{path}' holds '{Name}' and '{name}': a sample has one picture or array.");
            if (place.Length > Array.MaxLength)
                throw new BadInputException($"'{path}({name})' has {place.Length:N0} bytes, more than any picture or array that is read.");
            (Name, Place) = (name, place);
        }
    }
}
