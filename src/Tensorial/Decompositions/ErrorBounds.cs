using System.Collections.Immutable;

namespace Tensorial.Decompositions;

/// <summary>What the singular values of a kernel say of a fit's error before it is made.</summary>
internal static class ErrorBounds
{
    /// <summary>
    /// The relative error of a fit that singular vectors alone give, exactly (C. Eckart and G. Young, Psychometrika 1, 1936): formats of a
    /// single cut, in measures in which they do not go downhill. Null for all others.
    /// </summary>
    public static double? Exact(KernelStarts starts, KernelForm form, ImmutableArray<int> ranks) =>
        form.Format is { Cuts: [{ } cut], IsProjected: true } format && !format.DescendsIn(starts.Metric)
            ? Joined(starts, own => own.TailOf(cut, ranks[0]))
            : null;

    /// <summary>
    /// No fit has a smaller relative error: along no cut can one of these ranks keep more than as many singular values. 0 where nothing is
    /// known.
    /// </summary>
    public static double Least(KernelStarts starts, KernelForm form, ImmutableArray<int> ranks)
    {
        if (form.Format.IsReshaped || form.Format.Ragged is not null)
            return 0;
        return Joined(starts, own => Cuts(form.Format, own.Metric, ranks).Max(cut => own.TailOf(cut.Rows, cut.Rank)));
    }

    /// <summary>
    /// Cuts that the format bounds the rank of. A covariance mixes what lies on the input's side, so that only the output's cut is one.
    /// </summary>
    private static IEnumerable<(string Rows, int Rank)> Cuts(KernelFormat format, KernelMetric metric, ImmutableArray<int> ranks)
    {
        IEnumerable<(string Rows, int Rank)> cuts =
            format.Grows ? ((string[])["o", "i", "iw", "hw"]).Select(rows => (rows, ranks[0]))
            : format.Cuts.Length == ranks.Length ? format.Cuts.Zip(ranks)
            : [];
        return cuts.Where(cut => metric.Covariance is null || cut.Rows == "o").DefaultIfEmpty(("o", int.MaxValue));
    }

    /// <summary>The error of all groups from the squared relative error of each.</summary>
    private static double Joined(KernelStarts starts, Func<KernelStarts, double> square)
    {
        if (starts.Groups.IsEmpty)
            return Math.Sqrt(square(starts));
        double energy = starts.Groups.Sum(static group => group.Energy);
        return energy > 0 ? Math.Sqrt(starts.Groups.Sum(group => group.Energy * square(group)) / energy) : 0;
    }
}
