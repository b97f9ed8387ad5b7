using System.Buffers.Binary;
using System.Text.Json;

namespace Tensorial;

/// <summary>
/// Named float32 tensors in one file, in the safetensors format: eight bytes that say how long a JSON header is, the header (type, shape
/// and place of every tensor), the values one after another.
/// </summary>
public static class SafetensorsFile
{
    private const int LongestHeader = 100_000_000;

    /// <summary>Writes tensors, in the order of their names.</summary>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor<float>>> tensors) =>
        AtomicFile.Write(path, stream => Write(stream, tensors));

    /// <summary>Writes tensors, in the order of their names, as a file has them.</summary>
    internal static void Write(Stream stream, IEnumerable<KeyValuePair<string, Tensor<float>>> tensors)
    {
        KeyValuePair<string, Tensor<float>>[] ordered = [.. tensors.OrderBy(static t => t.Key, StringComparer.Ordinal)];
        using MemoryStream header = new();
        using (Utf8JsonWriter json = new(header))
        {
            json.WriteStartObject();
            long offset = 0;
            foreach ((string name, Tensor<float> tensor) in ordered)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", "F32");
                json.WriteStartArray("shape");
                foreach (int extent in tensor.Shape)
                    json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += (long)tensor.Shape.ElementCount * sizeof(float));
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        // Values begin on a multiple of eight; readers skip the spaces.
        while (header.Length % 8 != 0)
            header.WriteByte((byte)' ');
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        header.WriteTo(stream);
        foreach ((_, Tensor<float> tensor) in ordered)
            stream.Write(tensor.Bytes(0, tensor.Shape.ElementCount));
    }

    /// <summary>All tensors of a file.</summary>
    /// <exception cref="BadInputException">It is no safetensors file, damaged, or holds other than float32 values.</exception>
    public static IReadOnlyDictionary<string, Tensor<float>> Read(string path) => Read(InputFile.ReadBytes(path), path);

    /// <summary>All tensors of a file that has been read.</summary>
    /// <param name="bytes">What it holds.</param>
    /// <param name="path">What messages call it.</param>
    internal static IReadOnlyDictionary<string, Tensor<float>> Read(byte[] bytes, string path)
    {
        long length = bytes.Length < 8 ? -1 : BinaryPrimitives.ReadInt64LittleEndian(bytes);
        if (length < 2 || length > Math.Min(LongestHeader, bytes.Length - 8))
            throw new BadInputException($"'{path}' is no safetensors file: its header is said to take {length} of {bytes.Length} bytes.");
        int start = (int)length + 8;
        try
        {
            using JsonDocument header = JsonDocument.Parse(bytes.AsMemory(8, (int)length));
            Dictionary<string, Tensor<float>> tensors = [];
            List<(long First, long Past, string Name)> places = [];
            foreach (JsonProperty entry in header.RootElement.EnumerateObject())
            {
                if (entry.Name == "__metadata__")
                    continue;
                if (!tensors.TryAdd(entry.Name, Tensor(path, entry, bytes.AsSpan(start), out (long First, long Past) place)))
                    throw new BadInputException($"'{path}': the tensor '{entry.Name}' stands there twice.");
                places.Add((place.First, place.Past, entry.Name));
            }
            places.Sort();
            for (int k = 1; k < places.Count; k++)
                if (places[k].First < places[k - 1].Past)
                    throw new BadInputException($"'{path}': the tensors '{places[k - 1].Name}' and '{places[k].Name}' share bytes.");
            return tensors;
        }
        catch (Exception error)
            when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException)
        {
            throw new BadInputException($"'{path}' is no safetensors file: its header cannot be read ({error.Message}).", error);
        }
    }

    private static Tensor<float> Tensor(string path, JsonProperty entry, ReadOnlySpan<byte> values, out (long First, long Past) place)
    {
        string? type = entry.Value.GetProperty("dtype").GetString();
        if (type != "F32")
            throw new BadInputException($"'{path}': the tensor '{entry.Name}' holds {type} values; F32 is read.");
        Shape shape;
        try
        {
            shape = Shape.From([.. entry.Value.GetProperty("shape").EnumerateArray().Select(static e => e.GetInt32())]);
        }
        catch (ShapeException error)
        {
            throw new BadInputException($"'{path}': the tensor '{entry.Name}': {error.Message}", error);
        }
        JsonElement offsets = entry.Value.GetProperty("data_offsets");
        if (offsets.GetArrayLength() != 2)
            throw new BadInputException($"'{path}': the tensor '{entry.Name}' has {offsets.GetArrayLength()} data_offsets instead of 2.");
        (long first, long past) = place = (offsets[0].GetInt64(), offsets[1].GetInt64());
        if (first < 0 || past < first || past > values.Length || past - first != (long)shape.ElementCount * sizeof(float))
            throw new BadInputException(
                $"'{path}': the tensor '{entry.Name}' of shape {shape} is said to lie at {first} to {past} of {values.Length} bytes."
            );
        Tensor<float> tensor = new(shape);
        values[(int)first..(int)past].CopyTo(tensor.Bytes(0, shape.ElementCount));
        return tensor;
    }
}
