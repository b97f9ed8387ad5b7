using Tensorial.Graphs;

namespace Tensorial.Analysis;

/// <summary>A kernel to be cut, and what the report says of its layer besides the spectra.</summary>
/// <param name="Kernel">The weights.</param>
/// <param name="Node">The node that uses them.</param>
/// <param name="Groups">Convolution groups.</param>
/// <param name="Macs">Multiply-accumulates of the node for one image.</param>
public sealed record LayerFacts(Kernel Kernel, Node Node, int Groups, long Macs)
{
    public static LayerFacts Of(KernelWeight weight, GraphStatistics statistics) =>
        new(
            Kernel.Of(weight),
            weight.Node,
            weight.Groups,
            statistics.Nodes.FirstOrDefault(node => ReferenceEquals(node.Node, weight.Node))?.Macs ?? 0
        );

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
            Parameters = Kernel.Values.Shape.Count,
            Macs = Macs,
            Norm = Kernel.Norm,
            Cuts = [.. spectra],
        };
}
