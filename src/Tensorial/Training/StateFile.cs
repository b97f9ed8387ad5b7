using System.Text.Json;

namespace Tensorial.Training;

/// <summary>The JSON file of a checkpoint, which appears whole or not at all.</summary>
internal static class StateFile
{
    /// <summary>Of what is written here; another one is refused.</summary>
    public const int SchemaVersion = 1;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    public static void Write<T>(string path, T state) => AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, state, Json));

    /// <param name="path">The file.</param>
    /// <param name="what">What it should be, for messages: a state of a training.</param>
    /// <exception cref="BadInputException">It is not, or of another version of this program.</exception>
    public static T Read<T>(string path, string what)
        where T : class, IState
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            T state = JsonSerializer.Deserialize<T>(stream, Json) ?? throw new BadInputException($"'{path}' is empty.");
            return state.SchemaVersion == SchemaVersion
                ? state
                : throw new BadInputException(
                    $"'{path}' has the schema version {state.SchemaVersion}; this program reads {SchemaVersion}."
                );
        }
        catch (JsonException error)
        {
            throw new BadInputException($"'{path}' is no {what}: {error.Message}", error);
        }
    }
}

/// <summary>What a <see cref="StateFile"/> holds.</summary>
internal interface IState
{
    int SchemaVersion { get; }
}
