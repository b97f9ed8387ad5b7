using Tensorial.Analysis;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Cli.Commands;

/// <summary>What inspect finds out about a network, in the form of its JSON file: sizes for one image.</summary>
internal sealed record Inspection(
    int SchemaVersion,
    ModelFile Model,
    OnnxFormat Format,
    IReadOnlyList<InspectedPort> Inputs,
    IReadOnlyList<InspectedPort> Outputs,
    long Parameters,
    long KernelParameters,
    long ConvParameters,
    long Macs,
    long PeakActivations,
    IReadOnlyList<InspectedLayer> Layers,
    IReadOnlyList<InspectedNode> Nodes,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<InspectedStep>? Steps = null
)
{
    /// <param name="path">The file.</param>
    /// <param name="shapes">Extents that it leaves open.</param>
    /// <param name="plans">Whether layers are shown as equations.</param>
    public static Inspection From(string path, IReadOnlyList<InputShape> shapes, bool plans = false)
    {
        Graph graph = InputShape.Apply(OnnxFile.Read(path), shapes);
        Graph sized = graph.WithGuessedExtents();
        GraphStatistics statistics = GraphStatistics.From(sized);
        OnnxFacts facts = OnnxFacts.From(graph)!;
        return new(
            1,
            ModelFile.OfSource(graph),
            new(
                facts.IrVersion,
                facts.Producer,
                facts.OperatorSets.ToDictionary(static o => o.Key.Length > 0 ? o.Key : "ai.onnx", static o => o.Value),
                facts.KeepsDataElsewhere
            ),
            [.. graph.FreeInputs.Select(InspectedPort.From)],
            [.. graph.Outputs.Select(InspectedPort.From)],
            statistics.Parameters,
            statistics.KernelParameters,
            statistics.ConvolutionParameters,
            statistics.Macs,
            statistics.PeakActivations,
            LayersOf(graph, statistics),
            [.. statistics.Nodes.Select(InspectedNode.From)],
            [.. WarningsOf(graph, sized, statistics, facts)],
            plans ? InspectedStep.Of(sized, statistics) : null
        );
    }

    /// <summary>What is to say of a batch that the file fixes at 1.</summary>
    private static string? BatchOf(Graph graph)
    {
        if (graph.FreeInputs.All(static port => port.Dimensions is not [{ Extent: 1 }, ..]))
            return null;
        try
        {
            OpenBatch.Apply(WeightsAsInitializers.Apply(graph));
            return "The file fixes the batch at 1: samples go through one by one. compress --dynamic-batch writes a file that leaves it open.";
        }
        catch (BadInputException error)
        {
            return $"The file fixes the batch at 1: samples go through one by one. {error.Message}";
        }
    }

    /// <summary>Kernels and what cannot be cut, in the order of the network.</summary>
    private static InspectedLayer[] LayersOf(Graph graph, GraphStatistics statistics)
    {
        KernelWeights weights = KernelWeights.From(WeightsAsInitializers.Apply(graph));
        // What a node makes has the same name in both forms.
        Dictionary<string, (int Place, NodeStatistics Size)> places = [];
        foreach (NodeStatistics node in statistics.Nodes)
            places[FirstOf(node.Node)] = (places.Count, node);
        return
        [
            .. weights
                .Kernels.Select(kernel => InspectedLayer.From(kernel, places[FirstOf(kernel.Node)].Size))
                .Concat(weights.Uncut.Select(uncut => InspectedLayer.From(uncut, places[FirstOf(uncut.Node)].Size)))
                .OrderBy(layer => places[FirstOf(layer.Source)].Place),
        ];
    }

    private static string FirstOf(Node node) => node.Outputs.FirstOrDefault() ?? node.Label;

    private static IEnumerable<string> WarningsOf(Graph graph, Graph sized, GraphStatistics statistics, OnnxFacts facts)
    {
        foreach (NonFiniteWeights found in NonFiniteWeights.Of(graph))
            yield return $"'{found.Name}' holds values that are no finite numbers ({found.NaN:N0} NaN, {found.Infinite:N0} infinite): it has no spectrum.";
        foreach ((string name, string type) in facts.OpaqueInitializers)
            yield return $"'{name}' is stored as {type}, which is kept but not computed with.";
        if (DynamicDimensions.Of(graph) is { IsEmpty: false } free)
            yield return $"The input leaves {string.Join(", ", free)} open: sizes are for extents of {sized.GuessFor(graph)} there. --shape gives others; with --data, commands take those of the images.";
        if (BatchOf(graph) is { } batch)
            yield return batch;
        foreach (string reason in statistics.Unknown)
            yield return reason;
        int unknown = statistics.Nodes.Count(static node => node.Macs is null);
        if (unknown > 0)
            yield return $"MACs and activations do not count {unknown:N0} of {statistics.Nodes.Length:N0} nodes, whose sizes are not known.";
    }
}

