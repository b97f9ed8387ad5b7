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

    /// <summary>The network with an extent where its inputs leave one open beside the batch.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="extent">The extent.</param>
    public static Graph WithExtent(this Graph graph, int extent) =>
        Of(graph).IsEmpty
            ? graph
            : graph with
            {
                Inputs =
                [
                    .. graph.Inputs.Select(port =>
                        graph.Initializers.ContainsKey(port.Name) || port.Dimensions is not { } dimensions
                            ? port
                            : port with
                            {
                                Dimensions = [.. dimensions.Select((d, axis) => axis > 0 && d.Extent is null ? new Dimension(extent) : d)],
                            }
                    ),
                ],
            };

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
        [
            .. graph.FreeInputs.SelectMany(static port =>
                port.Dimensions?.Skip(1).Where(static d => d.Extent is null).Select(static d => d.ToString()) ?? []
            ),
        ];

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
