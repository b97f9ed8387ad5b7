using System.Collections.Immutable;
using Tensorial.Decompositions.Trees;

namespace Tensorial.Decompositions;

/// <summary>A form that the search found for a kernel.</summary>
/// <param name="Form">The format on the kernel.</param>
/// <param name="Ranks">Its ranks.</param>
/// <param name="Bound">The relative error that singular values bound before a fit; null for forms of which they bound none.</param>
/// <param name="Error">The relative error of the fit.</param>
internal sealed record FoundStructure(KernelForm Form, ImmutableArray<int> Ranks, double? Bound, double Error)
{
    /// <summary>Whether it is offered: single forms are, a sum where it takes enough off the error of the best of them.</summary>
    public bool Pays { get; init; } = true;

    /// <summary>Numbers stored.</summary>
    public long Parameters => Form.Parameters(Ranks.AsSpan());
}

/// <summary>
/// Looks for the form that fits a kernel: the best of all trees over its axes, filters by input and by output channel with ranks that differ, one
/// bond that all factors share, and sums of two of the first three.
/// </summary>
internal static class StructureSearch
{
    /// <summary>A sum is offered where its error is below this part of that of the best single form: it takes two branches to compute.</summary>
    private const double Worthwhile = 0.98;

    /// <summary>Steps of the fits that tell which sum is best.</summary>
    private static readonly FitOptions Quick = new(Iterations: 4);

    /// <summary>Larger kernels are fitted from singular vectors alone.</summary>
    private const int MostDescended = 400_000;

    /// <summary>Steps of a fit that is to be told of.</summary>
    public static FitOptions Whole(Shape kernel) => new(Iterations: kernel.ElementCount > MostDescended ? 0 : 100);

    /// <summary>Forms within a part of a kernel's parameters, the single ones and the best sum.</summary>
    /// <param name="starts">The kernel, and the measure.</param>
    /// <param name="rate">The part.</param>
    /// <param name="cancel">Ends it.</param>
    public static ImmutableArray<FoundStructure> Of(KernelStarts starts, double rate, CancellationToken cancel = default)
    {
        Shape kernel = starts.Kernel.Shape;
        ImmutableArray<FoundStructure> single =
        [
            .. Singles(starts, rate)
                .Select(found => Fitted(starts, KernelForm.From(found.Format, kernel), found.Ranks, found.Bound, Whole(kernel), cancel)),
        ];
        if (SharedAt(starts, rate) is { IsDefault: false } ranks)
            single = single.Add(Fitted(starts, KernelForm.From(KernelFormat.Cp3, kernel), ranks, null, Whole(kernel), cancel));
        if (SumOf(starts, rate, isThorough: true, cancel) is not { } sum)
            return single;
        sum = Fitted(starts, sum.Form, sum.Ranks, null, Whole(kernel), cancel);
        return [.. single, sum with { Pays = sum.Error < Worthwhile * single.Min(static found => found.Error) }];
    }

    /// <summary>
    /// Those that are offered, as candidates to be fitted: single forms with the ranks that the measure speaks for, and the sum that pays in the
    /// plain norm, where fits are cheap.
    /// </summary>
    public static IEnumerable<(KernelFormat Format, ImmutableArray<int> Ranks)> FormsOf(KernelStarts starts, double rate)
    {
        foreach ((KernelFormat format, ImmutableArray<int> ranks, _) in Singles(starts, rate))
            yield return (format, ranks);
        if (SharedAt(starts, rate) is { IsDefault: false } shared)
            yield return (KernelFormat.Cp3, shared);
        // In the plain norm single forms have the error that their singular values say, or less.
        double least = Singles(starts.Plain, rate).Select(static single => single.Bound).DefaultIfEmpty(0).Min();
        if (SumOf(starts.Plain, rate, isThorough: false, default) is { } sum && sum.Error < Worthwhile * least)
            yield return (sum.Form.Format, sum.Ranks);
    }

