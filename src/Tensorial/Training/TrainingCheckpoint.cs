using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;

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
/// A folder with the two newest checkpoints: <c>state.json</c> and the <c>.safetensors</c> files that it names, with their checksums. The
/// tensors are written first and the state is renamed into place last, so that whenever the program is killed one whole checkpoint is
/// there. Where the newest is damaged the one before is taken up.
/// </summary>
public sealed class CheckpointFolder(string path)
{
    private Saved? _newest;

    /// <summary>Told what is damaged and what is used instead.</summary>
    public Action<string>? Warn { get; init; }

    private string StatePath => Path.Combine(path, "state.json");

    internal void Save(TrainingCheckpoint checkpoint)
    {
        Directory.CreateDirectory(path);
        string tensors = $"epoch-{checkpoint.Epoch:D5}.safetensors";
        SafetensorsFile.Write(Path.Combine(path, tensors), checkpoint.Tensors);
        Saved saved = new(
            checkpoint.Epoch,
            checkpoint.Steps,
            checkpoint.BestEpoch,
            tensors,
            InputFile.ChecksumOf(Path.Combine(path, tensors))
        );
        Saved? former = _newest?.Epoch < checkpoint.Epoch ? _newest : null;
        StateFile.Write(
            StatePath,
            new State(
                StateFile.SchemaVersion,
                LibraryVersion.Text,
                checkpoint.Signature,
                saved.Epoch,
                saved.Steps,
                saved.BestEpoch,
                [.. checkpoint.Epochs],
                tensors,
                saved.Sha256,
                former
            )
        );
        _newest = saved;
        foreach (string older in Directory.GetFiles(path, "epoch-*.safetensors"))
            if (Path.GetFileName(older) is var name && name != tensors && name != former?.Tensors)
                File.Delete(older);
    }

    /// <summary>The newest checkpoint that is whole; null where the folder has none.</summary>
    /// <exception cref="BadInputException">None can be read, or they belong to another training.</exception>
    internal TrainingCheckpoint? Load(string signature)
    {
        if (!File.Exists(StatePath))
            return null;
        State state = StateFile.Read<State>(StatePath, "state of a training");
        if (state.Signature != signature)
            throw new BadInputException(
                $"'{path}' holds another training ({state.Signature}), not this one ({signature}). Give the same options, or another folder."
            );
        if (StateFile.WarningOf(path, state.Version) is { } warning)
            Warn?.Invoke(warning);
        Saved newest = new(state.Epoch, state.Steps, state.BestEpoch, state.Tensors, state.Sha256);
        foreach (Saved saved in (Saved[])[newest, .. state.Previous is null ? Array.Empty<Saved>() : [state.Previous]])
            Check(state, saved);
        try
        {
            return Load(state, newest);
        }
        catch (BadInputException error) when (state.Previous is { } previous)
        {
            TrainingCheckpoint checkpoint = Load(state, previous);
            Warn?.Invoke($"{error.Message} The checkpoint of epoch {previous.Epoch} is taken up instead.");
            return checkpoint;
        }
    }

    private void Check(State state, Saved saved)
    {
        if (saved.Epoch > state.Epochs.Length || saved.BestEpoch > saved.Epoch)
            throw new BadInputException(
                $"'{StatePath}' is no state of a training: it tells of {state.Epochs.Length} epochs, of epoch {saved.Epoch} and of the best, {saved.BestEpoch}."
            );
        if (Path.GetFileName(saved.Tensors) != saved.Tensors)
            throw new BadInputException($"'{StatePath}' is no state of a training: '{saved.Tensors}' is no file of its folder.");
    }

    private TrainingCheckpoint Load(State state, Saved saved)
    {
        IReadOnlyDictionary<string, Tensor<float>> tensors = StateFile.ReadTensors(Path.Combine(path, saved.Tensors), saved.Sha256);
        _newest = saved;
        return new(state.Signature, saved.Epoch, saved.Steps, saved.BestEpoch, [.. state.Epochs.Take(saved.Epoch)], tensors);
    }

    /// <summary>One checkpoint: how far it is and its file.</summary>
    internal sealed record Saved(
        [property: Range(1, int.MaxValue)] int Epoch,
        [property: Range(0, int.MaxValue)] int Steps,
        [property: Range(0, int.MaxValue)] int BestEpoch,
        string Tensors,
        string? Sha256
    );

    internal sealed record State(
        int SchemaVersion,
        string? Version,
        string Signature,
        [property: Range(1, int.MaxValue)] int Epoch,
        [property: Range(0, int.MaxValue)] int Steps,
        [property: Range(0, int.MaxValue)] int BestEpoch,
        EpochRecord[] Epochs,
        string Tensors,
        string? Sha256,
        Saved? Previous
    ) : IState;
}
