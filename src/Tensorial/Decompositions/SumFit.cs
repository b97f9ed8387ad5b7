using System.Collections.Immutable;

namespace Tensorial.Decompositions;

/// <summary>
/// Fits a kernel as a sum of two forms by turns: the first to what the second leaves of it, the second to what the first leaves. No turn makes
/// the error larger, or it is not taken.
/// </summary>
internal static class SumFit
{
    /// <summary>Turns of both forms at most, and the part of the squared error that one must take off for another.</summary>
    private const int MostRounds = 40;

    private const double LeastGain = 5e-4;

    /// <summary>Steps of a form's own descent in one turn, at most.</summary>
    private const int MostSteps = 15;

    /// <summary>Turns and steps that suffice to tell how ranks are shared.</summary>
    private const int RoundsToShare = 3;

    /// <summary>Parts of the parameters that the first form is tried with.</summary>
    private static readonly double[] Shares = [0.25, 0.5, 0.75];

    /// <summary>The factors of both forms, the first form's first.</summary>
    public static TensorFactors<double> ByTurns(FitTask task)
    {
        (KernelStarts starts, KernelForm form, ImmutableArray<int> ranks, FitOptions options, CancellationToken cancel) = task;
        ImmutableArray<(KernelForm Form, ImmutableArray<int> Ranks)> terms = form.Parted(ranks);
        ImmutableArray<TensorFactors<double>> known = task.Known?.Terms ?? [];
        TensorFactors<double>[] fits = new TensorFactors<double>[terms.Length];
        Tensor<double>[] made =
        [
            .. terms.Select((_, k) => known.IsEmpty ? new Tensor<double>(starts.Kernel.Shape) : known[k].Reconstruct()),
        ];
        FitOptions turn = options with { Iterations = Math.Min(options.Iterations, MostSteps) };
        double least = double.PositiveInfinity;
        for (int round = 0; round < Math.Clamp(options.Iterations, 1, MostRounds); round++)
        {
            double before = least;
            for (int k = 0; k < terms.Length; k++)
            {
                KernelStarts rest = starts.Without(made[1 - k]);
                TensorFactors<double>? last = fits[k] ?? known.ElementAtOrDefault(k);
                TensorFactors<double> fit = last is null
                    ? KernelFactorization.Fit(rest, terms[k].Form, terms[k].Ranks, turn, cancel)
                    : KernelFactorization.Refined(last, rest, terms[k].Form, turn, cancel);
                Tensor<double> now = fit.Reconstruct();
                double error = rest.Metric.Square(rest.Without(now).Kernel);
                // The first turns begin with what is not there yet.
                if (fits[k] is not null && error >= least)
                    continue;
                (fits[k], made[k], least) = (fit, now, error);
            }
            if (!(before - least > LeastGain * before))
                break;
        }
        TensorFactors<double> all = new(form.Tensor, form.Folding, ranks, [.. fits.SelectMany(static fit => fit.Factors)], 0);
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
