using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>
/// Whether a network answers every sample of a batch by itself, so that it may be given a batch in parts: as <see cref="OpenBatch"/> proves it
/// of a network for one sample, and with the extents that such a network has for two.
/// </summary>
internal static class SeparateSamples
{
    /// <summary>False also where it cannot be proved.</summary>
    public static bool In(Graph graph)
    {
        Graph free = graph.WithGuessedExtents(),
            opened;
        try
        {
            opened = OpenBatch.Apply(free.WithBatch(1));
        }
        catch (UnsupportedException)
        {
            return false;
        }
        IReadOnlyDictionary<string, ValueInfo> two = ShapeInference.Explore(free.WithBatch(2)).Operands,
            proved = ShapeInference.Explore(opened.WithBatch(2)).Operands,
            one = ShapeInference.Explore(free.WithBatch(1)).Operands;
        return OfSamples(opened)
                .Intersect(graph.Nodes.SelectMany(static node => node.Outputs))
                .All(name => ShapeIn(two, name) is { } shape && shape == ShapeIn(proved, name))
            && graph.Outputs.All(port =>
                ShapeIn(one, port.Name) is { Rank: > 0 } single && ShapeIn(two, port.Name) == single.With(0, 2 * single[0])
            );
    }

    /// <summary>Values that depend on inputs.</summary>
    private static HashSet<string> OfSamples(Graph graph)
    {
        HashSet<string> values = [.. graph.FreeInputs.Select(static port => port.Name)];
        foreach (Node node in graph.Nodes.Where(node => node.Reads.Any(values.Contains)))
            values.UnionWith(node.Outputs.Where(static name => name.Length > 0));
        return values;
    }

    private static Shape? ShapeIn(IReadOnlyDictionary<string, ValueInfo> values, string name) =>
        values.TryGetValue(name, out ValueInfo? known) ? known.Shape : null;
}
