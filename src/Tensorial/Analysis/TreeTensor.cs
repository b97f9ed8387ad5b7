namespace Tensorial.Analysis;

/// <summary>
/// Cuts that do not cross as a tree: each cut is an edge, cutting it parts the axes as the cut does, and every vertex is a
/// factor over the edges and axes it touches. One cut makes two factors, the cuts of single modes a Tucker tensor, nested cuts a train.
/// </summary>
internal static class TreeTensor
{
    /// <summary>Whether any two of the cuts cross, axes of extent 1 left aside.</summary>
    public static bool Crosses(Kernel kernel, IReadOnlyList<Cut> cuts)
    {
        Cut[] matter = [.. cuts.Select(cut => cut.Among(kernel.LongAxes)).OfType<Cut>().Distinct()];
        return matter.Any(one => matter.Any(one.Crosses));
    }

    /// <summary>Sum of the factors' sizes for cuts that do not cross, with the ranks at their edges.</summary>
    public static long Parameters(Kernel kernel, IReadOnlyList<Cut> cuts, IReadOnlyList<int> ranks)
    {
        // Axes of extent 1 weigh nothing, and might make cuts look as if they crossed.
        string axes = kernel.LongAxes;
        Dictionary<string, int> edges = [];
        for (int k = 0; k < cuts.Count; k++)
        {
            if (cuts[k].Among(axes) is not { } cut)
                continue;
            // Seen from the first axis, an edge hangs over the side without it; an edge given twice carries its smaller rank.
            string below = cut.Left.Contains(axes[0]) ? cut.Right : cut.Left;
            edges[below] = Math.Min(ranks[k], edges.GetValueOrDefault(below, int.MaxValue));
        }
        return Factor(axes, 1) + edges.Sum(edge => Factor(edge.Key, edge.Value));

        // The vertex at the top of these axes: its own edge, the edges right below it, and the axes below no edge.
        long Factor(string axes, int rank)
        {
            string[] inside = [.. edges.Keys.Where(edge => edge.Length < axes.Length && edge.All(axes.Contains))];
            string[] children = [.. inside.Where(edge => !inside.Any(other => other.Length > edge.Length && edge.All(other.Contains)))];
            long size = rank;
            foreach (string child in children)
                size = checked(size * edges[child]);
            foreach (char axis in axes.Where(axis => !children.Any(child => child.Contains(axis))))
                size = checked(size * kernel.Extent(axis));
            return size;
        }
    }
}
