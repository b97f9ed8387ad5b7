using System.Collections.Immutable;

namespace Tensorial.Decompositions;

/// <summary>
/// Fits decoupled kernels (J. Guo et al., Network Decoupling, BMVC 2018, with ranks that differ by channel): spatial filters of every input
/// channel and a pointwise mix, K[o,i,·] = Σ_r P[o,i,r] D[i,r,·], or a mix and then filters of every output channel, K[o,i,·] = Σ_r P[o,r,i]
/// D[o,r,·]. Without a covariance of the inputs each channel is a matrix and its truncated singular value decomposition is the best fit;
/// with one, alternating least squares starts from that decomposition in each channel's own metric.
/// </summary>
internal static class DecoupledFit
{
    /// <summary>Rounds of alternation, at most, and the part of the squared error that a round must take off for another.</summary>
    private const int MostRounds = 60;

    private const double LeastGain = 5e-4;

    /// <summary>Filters of the input's channels.</summary>
    public static TensorFactors<double> ByInput(FitTask task)
    {
        (KernelStarts starts, KernelForm form, ImmutableArray<int> ranks, FitOptions options, CancellationToken cancel) = task;
        (int outputs, int inputs, int taps) = Extents(starts);
        DecoupledInput fit = new(starts.Weighed.Values, starts.Metric.Covariance, outputs, inputs, taps, Each(ranks, inputs));
        if (starts.Metric.Covariance is not null && task.Known is { } known)
            fit.StartFrom(known.Factors[0]);
        else
            fit.Sweep();
        if (starts.Metric.Covariance is not null)
        {
            double before = fit.Error();
            for (int round = 0; round < Math.Min(options.Iterations, MostRounds); round++)
            {
                cancel.ThrowIfCancellationRequested();
                fit.SolveMix();
                fit.Sweep();
                double after = fit.Error();
                if (before - after <= LeastGain * before)
                    break;
                before = after;
            }
            fit.SolveMix();
        }
        (double[] filters, double[] mix, int most) = fit.Padded();
        Shape kernel = starts.Kernel.Shape;
        return Measured(
            starts,
            form,
            ranks,
            new([inputs, most, kernel[2], kernel[3]], filters),
            starts.Metric.Unweigh(new([outputs, inputs, most], mix))
        );
    }

    /// <summary>Filters of the output's channels, each channel by itself.</summary>
    public static TensorFactors<double> ByOutput(FitTask task)
    {
        (KernelStarts starts, KernelForm form, ImmutableArray<int> ranks, FitOptions options, CancellationToken cancel) = task;
        (int outputs, int inputs, int taps) = Extents(starts);
        int[] each = Each(ranks, outputs);
        int most = Math.Max(1, each.Max());
        double[] mix = new double[outputs * most * inputs],
            filters = new double[outputs * most * taps];
        DecoupledOutput fit = new(starts.Metric.Covariance, inputs, taps);
        for (int o = 0; o < outputs; o++)
        {
            cancel.ThrowIfCancellationRequested();
            if (each[o] == 0)
                continue;
            (double[] p, double[] d) = fit.Of(
                starts.Kernel.Values.Slice(o * inputs * taps, inputs * taps),
                each[o],
                Math.Min(options.Iterations, MostRounds),
                LeastGain,
                starts.Metric.Covariance is null || task.Known is null
                    ? null
                    : task.Known.Factors[1].Values.Slice(o * most * taps, each[o] * taps).ToArray()
            );
            // [i, r] to [r, i].
            for (int i = 0; i < inputs; i++)
            for (int r = 0; r < each[o]; r++)
                mix[(o * most + r) * inputs + i] = p[i * each[o] + r];
            d.CopyTo(filters, o * most * taps);
        }
        Shape kernel = starts.Kernel.Shape;
        return Measured(starts, form, ranks, new([outputs, most, inputs], mix), new([outputs, most, kernel[2], kernel[3]], filters));
    }

    /// <summary>
    /// Ranks of the input's channels that add up to a number: one threshold over the singular values of all channels, each in its own
    /// metric. See <see cref="Spread"/>.
    /// </summary>
    public static ImmutableArray<int> RanksByInput(KernelStarts starts, int total, int multiple)
    {
        (int outputs, _, int taps) = Extents(starts);
        return Spread(starts.Energies(EnergiesByInput), total, multiple, Math.Min(outputs, taps));
    }

