using Tensorial.Kernels;

namespace Tensorial.Analysis;

/// <summary>A kernel after truncation, in float64, and the account of what happened to it.</summary>
public sealed record Truncation(Tensor<double> Values, TruncatedKernel Account)
{
    /// <summary>
    /// Truncates a kernel along cuts one after another, each time to the best tensor of that rank. The four single-mode cuts make
    /// the sequentially truncated HOSVD, nested cuts a tensor train, cuts that form a tree a hierarchical Tucker tensor; where cuts
    /// cross, a later one raises the rank at an earlier one again, and the account says so (docs/analysis.md).
    /// </summary>
    /// <exception cref="BadInputException">A cut does not divide the kernel's axes.</exception>
    public static Truncation From(Kernel kernel, IReadOnlyList<CutStep> steps, Workers? workers = null)
    {
        workers ??= Workers.Serial;
        Tensor<double> values = kernel.Values;
        int[] ranks = new int[steps.Count];
        for (int k = 0; k < steps.Count; k++)
        {
            Check(kernel, steps[k].Cut);
            CutFactors factors = new(values, kernel.Axes, steps[k].Cut, workers);
            ranks[k] = steps[k].Rule.RankAt(factors.Spectrum);
            if (ranks[k] < factors.Spectrum.MaxRank)
                values = factors.Keep(ranks[k]);
        }
        return From(kernel, [.. steps.Select(static step => step.Cut)], ranks, values, workers);
    }

    internal static Truncation From(Kernel kernel, Cut[] cuts, int[] ranks, Tensor<double> values, Workers workers)
    {
        int[] after =
            cuts.Length == 1 ? ranks : [.. Spectra.Of(Kernel.From(kernel.Name, kernel.Axes, values), cuts, workers).Select(NumericalRank)];
        bool crossing = TreeTensor.Crosses(kernel, cuts);
        long dense = values.Shape.ElementCount,
            parameters = crossing ? dense : Math.Min(dense, TreeTensor.Parameters(kernel, cuts, after));
        double norm = kernel.Norm,
            loss = norm == 0 ? 0 : Distance(kernel.Values.Values, values.Values) / norm;
        double relative = norm == 0 ? 0 : Math.Max(0, 1 - Kernel.FrobeniusNorm(values.Values) / norm);
        return new(
            values,
            new(kernel.Name, [.. cuts.Select(static cut => cut.ToString())], [.. ranks], [.. after], crossing, parameters, loss, relative)
        );
    }

    internal static void Check(Kernel kernel, Cut cut)
    {
        if (!cut.Divides(kernel.Axes))
            throw new BadInputException($"The cut {cut} does not divide the axes {kernel.Axes} of {kernel.Name}.");
    }

    /// <summary>
    /// Singular values above rounding error: those a truncation removed come back as noise of a few epsilon of the largest. 16
    /// times LAPACK's customary max(rows, columns) epsilon, for the several decompositions the values have been through.
    /// </summary>
    private static int NumericalRank(CutSpectrum spectrum)
    {
        double noise = 16 * Math.Max(spectrum.Rows, spectrum.Columns) * Math.ScaleB(1, -52) * spectrum.SingularValues[0];
        return spectrum.SingularValues.Count(value => value > noise);
    }

    private static double Distance(ReadOnlySpan<double> one, ReadOnlySpan<double> other)
    {
        double[] difference = new double[one.Length];
        for (int i = 0; i < difference.Length; i++)
            difference[i] = one[i] - other[i];
        return Kernel.FrobeniusNorm(difference);
    }
}
