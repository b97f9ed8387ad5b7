namespace Tensorial.Reports;

/// <summary>Spearman's rank correlation: how nearly two quantities rise together, whatever the curve.</summary>
internal static class RankCorrelation
{
    /// <summary>
    /// Pearson's correlation of the ranks, -1 to 1; equal values share the mean of their ranks. Null for fewer than three pairs and where
    /// one quantity is constant.
    /// </summary>
    public static double? Of(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        if (x.Count != y.Count)
            throw new ArgumentException($"{x.Count} values cannot be paired with {y.Count}.");
        if (x.Count < 3)
            return null;
        double[] a = Ranks(x),
            b = Ranks(y);
        double mean = (x.Count + 1) / 2.0,
            product = 0,
            squaresA = 0,
            squaresB = 0;
        for (int k = 0; k < a.Length; k++)
        {
            product += (a[k] - mean) * (b[k] - mean);
            squaresA += (a[k] - mean) * (a[k] - mean);
            squaresB += (b[k] - mean) * (b[k] - mean);
        }
        return squaresA > 0 && squaresB > 0 ? product / Math.Sqrt(squaresA * squaresB) : null;
    }

    private static double[] Ranks(IReadOnlyList<double> values)
    {
        int[] order = [.. Enumerable.Range(0, values.Count).OrderBy(k => values[k])];
        double[] ranks = new double[values.Count];
        for (int first = 0; first < order.Length; )
        {
            int end = first + 1;
            while (end < order.Length && values[order[end]].Equals(values[order[first]]))
                end++;
            for (int k = first; k < end; k++)
                ranks[order[k]] = (first + 1 + end) / 2.0;
            first = end;
        }
        return ranks;
    }
}
