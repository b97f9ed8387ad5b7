using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>Along which axis of an output the samples of a batch lie: the second one of recurrent networks that put time first.</summary>
internal static class SampleAxis
{
    /// <summary>The only axis that grows with the batch, by one for each sample; null where there is none.</summary>
    /// <param name="graph">The network; a batch that its file fixes at 1 is opened where that is possible.</param>
    /// <param name="output">A value of the network.</param>
    public static int? Of(Graph graph, string output)
    {
        (IReadOnlyDictionary<string, ValueInfo> two, IReadOnlyDictionary<string, ValueInfo> three) = Values(graph);
        return two.TryGetValue(output, out ValueInfo? a) && three.TryGetValue(output, out ValueInfo? b) ? Of(a.Shape, b.Shape) : null;
    }

    /// <summary>Values of a network with an open batch whose first axis is not that of the samples.</summary>
    public static IEnumerable<string> Elsewhere(Graph graph)
    {
        (IReadOnlyDictionary<string, ValueInfo> two, IReadOnlyDictionary<string, ValueInfo> three) = Values(graph);
        return two.Where(value => three.TryGetValue(value.Key, out ValueInfo? other) && value.Value.Shape != other.Shape)
            .Where(value => Of(value.Value.Shape, three[value.Key].Shape) != 0)
            .Select(static value => value.Key);
    }

    private static (IReadOnlyDictionary<string, ValueInfo> Two, IReadOnlyDictionary<string, ValueInfo> Three) Values(Graph graph)
    {
        Graph opened = OpenBatch.WherePossible(graph.WithGuessedExtents());
        return (ShapeInference.Explore(opened.WithBatch(2)).Operands, ShapeInference.Explore(opened.WithBatch(3)).Operands);
    }

    private static int? Of(Shape two, Shape three)
    {
        if (two.Rank != three.Rank)
            return null;
        int[] grown = [.. Enumerable.Range(0, two.Rank).Where(axis => two[axis] != three[axis])];
        return grown is [var only] && two[only] == 2 && three[only] == 3 ? only : null;
    }
}
