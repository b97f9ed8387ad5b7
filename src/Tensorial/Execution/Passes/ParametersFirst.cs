using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Puts the nodes that depend on constants alone, such as products of factors that make a kernel, before all others: they run once,
/// whatever the batch, and what carries their gradients comes last.
/// </summary>
internal static class ParametersFirst
{
    public static Graph Apply(Graph graph)
    {
        HashSet<Node> parameters = new(Of(graph), ReferenceEqualityComparer.Instance);
        return graph with { Nodes = [.. graph.Nodes.Where(parameters.Contains), .. graph.Nodes.Where(node => !parameters.Contains(node))] };
    }

    /// <summary>The nodes at the beginning of a network that depend on constants alone.</summary>
    public static ImmutableArray<Node> Leading(Graph graph)
    {
        HashSet<Node> parameters = new(Of(graph), ReferenceEqualityComparer.Instance);
        return [.. graph.Nodes.TakeWhile(parameters.Contains)];
    }

    private static IEnumerable<Node> Of(Graph graph)
    {
        HashSet<string> constant = [.. graph.Initializers.Keys];
        foreach (Node node in graph.Nodes)
        {
            bool isParameter =
                node.Operation is Constant || (node.Inputs.Length > 0 && node.Reads.All(n => n.Length == 0 || constant.Contains(n)));
            if (!isParameter)
                continue;
            constant.UnionWith(node.Outputs);
            yield return node;
        }
    }
}
