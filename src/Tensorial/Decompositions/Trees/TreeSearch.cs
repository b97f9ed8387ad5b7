using System.Collections.Immutable;

namespace Tensorial.Decompositions.Trees;

/// <summary>A tree within a budget.</summary>
/// <param name="Tree">The tree and its ranks.</param>
/// <param name="Cost">What it costs.</param>
/// <param name="Bound">The relative error that its cuts bound.</param>
/// <param name="Least">No tree within the budget has a smaller such bound: what the price at which the budget is spent proves.</param>
internal sealed record FoundTree(TreeNetwork Tree, double Cost, double Bound, double Least);

/// <summary>
/// Finds the tree network for a tensor before any is fitted: squared errors of its cuts add up, so that the spectra of all cuts bound the
/// error of every tree. At a price the best tree and ranks are found exactly (<see cref="ITreePrices.Best"/>); a budget is turned into the
/// price at which it is spent.
/// </summary>
internal static class TreeSearch
{
    /// <summary>Halvings of the logarithm of the price.</summary>
    private const int Steps = 36;

    /// <summary>A price at which the smaller of two trees that lose nothing is the better, and any loss is worse.</summary>
    private const double NextToNothing = 1e-12;

    /// <summary>Over the largest squared singular value that noise is expected to have.</summary>
    private const double StandsOut = 1.2;

    /// <summary>
    /// The cheapest tree that holds what stands out from noise: singular values above the largest, (√m + √n) σ, that noise of m × n values is
    /// expected to have. σ is the least that variational Bayes (<see cref="Evbmf"/>) finds along any cut: where all singular values are alike it
    /// takes them for noise.
    /// </summary>
    public static TreeNetwork AboveNoise(CutSpectra spectra)
    {
        double variance = Enumerable.Range(1, spectra.All).Min(VarianceAlong);
        ImmutableArray<double>[] tails = [.. spectra.Tails.Select((tail, cut) => cut == 0 ? tail : Above(tail, cut))];
        return new TreeParameters(spectra with { Tails = [.. tails] }).Best(NextToNothing);

        (int Rows, int Columns) Extents(int cut) => (spectra.Extents.ElementCount / (int)spectra.Count(cut), (int)spectra.Count(cut));

        double VarianceAlong(int cut)
        {
            (int rows, int columns) = Extents(cut);
            return Evbmf.From([.. Energies(spectra.Tails[cut]).Select(Math.Sqrt)], rows, columns).NoiseVariance;
        }

        ImmutableArray<double> Above(ImmutableArray<double> tail, int cut)
        {
            (int rows, int columns) = Extents(cut);
            double edge = Math.Sqrt(rows) + Math.Sqrt(columns);
            int rank = Math.Max(1, Energies(tail).Count(energy => energy > StandsOut * variance * edge * edge));
            return [.. tail.Select((part, r) => r < rank ? 1 + part : 0)];
        }
    }

    /// <summary>Squared singular values over the squared norm.</summary>
    private static IEnumerable<double> Energies(ImmutableArray<double> tail) =>
        tail.Zip(tail.Skip(1), static (before, after) => Math.Max(0, before - after));

    /// <summary>
    /// The tree with the least bound within a budget. Prices reach the corners of the convex hull of (cost, squared error) alone: what is left
    /// there is spent rank by rank.
    /// </summary>
    /// <param name="spectra">The tensor's.</param>
    /// <param name="prices">What trees cost.</param>
    /// <param name="budget">What the tree may cost.</param>
    /// <returns>Null where the cheapest tree there is costs more.</returns>
    public static FoundTree? Within(CutSpectra spectra, ITreePrices prices, double budget)
    {
        double all = prices.CostOf(new(spectra.Extents, []));
        if (budget >= all)
            return new(new(spectra.Extents, []), all, 0, 0);
        // At the high price the tree costs no more than the budget, at the low one it does.
        (double low, double high) = (-40, 8);
        TreeNetwork tree = prices.Best(Price(high)),
            larger = prices.Best(Price(low));
        if (prices.CostOf(tree) > budget)
            return null;
        double least = 0;
        for (int step = 0; step < Steps; step++)
        {
            double middle = (low + high) / 2;
            TreeNetwork between = prices.Best(Price(middle));
            double cost = prices.CostOf(between);
            // The least sum at a price, less what the budget costs at it, bounds what any tree within the budget loses.
            least = Math.Max(least, LossOf(between) + Price(middle) * (cost - budget));
            if (cost <= budget)
                (high, tree) = (middle, between);
            else
                (low, larger) = (middle, between);
        }
        TreeNetwork best = ((TreeNetwork?[])[Raised(tree, spectra, prices, budget), Lowered(larger, spectra, prices, budget)])
            .OfType<TreeNetwork>()
            .MinBy(LossOf)!;
        return new(best, prices.CostOf(best), best.BoundFrom(spectra), Math.Sqrt(Math.Clamp(least, 0, 1)));

        double Price(double power) => Math.Pow(2, power) / all;

        double LossOf(TreeNetwork one) => Loss(one, spectra);
    }

    /// <summary>Single ranks more while the budget lasts, what takes off most for its cost first.</summary>
    private static TreeNetwork Raised(TreeNetwork tree, CutSpectra spectra, ITreePrices prices, double budget)
    {
        while (true)
        {
            double cost = prices.CostOf(tree),
                loss = Loss(tree, spectra);
            TreeNetwork? next = Neighbours(tree, spectra, 1)
                .Where(raised => prices.CostOf(raised) <= budget && Loss(raised, spectra) < loss)
                .MaxBy(raised => (loss - Loss(raised, spectra)) / Math.Max(1e-9, prices.CostOf(raised) - cost));
            if (next is null)
                return tree;
            tree = next;
        }
    }

    /// <summary>Single ranks less until the budget is kept, what adds least for what it saves first; then what can be raised again.</summary>
    private static TreeNetwork? Lowered(TreeNetwork tree, CutSpectra spectra, ITreePrices prices, double budget)
    {
        while (prices.CostOf(tree) is var cost && cost > budget)
        {
            double loss = Loss(tree, spectra);
            TreeNetwork? next = Neighbours(tree, spectra, -1)
                .Where(lowered => prices.CostOf(lowered) < cost)
                .MinBy(lowered => (Loss(lowered, spectra) - loss) / (cost - prices.CostOf(lowered)));
            if (next is null)
                return null;
            tree = next;
        }
        return Raised(tree, spectra, prices, budget);
    }

    private static IEnumerable<TreeNetwork> Neighbours(TreeNetwork tree, CutSpectra spectra, int step) =>
        from bond in Enumerable.Range(0, tree.Bonds.Length)
        let rank = tree.Bonds[bond].Rank + step
        where rank >= 1 && rank <= spectra.MaxRank(tree.Bonds[bond].Cut)
        select tree.With(bond, rank);

    private static double Loss(TreeNetwork tree, CutSpectra spectra) => tree.Bonds.Sum(bond => spectra.Tails[bond.Cut][bond.Rank]);
}