    /// <summary>The tree with the least bound within a budget; null where there is none that is smaller than the kernel.</summary>
    public static FoundTree? Tree(KernelStarts starts, ITreePrices prices, double budget) =>
        TreeSearch.Within(starts.Cuts, prices, budget) is { Tree.Bonds.IsEmpty: false } found ? found : null;

    /// <summary>
    /// Ranks of the form whose factors share one bond; default where a kernel is too large for its descent, or the rate too small. Singular values
    /// bound it from below alone: only a fit tells its error.
    /// </summary>
    private static ImmutableArray<int> SharedAt(KernelStarts starts, double rate)
    {
        KernelForm form = KernelForm.From(KernelFormat.Cp3, starts.Kernel.Shape);
        ImmutableArray<int> ranks = form.RanksAt(rate);
        return
            starts.Kernel.Shape.ElementCount <= MostDescended && form.Parameters(ranks.AsSpan()) <= rate * starts.Kernel.Shape.ElementCount
            ? ranks
            : default;
    }

    private static IEnumerable<(KernelFormat Format, ImmutableArray<int> Ranks, double Bound)> Singles(KernelStarts starts, double rate)
    {
        long budget = (long)(rate * starts.Kernel.Shape.ElementCount);
        if (Tree(starts, new TreeParameters(starts.Cuts), budget) is { } found)
        {
            (KernelFormat format, ImmutableArray<int> ranks) = TreeFormats.Of(found.Tree);
            yield return (format, ranks, found.Bound);
        }
        foreach (KernelFormat format in (KernelFormat[])[KernelFormat.DecoupledIn, KernelFormat.DecoupledOut])
        {
            KernelForm form = KernelForm.From(format, starts.Kernel.Shape);
            ImmutableArray<int> ranks = form.RanksAt(starts, rate);
            if (form.Parameters(ranks.AsSpan()) <= budget)
                yield return (format, ranks, DecoupledFit.BoundOf(starts, format, ranks));
        }
    }

    /// <summary>The best sum of two single forms, each with a part of the parameters; null where there is none.</summary>
    /// <param name="starts">The kernel, and the measure.</param>
    /// <param name="rate">The part of the kernel's parameters.</param>
    /// <param name="isThorough">Whether to try unequal shares too.</param>
    /// <param name="cancel">Ends it.</param>
    private static FoundStructure? SumOf(KernelStarts starts, double rate, bool isThorough, CancellationToken cancel)
    {
        List<FoundStructure> sums = [];
        foreach (double share in isThorough ? (double[])[0.25, 0.5, 0.75] : [0.5])
        foreach ((KernelFormat Format, ImmutableArray<int> Ranks, double) first in Singles(starts, share * rate))
        {
            cancel.ThrowIfCancellationRequested();
            KernelForm form = KernelForm.From(first.Format, starts.Kernel.Shape);
            KernelStarts rest = starts.Without(KernelFactorization.Fit(starts, form, first.Ranks, Quick, cancel).Reconstruct());
            double left = rate - (double)form.Parameters(first.Ranks.AsSpan()) / starts.Kernel.Shape.ElementCount;
            foreach ((KernelFormat Format, ImmutableArray<int> Ranks, double) second in Singles(rest, left))
            {
                if (second.Format == first.Format)
                    continue;
                KernelForm sum = KernelForm.From(KernelFormat.Sum(first.Format, second.Format), starts.Kernel.Shape);
                sums.Add(Fitted(starts, sum, SumFit.Settled(starts, sum, [.. first.Ranks, .. second.Ranks]), null, Quick, cancel));
            }
        }
        return sums.MinBy(static sum => sum.Error);
    }

    private static FoundStructure Fitted(
        KernelStarts starts,
        KernelForm form,
        ImmutableArray<int> ranks,
        double? bound,
        FitOptions options,
        CancellationToken cancel
    ) => new(form, ranks, bound, KernelFactorization.Fit(starts, form, ranks, options, cancel).RelativeError);
}
