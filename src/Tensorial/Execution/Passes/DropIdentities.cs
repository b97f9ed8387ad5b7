using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>Removes nodes that hand their input on unchanged at inference: Identity, and Dropout whose mask nobody reads.</summary>
internal static class DropIdentities
{
    public static Graph Apply(Graph graph)
    {
        HashSet<string> outputs = [.. graph.Outputs.Select(static port => port.Name)];
        HashSet<string> read = [.. graph.Nodes.SelectMany(static node => node.Inputs)];
        Dictionary<string, string> same = [];
        var kept = ImmutableArray.CreateBuilder<Node>();
        foreach (Node node in graph.Nodes)
        {
            ImmutableArray<string> inputs = [.. node.Inputs.Select(name => same.GetValueOrDefault(name, name))];
            bool idle =
                node.Operation is Identity
                || (node.Operation is Dropout && !node.Outputs.Skip(1).Any(o => read.Contains(o) || outputs.Contains(o)));
            if (idle && !outputs.Contains(node.Outputs[0]))
                same[node.Outputs[0]] = inputs[0];
            else
                kept.Add(inputs.SequenceEqual(node.Inputs) ? node : node with { Inputs = inputs });
        }
        return graph with { Nodes = kept.ToImmutable() };
    }
}
