using System.Collections.Immutable;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>
/// What a format costs and loses at every rank, from the singular values of its cuts alone: no fit is made, so that a planner can ask for
/// thousands of ranks. Exact for the truncated decompositions; for Tucker-2 and trains the error lies between two bounds.
/// </summary>
/// <param name="Format">One whose bonds are cuts of the kernel, such as svd-out, tucker2, tt or ht.</param>
/// <param name="Kernel">Extents [o, i, h, w].</param>
/// <param name="Tails">For each bond and rank r, from 0 on: the part of the squared norm that singular values beyond the first r hold along
/// its cut.</param>
internal sealed record FormatCurve(KernelFormat Format, Shape Kernel, ImmutableArray<ImmutableArray<double>> Tails)
{
    /// <summary>The curve of a kernel.</summary>
    /// <param name="kernel">[o, i, h, w].</param>
    /// <param name="format">The format.</param>
    /// <param name="metric">The measure; a covariance only for svd-out, whose singular values it leaves in closed form.</param>
    /// <exception cref="BadInputException">Singular values say nothing of the format's error in this measure.</exception>
    /// <exception cref="NumericalException">The kernel holds values that are not finite.</exception>
    public static FormatCurve From(Tensor<double> kernel, KernelFormat format, KernelMetric? metric = null)
    {
        metric ??= KernelMetric.Plain;
        if (kernel.Shape.Rank != 4)
            throw new ShapeException($"A kernel of four axes was expected, not {kernel.Shape}.");
        if (metric.Covariance is not null && format.Descent != Descent.Never)
            throw new BadInputException(
                $"With a covariance of the inputs only {KernelFormat.SvdOut} has its error in singular values, not {format}."
            );
        Tensor<double> weighted = KernelStarts.Weighted(kernel, metric);
        return new(format, kernel.Shape, [.. Cuts(format).Select(rows => Tail(weighted, rows))]);
    }

    /// <summary>Parameters of the factors at some ranks.</summary>
    public long Parameters(params ImmutableArray<int> ranks) => KernelForm.From(Format, Kernel).Parameters(ranks.AsSpan());

    /// <summary>
    /// Bounds of the least relative error at some ranks: no cut can drop less than its tail, and together they need not drop more than the
    /// sum.
    /// </summary>
    /// <exception cref="BadInputException">There is not one rank for each bond, or it is negative.</exception>
    public (double Least, double Most) Error(params ReadOnlySpan<int> ranks)
    {
        if (ranks.Length != Tails.Length)
            throw new BadInputException($"{Format} takes {Tails.Length} ranks, not {ranks.Length} ({string.Join('×', ranks.ToArray())}).");
        (double largest, double sum) = (0, 0);
        for (int bond = 0; bond < ranks.Length; bond++)
        {
            if (ranks[bond] < 0)
                throw new BadInputException($"A rank is 0 or more, not {ranks[bond]}.");
            double tail = Tails[bond][Math.Min(ranks[bond], Tails[bond].Length - 1)];
            (largest, sum) = (Math.Max(largest, tail), sum + tail);
        }
        return (Math.Sqrt(largest), Math.Sqrt(Math.Min(1, sum)));
    }

    /// <summary>The smallest ranks that keep a relative error for certain, the same part of it at every bond; at least 1 each.</summary>
    public ImmutableArray<int> RanksWithin(double error) =>
        [.. Tails.Select(tail => Math.Max(1, tail.TakeWhile(part => part > error * error / Tails.Length).Count()))];

    private static ImmutableArray<string> Cuts(KernelFormat format) =>
        format.Cuts.IsEmpty ? throw new BadInputException($"{format} is no matter of cuts; only a fit tells its error.") : format.Cuts;

    private static ImmutableArray<double> Tail(Tensor<double> kernel, string rows)
    {
        int[] left = [.. rows.Select(static axis => "oihw".IndexOf(axis, StringComparison.Ordinal))];
        Tensor<double> arranged = Fits.Permuted(kernel, [.. left, .. Enumerable.Range(0, 4).Except(left)]);
        int m = arranged.Shape.ElementCountOf(0, left.Length);
        double[] values = Svd.Values(arranged.As([m, kernel.Shape.ElementCount / m])),
            tails = new double[values.Length + 1];
        // From the smallest up, so that small tails keep their digits.
        for (int k = values.Length - 1; k >= 0; k--)
            tails[k] = tails[k + 1] + values[k] * values[k];
        return [.. tails.Select(tail => tails[0] > 0 ? tail / tails[0] : 0)];
    }
}
