using System.Collections.Immutable;
using System.Text.Json;

namespace Tensorial.Training;

/// <summary>All that a training needs to go on after an epoch as if it had never stopped.</summary>
/// <param name="Signature">Says which training it belongs to; another one is not continued with it.</param>
/// <param name="Epoch">Epochs done.</param>
/// <param name="Steps">Steps done.</param>
/// <param name="BestEpoch">The epoch of the best test accuracy; 0 for none.</param>
/// <param name="Epochs">What they came to.</param>
/// <param name="Tensors">Weights, statistics and what the optimizer remembers, by kind and name.</param>
internal sealed record TrainingCheckpoint(
    string Signature, int Epoch, int Steps, int BestEpoch,
        ImmutableArray<EpochRecord> Epochs, IReadOnlyDictionary<string, Tensor<float>> Tensors);

/// <summary>
/// A folder with the newest checkpoint: <c>state.json</c> and the <c>.safetensors</c> file that it names. The tensors are written first and
/// the state is renamed into place last, so that whenever the program is killed one whole checkpoint is there.
/// </summary>
public sealed class CheckpointFolder(string path)
{
    private const int SchemaVersion = 1;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    private string StatePath => Path.Combine(path, "state.json");

    internal void Save(TrainingCheckpoint checkpoint)
    {
        Directory.CreateDirectory(path);
        string tensors = $"epoch-{checkpoint.Epoch:D5}.safetensors";
        SafetensorsFile.Write(Path.Combine(path, tensors), checkpoint.Tensors);
        State state = new(SchemaVersion, checkpoint.Signature, checkpoint.Epoch, checkpoint.Steps, checkpoint.BestEpoch,
            [.. checkpoint.Epochs], tensors);
        AtomicFile.Write(StatePath, stream => JsonSerializer.Serialize(stream, state, Json));
        foreach (string older in Directory.GetFiles(path, "epoch-*.safetensors"))
            if (Path.GetFileName(older) != tensors) File.Delete(older);
    }

    /// <summary>The checkpoint; null where the folder has none.</summary>
    /// <exception cref="BadInputException">It cannot be read, or belongs to another training.</exception>
    internal TrainingCheckpoint? Load(string signature)
    {
        if (!File.Exists(StatePath)) return null;
        State state = Read();
        if (state.SchemaVersion != SchemaVersion)
            throw new BadInputException($"'{StatePath}' has the schema version {state.SchemaVersion}; this program reads {SchemaVersion}.");
        if (state.Signature != signature)
            throw new BadInputException($"'{path}' holds another training ({state.Signature}), not this one ({signature}). Give the same options, or another folder.");
        return new(state.Signature, state.Epoch, state.Steps, state.BestEpoch, [.. state.Epochs],
            SafetensorsFile.Read(Path.Combine(path, state.Tensors)));
    }

    private State Read()
    {
        try
        {
            using FileStream stream = File.OpenRead(StatePath);
            return JsonSerializer.Deserialize<State>(stream, Json) ?? throw new BadInputException($"'{StatePath}' is empty.");
        }
        catch (JsonException error)
        {
            throw new BadInputException($"'{StatePath}' is no state of a training: {error.Message}", error);
        }
    }

    private sealed record State(
        int SchemaVersion, string Signature, int Epoch, int Steps, int BestEpoch, EpochRecord[] Epochs, string Tensors);
}
