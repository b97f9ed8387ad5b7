using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>
/// Turns Constant nodes that hold floating-point numbers into initializers of the same name, so that a weight is found in one place
/// whatever exporter wrote it. A constant that leaves the network as an output stays a node.
/// </summary>
internal static class InlineConstants
{
    public static Graph Apply(Graph graph)
    {
        HashSet<string> outputs = [.. graph.Outputs.Select(static port => port.Name)];
        bool Moves(Node node) =>
            node.Operation is Constant { Value: var value }
            && value.ElementType.IsFloating()
            && node.Outputs is [{ Length: > 0 } name]
            && !outputs.Contains(name);
        ImmutableArray<Node> moved = [.. graph.Nodes.Where(Moves)];
        if (moved.IsEmpty)
            return graph;
        ImmutableDictionary<string, Tensor>.Builder constants = graph.Initializers.ToBuilder();
        foreach (Node node in moved)
            constants[node.Outputs[0]] = ((Constant)node.Operation).Value;
        return graph with { Nodes = graph.Nodes.RemoveAll(node => Moves(node)), Initializers = constants.ToImmutable() };
    }
}
