using System.ComponentModel.DataAnnotations;

namespace Tensorial.Training;

/// <summary>A block that has been tuned.</summary>
/// <param name="Record">What it came to.</param>
/// <param name="Weights">Its weights and running statistics by name, none where it stayed as it was.</param>
internal sealed record FinishedBlock(BlockRecord Record, IReadOnlyDictionary<string, Tensor<float>> Weights);

/// <summary>
/// A folder with the blocks that a sequential tuning has finished: <c>blocks.json</c> and one <c>.safetensors</c> file each. A block's
/// weights are written before the list that names them is renamed into place, so that whenever the program is killed every block in the
/// list is whole.
/// </summary>
/// <param name="path">The folder.</param>
/// <param name="signature">Says which tuning it belongs to; another one is not continued with it.</param>
public sealed class BlockFolder(string path, string signature)
{
    private readonly SortedDictionary<int, Entry> _done = [];

    /// <summary>Told what is damaged and done again.</summary>
    public Action<string>? Warn { get; init; }

    private string ListPath => Path.Combine(path, "blocks.json");

    /// <summary>A finished block as bytes, for other ranks.</summary>
    internal static byte[] Pack(int index, FinishedBlock block) =>
        StateFile.Pack(new Finished(StateFile.SchemaVersion, null, "", [new(index, block.Record, null)]), block.Weights);

    /// <summary>What <see cref="Pack"/> has packed.</summary>
    internal static FinishedBlock Unpack(byte[] packed)
    {
        (Finished finished, IReadOnlyDictionary<string, Tensor<float>> weights) = StateFile.Unpack<Finished>(packed);
        return new(finished.Blocks[0].Block, weights);
    }

    /// <summary>Adds a finished block.</summary>
    /// <param name="index">Its place among the blocks.</param>
    /// <param name="block">The block.</param>
    internal void Save(int index, FinishedBlock block)
    {
        Directory.CreateDirectory(path);
        SafetensorsFile.Write(TensorsPath(index), block.Weights);
        _done[index] = new(index, block.Record, InputFile.ChecksumOf(TensorsPath(index)));
        StateFile.Write(ListPath, new Finished(StateFile.SchemaVersion, LibraryVersion.Text, signature, [.. _done.Values]));
    }

    /// <summary>The finished blocks by their place; none where the folder has none.</summary>
    /// <exception cref="BadInputException">They cannot be read, or belong to another tuning.</exception>
    internal Dictionary<int, FinishedBlock> Load()
    {
        Dictionary<int, FinishedBlock> found = [];
        if (!File.Exists(ListPath))
            return found;
        Finished finished = StateFile.Read<Finished>(ListPath, "list of tuned blocks");
        if (finished.Signature != signature)
            throw new BadInputException(
                $"'{path}' holds another tuning ({finished.Signature}), not this one ({signature}). Give the same options, or another folder."
            );
        if (StateFile.WarningOf(path, finished.Version) is { } warning)
            Warn?.Invoke(warning);
        foreach (Entry entry in finished.Blocks)
        {
            try
            {
                found[entry.Index] = new(entry.Block, StateFile.ReadTensors(TensorsPath(entry.Index), entry.Sha256));
                _done[entry.Index] = entry;
            }
            catch (BadInputException error)
            {
                Warn?.Invoke($"{error.Message} The block '{entry.Block.Name}' is tuned again.");
            }
        }
        return found;
    }

    private string TensorsPath(int index) => Path.Combine(path, $"block-{index + 1:D3}.safetensors");

    internal sealed record Finished(int SchemaVersion, string? Version, string Signature, Entry[] Blocks) : IState;

    internal sealed record Entry([property: Range(0, int.MaxValue)] int Index, BlockRecord Block, string? Sha256);
}
