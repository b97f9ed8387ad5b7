using System.Collections.Immutable;
using System.Text.Json;

namespace Tensorial.Training;

/// <summary>
/// A folder with the blocks that a sequential tuning has finished: <c>blocks.json</c> and one <c>.safetensors</c> file each. A block's
/// weights are written before the list that names them is renamed into place, so that whenever the program is killed every block in the
/// list is whole.
/// </summary>
/// <param name="path">The folder.</param>
/// <param name="signature">Says which tuning it belongs to; another one is not continued with it.</param>
public sealed class BlockFolder(string path, string signature)
{
    private const int SchemaVersion = 1;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    internal static readonly IReadOnlyDictionary<int, (BlockRecord Record, IReadOnlyDictionary<string, Tensor<float>> Weights)> Nothing =
        ImmutableDictionary<int, (BlockRecord, IReadOnlyDictionary<string, Tensor<float>>)>.Empty;

    private readonly SortedDictionary<int, BlockRecord> _done = [];

    private string ListPath => Path.Combine(path, "blocks.json");

    /// <summary>Adds a finished block.</summary>
    /// <param name="index">Its place among the blocks.</param>
    /// <param name="record">What it came to.</param>
    /// <param name="weights">Its weights, none where it stayed as it was.</param>
    internal void Save(int index, BlockRecord record, IReadOnlyDictionary<string, Tensor<float>> weights)
    {
        Directory.CreateDirectory(path);
        SafetensorsFile.Write(TensorsPath(index), weights);
        _done[index] = record;
        AtomicFile.Write(ListPath,
            stream => JsonSerializer.Serialize(stream,
                new Finished(SchemaVersion, signature, [.. _done.Select(static d => new Entry(d.Key, d.Value))]), Json));
    }

    /// <summary>The finished blocks by their place; none where the folder has none.</summary>
    /// <exception cref="BadInputException">They cannot be read, or belong to another tuning.</exception>
    internal IReadOnlyDictionary<int, (BlockRecord Record, IReadOnlyDictionary<string, Tensor<float>> Weights)> Load()
    {
        if (!File.Exists(ListPath)) return Nothing;
        Finished finished = Read();
        if (finished.SchemaVersion != SchemaVersion)
            throw new BadInputException(
                $"'{ListPath}' has the schema version {finished.SchemaVersion}; this program reads {SchemaVersion}.");
        if (finished.Signature != signature)
            throw new BadInputException($"'{path}' holds another tuning ({finished.Signature}), not this one ({signature}). Give the same options, or another folder.");
        Dictionary<int, (BlockRecord, IReadOnlyDictionary<string, Tensor<float>>)> found = [];
        foreach ((int index, BlockRecord record) in finished.Blocks)
        {
            _done[index] = record;
            found[index] = (record, SafetensorsFile.Read(TensorsPath(index)));
        }
        return found;
    }

    private string TensorsPath(int index) => Path.Combine(path, $"block-{index + 1:D3}.safetensors");

    private Finished Read()
    {
        try
        {
            using FileStream stream = File.OpenRead(ListPath);
            return JsonSerializer.Deserialize<Finished>(stream, Json) ?? throw new BadInputException($"'{ListPath}' is empty.");
        }
        catch (JsonException error)
        {
            throw new BadInputException($"'{ListPath}' is no list of tuned blocks: {error.Message}", error);
        }
    }

    private sealed record Finished(int SchemaVersion, string Signature, Entry[] Blocks);

    private sealed record Entry(int Index, BlockRecord Block);
}