    /// <summary>The same for the output's channels, whose metric is taken as a product of one of channels and one of places.</summary>
    public static ImmutableArray<int> RanksByOutput(KernelStarts starts, int total, int multiple)
    {
        (_, int inputs, int taps) = Extents(starts);
        return Spread(starts.Energies(EnergiesByOutput), total, multiple, Math.Min(inputs, taps));
    }

    /// <summary>
    /// The relative error that the channels' singular values leave at some ranks: that of the fit in the plain norm, exactly; otherwise where
    /// channels are not correlated.
    /// </summary>
    public static double BoundOf(KernelStarts starts, KernelFormat format, ImmutableArray<int> ranks)
    {
        double[][] energies = starts.Energies(format.Ragged!.Value.Along == 'i' ? EnergiesByInput : EnergiesByOutput);
        int[] each = Each(ranks, energies.Length);
        double all = energies.Sum(static own => own.Sum());
        return all > 0 ? Math.Sqrt(energies.Select((own, place) => own.Skip(each[place]).Sum()).Sum() / all) : 0;
    }

    private static double[][] EnergiesByInput(KernelStarts starts)
    {
        (int outputs, int inputs, int taps) = Extents(starts);
        return DecoupledInput.Energies(starts.Weighed.Values, starts.Metric.Covariance, outputs, inputs, taps);
    }

    private static double[][] EnergiesByOutput(KernelStarts starts)
    {
        (int outputs, int inputs, int taps) = Extents(starts);
        DecoupledOutput fit = new(starts.Metric.Covariance, inputs, taps);
        Tensor<double> kernel = starts.Weighed;
        return [.. Enumerable.Range(0, outputs).Select(o => fit.Energies(kernel.Values.Slice(o * inputs * taps, inputs * taps)))];
    }

    /// <summary>
    /// The largest of all energies, so many of them. Where ranks are to be multiples, it is the number of channels of rank r or more that is
    /// one, for every r: these are the channels of one convolution.
    /// </summary>
    /// <param name="energies">Squared singular values of each channel, descending.</param>
    /// <param name="total">How many are kept.</param>
    /// <param name="multiple">See above.</param>
    /// <param name="most">Rank that no channel exceeds.</param>
    internal static ImmutableArray<int> Spread(double[][] energies, int total, int multiple, int most)
    {
        int[] ranks = new int[energies.Length];
        int left = Math.Clamp(total, 1, most * energies.Length);
        double threshold = energies.SelectMany(own => own.Take(most)).OrderDescending().ElementAtOrDefault(left - 1);
        for (int rank = 0; rank < most && left > 0; rank++)
        {
            // Channels that have all ranks before this one.
            int[] candidates =
            [
                .. Enumerable
                    .Range(0, ranks.Length)
                    .Where(place => ranks[place] == rank && energies[place].Length > rank)
                    .OrderByDescending(place => energies[place][rank]),
            ];
            int wanted = candidates.Count(place => energies[place][rank] >= threshold);
            if (multiple > 1 && wanted < candidates.Length)
                wanted = (wanted + multiple / 2) / multiple * multiple;
            wanted = Math.Min(wanted, Math.Min(candidates.Length, left));
            if (multiple > 1 && wanted < candidates.Length && wanted > multiple)
                wanted = wanted / multiple * multiple;
            foreach (int place in candidates.Take(wanted))
                ranks[place]++;
            left -= wanted;
        }
        if (ranks.All(static rank => rank == 0))
            ranks[Enumerable.Range(0, ranks.Length).MaxBy(place => energies[place].FirstOrDefault())] = 1;
        return [.. ranks];
    }

    private static TensorFactors<double> Measured(
        KernelStarts starts,
        KernelForm form,
        ImmutableArray<int> ranks,
        params ImmutableArray<Tensor<double>> factors
    )
    {
        TensorFactors<double> result = new(form.Tensor, form.Folding, ranks, form.Tensor.Cut(factors, ranks), 0);
        return result with { RelativeError = starts.Metric.ErrorOf(starts.Kernel, result.Reconstruct()) };
    }

    private static (int Outputs, int Inputs, int Taps) Extents(KernelStarts starts)
    {
        Shape shape = starts.Kernel.Shape;
        return (shape[0], shape[1], shape.ElementCountOf(2, shape.Rank));
    }

    private static int[] Each(ImmutableArray<int> ranks, int places) =>
        ranks.Length == places ? [.. ranks] : [.. Enumerable.Repeat(ranks[0], places)];
}
