using System.Collections.Immutable;

namespace Tensorial.Graphs;

/// <summary>Dead code elimination: nodes on which no output depends, and constants that nobody reads.</summary>
internal static class RemoveUnused
{
    public static Graph Apply(Graph graph)
    {
        HashSet<string> read = [.. graph.Outputs.Select(static port => port.Name)];
        var kept = ImmutableArray.CreateBuilder<Node>(graph.Nodes.Length);
        foreach (Node node in graph.Nodes.Reverse())
        {
            if (!node.Outputs.Any(read.Contains))
                continue;
            read.UnionWith(node.Reads);
            kept.Add(node);
        }
        string[] unread = [.. graph.Initializers.Keys.Where(name => !read.Contains(name))];
        if (kept.Count == graph.Nodes.Length && unread.Length == 0)
            return graph;
        kept.Reverse();
        return graph with
        {
            Nodes = kept.ToImmutable(),
            Inputs = graph.Inputs.RemoveAll(port => graph.Initializers.ContainsKey(port.Name) && !read.Contains(port.Name)),
            Initializers = graph.Initializers.RemoveRange(unread),
        };
    }
}
