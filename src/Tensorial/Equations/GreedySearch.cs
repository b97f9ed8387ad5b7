namespace Tensorial.Equations;

/// <summary>
/// For more operands than can be searched exactly: many greedy trials, each joining the pair of terms that shrinks most, with a weight and
/// noise drawn anew (Gray and Kourtis, Quantum 5, 410, 2021); the best is improved by exact search over parts of a few leaves.
/// </summary>
internal static class GreedySearch
{
    /// <summary>Leaves of a part that is searched exactly: 3⁷/2 pairs take less than a millisecond.</summary>
    private const int PartLeaves = 7;

    /// <summary>The tree found of the least cost, or whatever else is to be least; null where none keeps the limit.</summary>
    public static Tree? Search(Algebra algebra, ReadOnlySpan<Tree> leaves, PlanOptions options, Func<Tree, double>? least = null)
    {
        least ??= static tree => tree.Cost;
        Random random = new(options.Seed);
        Tree? best = null;
        for (int trial = 0; trial < Math.Max(1, options.Trials); trial++)
        {
            // The first trial is the plain greedy one.
            (double weight, double noise) = trial == 0 ? (1, 0) : (2 * random.NextDouble(), Math.Pow(10, -2 + 2.5 * random.NextDouble()));
            Tree tree = Trial(algebra, leaves, options, weight, noise, random);
            if (tree.Peak <= (options.MemoryLimit ?? double.PositiveInfinity) && (best is null || least(tree) < least(best)))
                best = tree;
        }
        return best is null ? null : Improved(algebra, best, options);
    }

    private readonly record struct ContractionPair(Tree Left, Tree Right, double Score);

    private static Tree Trial(Algebra algebra, ReadOnlySpan<Tree> leaves, PlanOptions options, double weight, double noise, Random random)
    {
        List<Tree> trees = [.. leaves];
        List<ContractionPair> candidates = [];
        for (int i = 0; i < trees.Count; i++)
        for (int j = 0; j < i; j++)
            Add(trees[i], trees[j]);
        while (trees.Count > 1)
        {
            // Terms that share nothing are joined last, the smallest first.
            (Tree left, Tree right) =
                candidates.Count > 0
                    ? candidates.MinBy(static c => c.Score) is var next
                        ? (next.Left, next.Right)
                        : default
                    : trees.OrderBy(static tree => tree.Term.Size).Take(2).ToArray() is [var a, var b]
                        ? (a, b)
                        : default;
            Tree joined = Tree.From(algebra, left, right, options);
            trees.Remove(left);
            trees.Remove(right);
            candidates.RemoveAll(c => c.Left == left || c.Right == left || c.Left == right || c.Right == right);
            foreach (Tree tree in trees)
                Add(joined, tree);
            trees.Add(joined);
        }
        return trees[0];

        void Add(Tree a, Tree b)
        {
            if (!Share(a.Term, b.Term))
                return;
            double growth = algebra.Product(a.Term, b.Term).Size - weight * (a.Term.Size + b.Term.Size);
            double score = Math.Sign(growth) * Math.Log(1 + Math.Abs(growth));
            candidates.Add(new(a, b, score + (noise > 0 ? noise * Math.Log(-Math.Log(1 - random.NextDouble())) : 0)));
        }
    }

    private static bool Share(IndexList a, IndexList b)
    {
        for (int k = 0; k < a.Axes; k++)
            if (a.Has(k) && b.Has(k))
                return true;
        return false;
    }

    /// <summary>
    /// The tree with every part of a few leaves in its best order, from the bottom up; never worse, and within the limit.
    /// </summary>
    private static Tree Improved(Algebra algebra, Tree tree, PlanOptions options)
    {
        if (tree.Operand >= 0)
            return tree;
        List<Tree> leaves = [tree.Left!, tree.Right!];
        while (leaves.Count < PartLeaves && leaves.Where(static leaf => leaf.Operand < 0).MaxBy(static leaf => leaf.Cost) is { } widest)
        {
            leaves.Remove(widest);
            leaves.AddRange([widest.Left!, widest.Right!]);
        }
        Tree[] improved = [.. leaves.Select(leaf => Improved(algebra, leaf, options))];
        return ExactSearch.Search(algebra, improved, options) is { } better && better.Cost < tree.Cost ? better : tree;
    }
}
