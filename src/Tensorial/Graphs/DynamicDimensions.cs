using System.Collections.Immutable;

namespace Tensorial.Graphs;

/// <summary>Extents that a network leaves open until it sees images, as fully convolutional ones leave height and width.</summary>
internal static class DynamicDimensions
{
    /// <summary>
    /// The network for images of these extents: what its input leaves open beside the batch is theirs. Extents that the network does
    /// declare stay, so that images that do not fit it are refused where they meet it.
    /// </summary>
    /// <param name="graph">The network.</param>
    /// <param name="image">Channels, height and width; null where there are no images.</param>
    public static Graph WithImageShape(this Graph graph, Shape? image)
    {
        if (image is not { } extents || OpenInput(graph, extents.Rank + 1) is not { } open)
            return graph;
        ImmutableArray<Dimension> dimensions = open.Dimensions is { } declared
            ? [declared[0], .. declared.Skip(1).Zip(extents, static (d, extent) => d.Extent is null ? new Dimension(extent) : d)]
            : [new(null, "batch"), .. extents.Select(static extent => new Dimension(extent))];
        return graph with { Inputs = graph.Inputs.Replace(open, open with { Dimensions = dimensions }) };
    }

    /// <summary>
    /// What may stand for an extent that the network leaves open: most images are halved five times at most, and shorter signals than the
    /// later ones do not fill a window. The last ones are for tables of fewer positions, and for odd extents alone.
    /// </summary>
    private static readonly ImmutableArray<int> Guesses = [64, 256, 1024, 4096, 16384, 16, 63, 4, 1];

    /// <summary>
    /// The network with extents where its inputs leave them open beside the batch: the first guess with which the most nodes fit. The
    /// batch stays open, on every axis that has its name.
    /// </summary>
    public static Graph WithGuessedExtents(this Graph graph)
    {
        if (Of(graph).IsEmpty)
            return graph;
        (Graph Graph, int Failures) best = (graph, int.MaxValue);
        foreach (int guess in Guesses)
        {
            Graph guessed = WithExtent(graph, guess);
            int failures = ShapeInference.Explore(guessed).Failures.Count(static failure => failure.Reason is not UnsupportedException);
            if (failures < best.Failures)
                best = (guessed, failures);
            if (failures == 0)
                break;
        }
        return best.Graph;
    }

    /// <summary>What was guessed (<see cref="WithGuessedExtents"/>) for a network that leaves extents open beside the batch.</summary>
    public static int GuessFor(this Graph guessed, Graph open) =>
        open
            .FreeInputs.Zip(guessed.FreeInputs)
            // An input of which the file says nothing stays that way.
            .SelectMany(static pair => (pair.First.Dimensions ?? []).Zip(pair.Second.Dimensions ?? []))
            .Where(static pair => pair.First.Extent is null)
            .Select(static pair => pair.Second.Extent ?? 0)
            .DefaultIfEmpty()
            .Max();

    private static Graph WithExtent(Graph graph, int extent) =>
        WithOpen(graph, (dimension, isBatch) => isBatch ? dimension : new Dimension(extent));

    /// <summary>The network with a batch where its inputs leave it open.</summary>
    public static Graph WithBatch(this Graph graph, int batch) =>
        WithOpen(graph, (dimension, isBatch) => isBatch ? new Dimension(batch) : dimension);

    private static Graph WithOpen(Graph graph, Func<Dimension, bool, Dimension> change)
    {
        HashSet<string> batches = BatchNames(graph);
        return graph with
        {
            Inputs =
            [
                .. graph.Inputs.Select(port =>
                    graph.Initializers.ContainsKey(port.Name) || port.Dimensions is not { } dimensions
                        ? port
                        : port with
                        {
                            Dimensions =
                            [
                                .. dimensions.Select(
                                    (d, axis) => d.Extent is null ? change(d, axis == 0 || batches.Contains(d.Name ?? "")) : d
                                ),
                            ],
                        }
                ),
            ],
        };
    }

    /// <summary>Names that stand for the batch: what a first axis is called. A recurrent state has its batch on another.</summary>
    private static HashSet<string> BatchNames(Graph graph) =>
        [
            .. graph
                .FreeInputs.Select(static port => port.Dimensions is [{ Extent: null } first, ..] ? first.Name : null)
                .Where(static name => name is { Length: > 0 } and not "?")
                .OfType<string>(),
        ];

    /// <summary>
    /// The network with inputs as open as another's: what is written takes the images that the file it came from took. Constants that either
    /// lists among its inputs, as old files do, stay as they are.
    /// </summary>
    public static Graph WithDynamicDimensionsOf(this Graph graph, Graph other)
    {
        Dictionary<string, Port> open = other
            .Inputs.Where(port => !other.Initializers.ContainsKey(port.Name))
            .ToDictionary(static port => port.Name);
        return graph with
        {
            Inputs =
            [
                .. graph.Inputs.Select(port => graph.Initializers.ContainsKey(port.Name) ? port : open.GetValueOrDefault(port.Name, port)),
            ],
        };
    }

    /// <summary>Names of the extents that the network leaves open beside the batch, or ? for each that has none.</summary>
    public static ImmutableArray<string> Of(Graph graph) =>
        BatchNames(graph) is var batches
            ?
            [
                .. graph.FreeInputs.SelectMany(port =>
                    port.Dimensions?.Skip(1)
                        .Where(d => d.Extent is null && !batches.Contains(d.Name ?? ""))
                        .Select(static d => d.ToString())
                    ?? []
                ),
            ]
            : [];

    private static Port? OpenInput(Graph graph, int rank)
    {
        Port[] inputs = [.. graph.FreeInputs];
        return
            inputs is [{ } only]
            && (only.Dimensions is not { } dimensions || dimensions.Length == rank && dimensions.Skip(1).Any(static d => d.Extent is null))
            ? only
            : null;
    }
}
