using System.Collections.Immutable;

namespace Tensorial.Training;

/// <summary>All that a training needs to go on after an epoch as if it had never stopped.</summary>
/// <param name="Signature">Says which training it belongs to; another one is not continued with it.</param>
/// <param name="Epoch">Epochs done.</param>
/// <param name="Steps">Steps done.</param>
/// <param name="BestEpoch">The epoch of the best test accuracy; 0 for none.</param>
/// <param name="Epochs">What they came to.</param>
/// <param name="Tensors">Weights, statistics and what the optimizer remembers, by kind and name.</param>
internal sealed record TrainingCheckpoint(
    string Signature,
    int Epoch,
    int Steps,
    int BestEpoch,
    ImmutableArray<EpochRecord> Epochs,
    IReadOnlyDictionary<string, Tensor<float>> Tensors
);

/// <summary>
/// A folder with the newest checkpoint: <c>state.json</c> and the <c>.safetensors</c> file that it names. The tensors are written first and
/// the state is renamed into place last, so that whenever the program is killed one whole checkpoint is there.
/// </summary>
public sealed class CheckpointFolder(string path)
{
    private string StatePath => Path.Combine(path, "state.json");

    internal void Save(TrainingCheckpoint checkpoint)
    {
        Directory.CreateDirectory(path);
        string tensors = $"epoch-{checkpoint.Epoch:D5}.safetensors";
        SafetensorsFile.Write(Path.Combine(path, tensors), checkpoint.Tensors);
        State state = new(
            StateFile.SchemaVersion,
            checkpoint.Signature,
            checkpoint.Epoch,
            checkpoint.Steps,
            checkpoint.BestEpoch,
            [.. checkpoint.Epochs],
            tensors
        );
        StateFile.Write(StatePath, state);
        foreach (string older in Directory.GetFiles(path, "epoch-*.safetensors"))
            if (Path.GetFileName(older) != tensors)
                File.Delete(older);
    }

    /// <summary>The checkpoint; null where the folder has none.</summary>
    /// <exception cref="BadInputException">It cannot be read, or belongs to another training.</exception>
    internal TrainingCheckpoint? Load(string signature)
    {
        if (!File.Exists(StatePath))
            return null;
        State state = StateFile.Read<State>(StatePath, "state of a training");
        if (state.Signature != signature)
            throw new BadInputException(
                $"'{path}' holds another training ({state.Signature}), not this one ({signature}). Give the same options, or another folder."
            );
        return new(
            state.Signature,
            state.Epoch,
            state.Steps,
            state.BestEpoch,
            [.. state.Epochs],
            SafetensorsFile.Read(Path.Combine(path, state.Tensors))
        );
    }

    private sealed record State(
        int SchemaVersion,
        string Signature,
        int Epoch,
        int Steps,
        int BestEpoch,
        EpochRecord[] Epochs,
        string Tensors
    ) : IState;
}
