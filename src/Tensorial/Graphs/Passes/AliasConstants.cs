using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>
/// Takes Identity nodes away from between constants and those who read them. Exporters write them where equal constants were joined or a
/// weight is used twice.
/// </summary>
internal static class AliasConstants
{
    public static Graph Apply(Graph graph)
    {
        HashSet<string> outputs = [.. graph.Outputs.Select(static port => port.Name)];
        // A body inside a node knows its values by name.
        outputs.UnionWith(graph.Nodes.SelectMany(static node => node.Captured));
        Dictionary<string, string> same = [];
        var kept = ImmutableArray.CreateBuilder<Node>(graph.Nodes.Length);
        foreach (Node node in graph.Nodes)
        {
            ImmutableArray<string> inputs = [.. node.Inputs.Select(name => same.GetValueOrDefault(name, name))];
            if (
                node.Operation is Identity
                && inputs is [{ } constant]
                && graph.Initializers.ContainsKey(constant)
                && !outputs.Contains(node.Outputs[0])
            )
                same[node.Outputs[0]] = constant;
            else
                kept.Add(inputs.SequenceEqual(node.Inputs) ? node : node with { Inputs = inputs });
        }
        return same.Count == 0 ? graph : graph with { Nodes = kept.ToImmutable() };
    }
}
