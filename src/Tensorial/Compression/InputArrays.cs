using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// Samples for every input of a network, in a NumPy archive (.npz) with an array of each input's name, or in an array (.npy) for the single
/// input of a network: [count, …] where … is one sample, with or without the batch axis that the input has.
/// </summary>
internal sealed class InputArrays
{
    private readonly IReadOnlyDictionary<string, Tensor> _arrays;
    private readonly Graph _graph;

    private InputArrays(string name, Graph graph, IReadOnlyDictionary<string, Tensor> arrays, int count) =>
        (Name, _graph, _arrays, Count) = (name, graph, arrays, count);

    /// <summary>The file's name.</summary>
    public string Name { get; }

    /// <summary>Samples.</summary>
    public int Count { get; }

    /// <summary>
    /// The samples that a set holds for a network of several inputs, or of whole numbers, such as tokens; null for one of a single input of
    /// floats, which takes images.
    /// </summary>
    /// <exception cref="BadInputException">The set is no archive with an array for each input that fits.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static InputArrays? ForInputsOf(Graph graph, DataSource source)
    {
        if (graph.FreeInputs.Length == 0 || graph.FreeInputs is [{ } only] && only.Type.IsFloating())
            return null;
        return source is NpySource { Images: { } path } && File.Exists(path) && Suit(path, graph)
            ? Read(path, graph)
            : throw new BadInputException(
                graph.FreeInputs is [{ } input]
                    ? $"The network reads {input.Type} numbers at '{input.Name}': its samples come from npy:FILE, as they are, not as images of the range 0 to 1."
                    : $"The network has {graph.FreeInputs.Length} inputs ({string.Join(", ", graph.FreeInputs.Select(static port => port.Name))}): their samples come from npz:FILE, with an array for each input, by its name."
            );
    }

    private static bool Suit(string path, Graph graph)
    {
        if (!path.EndsWith(".npz", StringComparison.OrdinalIgnoreCase))
            return graph.FreeInputs.Length == 1;
        using NpzFile file = NpzFile.Open(path);
        HashSet<string> there = [.. file.Names];
        return graph.FreeInputs.All(port => there.Contains(port.Name));
    }

    private static InputArrays Read(string path, Graph graph)
    {
        using NpzFile? file = path.EndsWith(".npz", StringComparison.OrdinalIgnoreCase) ? NpzFile.Open(path) : null;
        Dictionary<string, Tensor> arrays = [];
        foreach (Port port in graph.FreeInputs)
        {
            Tensor array = (file?.Read(port.Name) ?? NpyFile.Read(path)).To(port.Type);
            int rank = port.Dimensions?.Length ?? array.Shape.Rank;
            // A single number, such as a rate or a switch, is the same for all samples.
            if (rank == 0 && array.Shape.Rank == 0)
            {
                arrays[port.Name] = array;
                continue;
            }
            if (array.Shape.Rank == 0 || (array.Shape.Rank != rank && array.Shape.Rank != rank + 1))
                throw new BadInputException(
                    $"'{path}({port.Name})' has the shape {array.Shape}; samples of an input with {rank} axes have {rank} or, with one that counts them, {rank + 1}."
                );
            arrays[port.Name] = array;
        }
        int[] counts = [.. arrays.Values.Where(static array => array.Shape.Rank > 0).Select(static array => array.Shape[0]).Distinct()];
        return counts is [> 0 and var count]
            ? new(Path.GetFileName(path), graph, arrays, count)
            : throw new BadInputException($"'{path}' holds {string.Join(" and ", counts)} samples for the inputs of one network.");
    }

    /// <summary>Some samples, in batches of the size that the network fixes, or of the one given.</summary>
    public IEnumerable<InputBatch> Batches(int first, int count, int batch)
    {
        bool isCounted = _graph.FreeInputs.Any(port => port.Dimensions is { } d && _arrays[port.Name].Shape.Rank == d.Length + 1);
        int extent = isCounted
            ? 1
            : _graph
                .FreeInputs.Select(static port => port.Dimensions is [{ Extent: { } fixedOne }, ..] ? fixedOne : (int?)null)
                .FirstOrDefault()
                ?? batch;
        for (int at = first; at < first + count; at += extent)
        {
            int taken = Math.Min(extent, first + count - at);
            yield return new(
                _graph.FreeInputs.ToDictionary(static port => port.Name, port => Some(port, at, taken, extent)),
                extent,
                taken,
                default
            );
        }
    }

    private Tensor Some(Port port, int first, int count, int extent)
    {
        Tensor array = _arrays[port.Name];
        if (array.Shape.Rank == 0)
            return array;
        bool isCounted = port.Dimensions is { } d && array.Shape.Rank == d.Length + 1;
        // What only fills a batch whose size the network fixes is zeros.
        int wanted = port.Dimensions is [{ Extent: { } fixedOne }, ..] && !isCounted ? fixedOne : Math.Min(count, extent);
        int row = array.Shape.ElementCount / array.Shape[0];
        Tensor some = Tensor.Zeros(array.ElementType, isCounted ? [.. array.Shape.Skip(1)] : array.Shape.With(0, wanted));
        array.Bytes(first * row, count * row).CopyTo(some.Bytes(0, count * row));
        return some;
    }
}