internal sealed record OnnxFormat(long IrVersion, string Producer, IReadOnlyDictionary<string, long> OperatorSets, bool ExternalData);

/// <param name="Name">The value's name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">An extent is a number, or a name (? for none) where it is free. Null where the file does not say.</param>
internal sealed record InspectedPort(string Name, ElementType Type, IReadOnlyList<string>? Shape)
{
    public static InspectedPort From(Port port) =>
        new(port.Name, port.Type, port.Dimensions is { } dimensions ? [.. dimensions.Select(static d => d.ToString())] : null);

    public override string ToString() =>
        $"{Type.ToString().ToLowerInvariant()} {(Shape is null ? "of unknown shape" : Shape.Count == 0 ? "scalar" : string.Join('×', Shape))}";
}

/// <summary>A convolution or dense layer: either the cuts of its kernel that matter, or why it has none.</summary>
internal sealed record InspectedLayer(
    string Name,
    string Node,
    string Operation,
    ElementType? Type,
    IReadOnlyList<int>? Shape,
    string? Axes,
    int? Groups,
    long? Parameters,
    long? Macs,
    IReadOnlyList<int>? OutputShape,
    long? Activations,
    IReadOnlyList<string> Cuts,
    string? UncutBecause
)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public Node Source { get; private init; } = null!;

    public static InspectedLayer From(KernelWeight kernel, NodeStatistics size) =>
        new(
            kernel.Name,
            kernel.Node.Label,
            kernel.Node.Operation.Name,
            kernel.Weights.ElementType,
            [.. kernel.Weights.Shape],
            string.Concat(kernel.Axes),
            kernel.Groups,
            kernel.Weights.Shape.ElementCount,
            size.Macs,
            size.Output is { } output ? [.. output] : null,
            size.Activations,
            [.. Cut.All(string.Concat(kernel.Axes)).Select(static cut => cut.ToString())],
            null
        )
        {
            Source = kernel.Node,
        };

    public static InspectedLayer From(UncutKernel uncut, NodeStatistics size) =>
        new(
            uncut.Name,
            uncut.Node.Label,
            uncut.Node.Operation.Name,
            null,
            uncut.Shape is { } shape ? [.. shape] : null,
            null,
            null,
            uncut.Shape?.ElementCount,
            size.Macs,
            size.Output is { } output ? [.. output] : null,
            size.Activations,
            [],
            uncut.Reason
        )
        {
            Source = uncut.Node,
        };
}

internal sealed record InspectedNode(
    string Name,
    string Operation,
    IReadOnlyList<int>? OutputShape,
    long Parameters,
    long? Macs,
    long? Activations
)
{
    public static InspectedNode From(NodeStatistics node) =>
        new(
            node.Node.Label,
            node.Node.Operation.Name,
            node.Output is { } output ? [.. output] : null,
            node.Parameters,
            node.Macs,
            node.Activations
        );
}
