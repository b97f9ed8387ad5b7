using System.Numerics.Tensors;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tensorial.Training;

/// <summary>The JSON file of a checkpoint, which appears whole or not at all.</summary>
internal static class StateFile
{
    /// <summary>Of what is written here; another one is refused.</summary>
    public const int SchemaVersion = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        TypeInfoResolver = StateJsonTypes.Default,
    };

    public static void Write<T>(string path, T state) =>
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, state, Json.TypeOf<T>()));

    /// <summary>A state and named tensors as bytes, for other ranks of the same program.</summary>
    public static byte[] Pack<T>(T state, IEnumerable<KeyValuePair<string, Tensor<float>>> tensors)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(state, Json.TypeOf<T>());
        using MemoryStream stream = new();
        stream.Write(BitConverter.GetBytes(json.Length));
        stream.Write(json);
        SafetensorsFile.Write(stream, tensors);
        return stream.ToArray();
    }

    /// <summary>What <see cref="Pack"/> has packed.</summary>
    public static (T State, IReadOnlyDictionary<string, Tensor<float>> Tensors) Unpack<T>(byte[] bytes)
    {
        int length = BitConverter.ToInt32(bytes);
        T state = JsonSerializer.Deserialize(bytes.AsSpan(sizeof(int), length), Json.TypeOf<T>())!;
        return (state, SafetensorsFile.Read(bytes[(sizeof(int) + length)..], "the state of rank 0"));
    }

    /// <param name="path">The file.</param>
    /// <param name="what">What it should be, for messages: a state of a training.</param>
    /// <exception cref="BadInputException">It is not, or of another version of this program.</exception>
    public static T Read<T>(string path, string what)
        where T : class, IState
    {
        T state = JsonInput.Read<T>(InputFile.ReadBytes(path), path, what, Json);
        return state.SchemaVersion == SchemaVersion
            ? state
            : throw new BadInputException($"'{path}' has the schema version {state.SchemaVersion}; this program reads {SchemaVersion}.");
    }

    /// <summary>Named tensors of a checkpoint, where they are as they were written.</summary>
    /// <exception cref="BadInputException">The file is not there or not the one that was written, or holds a value that is not finite; names
    /// file and tensor.</exception>
    public static IReadOnlyDictionary<string, Tensor<float>> ReadTensors(string path, string? checksum)
    {
        if (!File.Exists(path))
            throw new BadInputException($"'{path}' is missing.");
        byte[] bytes = InputFile.ReadBytes(path);
        if (checksum is not null && InputFile.ChecksumOf(bytes) != checksum)
            throw new BadInputException($"'{path}' is damaged: it is not as it was written (SHA-256 differs).");
        IReadOnlyDictionary<string, Tensor<float>> tensors = SafetensorsFile.Read(bytes, path);
        foreach ((string name, Tensor<float> tensor) in tensors)
            if (!TensorPrimitives.IsFiniteAll<float>(tensor.Values))
                throw new BadInputException($"'{path}' is damaged: the tensor '{name}' holds values that are not finite.");
        return tensors;
    }

    /// <summary>What is said where another version wrote what is taken up; null where it was this one.</summary>
    public static string? WarningOf(string folder, string? version) =>
        version == LibraryVersion.Text
            ? null
            : $"What '{folder}' holds was written by version {version ?? "unknown"} of this program; this is {LibraryVersion.Text}. It is taken up as it is.";
}

/// <summary>What a <see cref="StateFile"/> holds.</summary>
internal interface IState
{
    int SchemaVersion { get; }
}

/// <summary>What checkpoints are made of.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(CheckpointFolder.State))]
[JsonSerializable(typeof(BlockFolder.Finished))]
internal sealed partial class StateJsonTypes : JsonSerializerContext;
