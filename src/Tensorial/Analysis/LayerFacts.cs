using Tensorial.Graphs;

namespace Tensorial.Analysis;

/// <summary>A kernel to be cut, and what the report says of its layer besides the spectra.</summary>
/// <param name="Kernel">The weights.</param>
/// <param name="Node">The node that uses them.</param>
/// <param name="Groups">Convolution groups.</param>
/// <param name="Macs">Multiply-accumulates for one image, of all nodes that use them.</param>
internal sealed record LayerFacts(Kernel Kernel, Node Node, int Groups, long Macs)
{
    public static LayerFacts From(KernelWeight weight, IReadOnlyDictionary<Node, long> macs) =>
        new(Kernel.From(weight), weight.Node, weight.Groups, weight.Nodes.Sum(own => macs.GetValueOrDefault(own)));

    /// <summary>Multiply-accumulates of every node, 0 where they are not known.</summary>
    public static IReadOnlyDictionary<Node, long> MacsOf(GraphStatistics statistics)
    {
        Dictionary<Node, long> macs = new(ReferenceEqualityComparer.Instance);
        foreach (NodeStatistics node in statistics.Nodes)
            macs[node.Node] = node.Macs ?? 0;
        return macs;
    }

    /// <summary>The layer with its spectra.</summary>
    public LayerAnalysis With(IReadOnlyList<CutSpectrum> spectra) =>
        new()
        {
            Name = Kernel.Name,
            Node = Node.Label,
            Operation = Node.Operation.Name,
            Shape = [.. Kernel.Values.Shape.Extents],
            Axes = [.. Kernel.Axes.Select(static axis => axis.ToString())],
            Groups = Groups,
            Parameters = Kernel.Values.Shape.ElementCount,
            Macs = Macs,
            Norm = Kernel.Norm,
            Cuts = [.. spectra],
        };
}
