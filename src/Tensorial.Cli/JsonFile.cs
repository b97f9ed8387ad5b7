using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tensorial.Cli;

/// <summary>Writes results for machines: camelCase, indented, whole or not at all.</summary>
internal static class JsonFile
{
    public static JsonSerializerOptions Options { get; } =
        new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            WriteIndented = true,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        };

    public static void Write<T>(FileInfo file, T value) =>
        AtomicFile.Write(file.FullName, stream => JsonSerializer.Serialize(stream, value, Options));
}
