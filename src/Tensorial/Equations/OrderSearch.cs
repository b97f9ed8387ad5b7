namespace Tensorial.Equations;

/// <summary>Finds an order of evaluation for leaves.</summary>
internal delegate Tree SearchOrder(Algebra algebra, ReadOnlySpan<Tree> leaves, PlanOptions options);

/// <summary>Picks the search that the options ask for, and answers for its failure.</summary>
internal static class OrderSearch
{
    /// <exception cref="GoalNotMetException">No order that was found keeps the memory limit.</exception>
    public static Tree Search(Algebra algebra, ReadOnlySpan<Tree> leaves, PlanOptions options)
    {
        if (Found(algebra, leaves, options) is { } best)
            return best;
        Tree? least = Found(
            algebra,
            leaves,
            options with
            {
                MemoryLimit = long.MaxValue,
                Goal = PlanGoal.Forward,
            },
            static tree => tree.Peak
        );
        throw new GoalNotMetException(
            $"No order of evaluating {algebra.Problem.Equation} keeps at most {options.MemoryLimit:N0} values alive at once; the least found is {least?.Peak:N0}."
        );
    }

    private static Tree? Found(Algebra algebra, ReadOnlySpan<Tree> leaves, PlanOptions options, Func<Tree, double>? least = null)
    {
        PlanSearch search =
            options.Search != PlanSearch.Automatic ? options.Search
            : leaves.Length <= PlanOptions.MostExact ? PlanSearch.Exact
            : PlanSearch.Greedy;
        return search switch
        {
            PlanSearch.LeftToRight => LeftToRight(algebra, leaves, options),
            PlanSearch.Exact => ExactSearch.Search(algebra, leaves, options, least),
            _ => GreedySearch.Search(algebra, leaves, options, least),
        };
    }

    private static Tree? LeftToRight(Algebra algebra, ReadOnlySpan<Tree> leaves, PlanOptions options)
    {
        Tree tree = leaves[0];
        for (int i = 1; i < leaves.Length; i++)
            tree = Tree.From(algebra, tree, leaves[i], options);
        return tree.Peak <= (options.MemoryLimit ?? double.PositiveInfinity) ? tree : null;
    }
}
