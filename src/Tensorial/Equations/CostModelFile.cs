using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tensorial.Equations;

/// <summary>Cost models as small JSON files, so that a machine is measured once.</summary>
internal static class CostModelFile
{
    private const int SchemaVersion = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        TypeInfoResolver = CostModelJsonTypes.Default,
    };

    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(CostModel model, string path) =>
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, new Content(SchemaVersion, model), Json.TypeOf<Content>()));

    /// <exception cref="BadInputException">The file holds no cost model, or constants that are not positive.</exception>
    public static CostModel Read(string path)
    {
        Content content = JsonInput.Read<Content>(InputFile.ReadBytes(path), path, "cost model", Json);
        if (content.SchemaVersion != SchemaVersion)
            throw new BadInputException($"'{path}' has the schema version {content.SchemaVersion}; this program reads {SchemaVersion}.");
        return content.CostModel.Constants.All(static constant => double.IsFinite(constant) && constant > 0)
            ? content.CostModel
            : throw new BadInputException($"'{path}' holds a cost model with a constant that is not positive.");
    }

    /// <summary>What the file says.</summary>
    internal sealed record Content(int SchemaVersion, CostModel CostModel);
}

/// <summary>What the file is made of.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(CostModelFile.Content))]
internal sealed partial class CostModelJsonTypes : JsonSerializerContext;
