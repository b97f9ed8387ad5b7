using System.Collections.Immutable;
using System.Globalization;

namespace Tensorial.Compression;

/// <summary>
/// Chooses one candidate for every layer, so that together they do the least damage within the budgets: the multiple-choice knapsack
/// problem, solved by dynamic programming over what the budget leaves beyond the cheapest choice (exact to 1 part in <see cref="Steps"/> of
/// that). Damages of different layers add up, which holds for small ones.
/// </summary>
internal static class Allocation
{
    /// <summary>
    /// Parts that what is left of a budget beyond the cheapest choice is counted in. Costs are rounded up, so a choice never exceeds it; the
    /// cheapest choice costs no part, so rounding never makes a budget unreachable.
    /// </summary>
    public const int Steps = 8000;

    /// <summary>Layers named that stand in the way of a target, at most, and the part of the least possible that is worth it.</summary>
    private const int MostNamed = 4;

    private const double Noteworthy = 0.02;

    /// <summary>Mixtures tried where there are several budgets.</summary>
    private const int Mixtures = 24;

    /// <param name="choices">The candidates of each layer.</param>
    /// <param name="budgets">For each budget the cost of a candidate and how much all may cost together.</param>
    /// <exception cref="GoalNotMetException">No choice keeps the budgets; says the least that is possible.</exception>
    public static ImmutableArray<CompressionCandidate> Solve(
        IReadOnlyList<IReadOnlyList<CompressionCandidate>> choices,
        IReadOnlyList<LayerBudget> budgets
    )
    {
        if (choices.Count == 0)
            return [];
        // Costs are rounded up below: what does least damage of all must not fail for that.
        ImmutableArray<CompressionCandidate> gentlest = [.. choices.Select(static layer => layer.MinBy(static c => c.Sensitivity)!)];
        if (budgets.All(budget => budget.Keeps(gentlest)))
            return gentlest;
        CheckReachable(choices, budgets);
        // With several budgets a mixture of them is one; the best choice that keeps each on its own counts.
        ImmutableArray<CompressionCandidate>? best = null;
        foreach (double[] mixture in MixturesOf(budgets.Count))
        {
            double Cost(CompressionCandidate candidate) =>
                budgets.Select((budget, k) => mixture[k] * budget.Cost(candidate) / Math.Max(budget.Most, 1e-12)).Sum();
            double cheapest = choices.Sum(layer => layer.Min(Cost));
            for (double most = Math.Max(1, budgets.Count == 1 ? cheapest : 1); most > 0.05; most *= 0.97)
            {
                if (Single(choices, Cost, most) is not { } chosen)
                    break;
                if (!budgets.All(budget => budget.Keeps(chosen)))
                    continue;
                if (best is null || Priced(chosen) < Priced(best.Value))
                    best = chosen;
                break;
            }
        }
        return best
            ?? throw new GoalNotMetException(
                $"No choice of candidates keeps {string.Join(" and ", budgets.Select(static b => b.Name))} together."
            );
    }

    /// <summary>Refuses budgets that the smallest choice misses: needs the sizes of candidates alone, not what they do.</summary>
    /// <exception cref="GoalNotMetException">One cannot be kept; says the least that is possible, where it lies and what to ask for.</exception>
    public static void CheckReachable(IReadOnlyList<IReadOnlyList<CompressionCandidate>> choices, IReadOnlyList<LayerBudget> budgets)
    {
        foreach (LayerBudget budget in budgets)
        {
            (string Name, double Least)[] layers = [.. choices.Select(layer => (layer[0].Layer.Name, layer.Min(budget.Cost)))];
            double least = layers.Sum(static layer => layer.Least);
            if (budget.Allows(least))
                continue;
            string[] holders =
            [
                .. budget.Fixed > 0 ? (string[])[$"{Text(budget.Fixed)}{budget.Unit} in what stays as it is"] : [],
                .. layers
                    .Where(layer => layer.Least > Noteworthy * least)
                    .OrderByDescending(static layer => layer.Least)
                    .Take(MostNamed)
                    .Select(layer => $"{Text(layer.Least)}{budget.Unit} in {layer.Name}"),
            ];
            throw new GoalNotMetException(
                $"{budget.Name} cannot be met: it allows {Text(budget.Most + budget.Fixed)}, and the least possible is {Text(least + budget.Fixed)}{budget.Unit} ({string.Join(", ", holders)}){budget.Advice(least + budget.Fixed)}."
            );
        }
    }

