using System.Collections.Immutable;

namespace Tensorial.Decompositions;

/// <summary>Fits a kernel as a sum of two forms, and shares parameters between them.</summary>
internal static class SumFit
{
    /// <summary>Turns of both forms at most: with a covariance each is dear.</summary>
    private const int MostRounds = 120,
        MostInformedRounds = 30;

    /// <summary>Turns have settled where ten lower the error by less than this part.</summary>
    private const double Tolerance = 1e-3;

    /// <summary>Steps of a form's own descent in one turn, from where the turn before left it.</summary>
    private const int MostSteps = 4;

    /// <summary>Turns that suffice to tell how ranks are shared.</summary>
    private const int RoundsToShare = 3;

    /// <summary>Parts of the parameters that the first form is tried with.</summary>
    private static readonly double[] Shares = [0.25, 0.5, 0.75];

    /// <summary>The factors of both forms, the first form's first.</summary>
    public static TensorFactors<double> ByTurns(FitTask task)
    {
        (KernelStarts starts, KernelForm form, ImmutableArray<int> ranks, FitOptions options, CancellationToken cancel) = task;
        int rounds = starts.Metric.Covariance is null ? MostRounds : MostInformedRounds;
        SumAlternation turns = SumAlternation.From(
            starts,
            form.Parted(ranks),
            task.Known?.Terms ?? [],
            options with
            {
                Iterations = Math.Min(options.Iterations, MostSteps),
            },
            cancel
        );
        turns.Run(Math.Min(options.Iterations, rounds), Tolerance, cancel);
        TensorFactors<double> all = new(form.Tensor, form.Folding, ranks, [.. turns.Fits.SelectMany(static fit => fit.Factors)], 0);
        return all with { RelativeError = starts.Metric.ErrorOf(starts.Kernel, all.Reconstruct()) };
    }

    /// <summary>Ranks of both forms within a part of the kernel's parameters, shared between them as fits the kernel best.</summary>
    public static ImmutableArray<int> RanksAt(KernelStarts starts, KernelForm form, double rate, int multiple)
    {
        FitOptions quick = new(Iterations: RoundsToShare);
        return Shares
            .Select(share => Shared(starts, form, rate, share, multiple))
            .DistinctBy(static ranks => string.Join(' ', ranks))
            .MinBy(ranks =>
            {
                // Ranks of 1 may be more than asked for already: the smallest then.
                double excess = Math.Max(0, (double)form.Parameters(ranks.AsSpan()) / form.Folding.Shape.ElementCount - rate);
                return excess > 0 ? 2 + excess : KernelFactorization.Fit(starts, form, ranks, quick).RelativeError;
            });
    }

    /// <summary>
    /// Ranks that may differ by channel, as many as before, spread over the channels as what the other form leaves has most use for them.
    /// </summary>
    public static ImmutableArray<int> Settled(KernelStarts starts, KernelForm form, ImmutableArray<int> ranks)
    {
        if (!form.Format.HasRankByChannel)
            return ranks;
        (KernelForm Form, ImmutableArray<int> Ranks)[] terms = [.. form.Parted(ranks)];
        Tensor<double>[] made = [.. terms.Select(_ => new Tensor<double>(starts.Kernel.Shape))];
        for (int turn = 0; turn < terms.Length * RoundsToShare; turn++)
        {
            int k = turn % terms.Length;
            KernelStarts rest = starts.Without(made[1 - k]);
            (KernelForm term, ImmutableArray<int> own) = terms[k];
            if (term.Format.HasRankByChannel)
                own = term.RanksAt(rest, (term.Parameters(own.AsSpan()) + 0.5) / form.Folding.Shape.ElementCount);
            terms[k] = (term, own);
            made[k] = KernelFactorization.Fit(rest, term, own, new(Iterations: RoundsToShare)).Reconstruct();
        }
        return [.. terms.SelectMany(static term => term.Ranks)];
    }

    /// <summary>The first form by the kernel's own spectra, the second by those of what the first leaves.</summary>
    private static ImmutableArray<int> Shared(KernelStarts starts, KernelForm form, double rate, double share, int multiple)
    {
        (KernelForm first, KernelForm second) = (form.Terms[0], form.Terms[1]);
        ImmutableArray<int> ranks = first.RanksAt(starts, share * rate, multiple);
        double left = rate - (double)first.Parameters(ranks.AsSpan()) / form.Folding.Shape.ElementCount;
        KernelStarts rest = second.Format.HasRankByChannel
            ? starts.Without(KernelFactorization.Fit(starts, first, ranks, new(Iterations: RoundsToShare)).Reconstruct())
            : starts;
        ranks = [.. ranks, .. second.RanksAt(rest, Math.Max(0, left), multiple)];
        return multiple > 1 ? ranks : Settled(starts, form, ranks);
    }
}
