using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>Removes paddings by nothing, as exporters write before poolings: copies, which also part what could be computed together.</summary>
internal static class DropIdlePads
{
    public static Graph Apply(Graph graph)
    {
        if (!graph.Nodes.Any(static node => node.Operation is Pad))
            return DropIdentities.Apply(graph);
        Dictionary<string, Tensor> constants = graph.Initializers.ToDictionary();
        foreach (Node node in graph.Nodes)
            if (node.Operation is Constant constant)
                constants[node.Outputs[0]] = constant.Value;
        ConstantParts parts = new(graph, constants);
        // Only what depends on no input: padding that an image's extents decide may be nothing for some.
        HashSet<string> fixedNames = [.. constants.Keys, .. graph.Nodes.Where(parts.IsConstant).SelectMany(static node => node.Outputs)];
        IReadOnlyDictionary<string, ValueInfo> known = ShapeInference.Explore(graph).Operands;
        return DropIdentities.Apply(
            RemoveUnused.Apply(
                graph with
                {
                    Nodes =
                    [
                        .. graph.Nodes.Select(node =>
                            IsIdle(node) ? node with { Operation = new Identity(), Inputs = [node.Inputs[0]], Source = null } : node
                        ),
                    ],
                }
            )
        );

        bool IsIdle(Node node) =>
            node.Operation is Pad pad
            && (
                pad.Pads is { } pads
                    ? pads.All(static extent => extent == 0)
                    : node.Inputs.ElementAtOrDefault(1) is { } name
                        && fixedNames.Contains(name)
                        && known.GetValueOrDefault(name)?.Value is Tensor<long> { } given
                        && !given.Values.ContainsAnyExcept(0)
            );
    }
}