    private static double Priced(ImmutableArray<CompressionCandidate> chosen) => chosen.Sum(static c => c.Sensitivity * c.Slowdown);

    private static string Text(double cost) =>
        cost < 1000 ? cost.ToString("G3", CultureInfo.InvariantCulture) : cost.ToString("N0", CultureInfo.InvariantCulture);

    private static IEnumerable<double[]> MixturesOf(int budgets)
    {
        if (budgets == 1)
            return
            [
                [1],
            ];
        Random random = new(1);
        return Enumerable
            .Range(0, Mixtures * budgets)
            .Select(k =>
            {
                double[] weights =
                [
                    .. Enumerable.Range(0, budgets).Select(b => k < budgets ? (b == k ? 1 : 1e-6) : -Math.Log(1 - random.NextDouble())),
                ];
                double sum = weights.Sum();
                return (double[])[.. weights.Select(weight => weight / sum)];
            });
    }

    /// <summary>The least damage at a cost of at most so much; null where there is no choice.</summary>
    private static ImmutableArray<CompressionCandidate>? Single(
        IReadOnlyList<IReadOnlyList<CompressionCandidate>> choices,
        Func<CompressionCandidate, double> cost,
        double most
    )
    {
        double[] least = [.. choices.Select(layer => layer.Min(cost))];
        double left = most - least.Sum();
        if (left < -1e-9 * most)
            return null;
        double[] damage = new double[Steps + 1];
        int[][] taken = new int[choices.Count][];
        for (int layer = 0; layer < choices.Count; layer++)
        {
            double[] next = new double[Steps + 1];
            Array.Fill(next, double.PositiveInfinity);
            int[] chosen = taken[layer] = new int[Steps + 1];
            for (int k = 0; k < choices[layer].Count; k++)
            {
                CompressionCandidate candidate = choices[layer][k];
                int steps = PartsOf(layer, candidate);
                for (int at = steps; at <= Steps; at++)
                {
                    double total = damage[at - steps] + candidate.Sensitivity * candidate.Slowdown;
                    if (total < next[at])
                        (next[at], chosen[at]) = (total, k);
                }
            }
            damage = next;
        }
        if (double.IsPositiveInfinity(damage[Steps]))
            return null;
        CompressionCandidate[] result = new CompressionCandidate[choices.Count];
        for (int layer = choices.Count - 1, at = Steps; layer >= 0; layer--)
        {
            result[layer] = choices[layer][taken[layer][at]];
            at -= PartsOf(layer, result[layer]);
        }
        return [.. result];

        int PartsOf(int layer, CompressionCandidate candidate)
        {
            double more = cost(candidate) - least[layer];
            return more <= 0 ? 0
                : left <= 0 ? Steps + 1
                : (int)Math.Min(Steps + 1, Math.Ceiling(more / left * Steps - 1e-9));
        }
    }
}

/// <summary>What the layers may cost together.</summary>
/// <param name="Name">The target, for messages.</param>
/// <param name="Cost">What one candidate costs.</param>
/// <param name="Most">What all may cost.</param>
/// <param name="Fixed">What the rest of the network costs on top.</param>
/// <param name="Unit">What follows a number, with the space before it.</param>
internal sealed record LayerBudget(string Name, Func<CompressionCandidate, double> Cost, double Most, double Fixed = 0, string Unit = "")
{
    /// <summary>What to ask for instead, as the end of a sentence, where the least that is possible is so much.</summary>
    public Func<double, string> Advice { get; init; } = static _ => "";

    /// <summary>Whether it allows a cost, up to the rounding of targets that are parts of a whole.</summary>
    public bool Allows(double cost) => cost <= Most + 1e-9 * (Math.Abs(Most) + Math.Abs(Fixed));

    /// <summary>Whether candidates keep it.</summary>
    public bool Keeps(IEnumerable<CompressionCandidate> chosen) => Allows(chosen.Sum(Cost));
}
