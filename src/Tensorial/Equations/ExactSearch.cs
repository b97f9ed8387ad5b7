using System.Numerics;

namespace Tensorial.Equations;

/// <summary>
/// The cheapest order of all, by dynamic programming over subsets: what a subset of operands yields does not depend on the order in which
/// they came. Under a memory limit each subset keeps every tree that no other beats in both cost and peak.
/// </summary>
internal static class ExactSearch
{
    /// <summary>The tree over the leaves of the least cost, or whatever else is to be least; null where none keeps the limit.</summary>
    public static Tree? Search(Algebra algebra, ReadOnlySpan<Tree> leaves, PlanOptions options, Func<Tree, double>? least = null)
    {
        double limit = options.MemoryLimit ?? double.PositiveInfinity;
        int all = (1 << leaves.Length) - 1;
        List<Tree>[] best = new List<Tree>[all + 1];
        IndexList[] terms = new IndexList[all + 1];
        for (int subset = 1; subset <= all; subset++)
        {
            int lowest = subset & -subset;
            if (subset == lowest)
            {
                Tree leaf = leaves[BitOperations.Log2((uint)subset)];
                (best[subset], terms[subset]) = ([leaf], leaf.Term);
                continue;
            }
            terms[subset] = algebra.Product(terms[lowest], terms[subset ^ lowest]);
            best[subset] = [];
            // Halves that hold the lowest leaf, so that each pair comes once.
            for (int rest = subset ^ lowest, half = (rest - 1) & rest; ; half = (half - 1) & rest)
            {
                int one = half | lowest,
                    other = subset ^ one;
                Consider(algebra, best[one], best[other], terms[one], terms[other], terms[subset], best[subset], limit, options);
                if (half == 0)
                    break;
            }
        }
        return best[all].MinBy(least ?? (static tree => tree.Cost));
    }

    private static void Consider(
        Algebra algebra,
        List<Tree> ones,
        List<Tree> others,
        IndexList one,
        IndexList other,
        IndexList product,
        List<Tree> kept,
        double limit,
        PlanOptions options
    )
    {
        if (ones.Count == 0 || others.Count == 0)
            return;
        double floor = ones[0].Cost + others[0].Cost;
        if (double.IsPositiveInfinity(limit) && kept.Count > 0 && floor >= kept[0].Cost)
            return;
        (bool isOne, bool isOther) = (ones[0].IsParameter, others[0].IsParameter);
        double cost;
        Pair pair;
        if (other.Size > one.Size)
            cost = options.Seconds(pair = new(algebra, other, one, product), isOther, isOne);
        else
            cost = options.Seconds(pair = new(algebra, one, other, product), isOne, isOther);
        foreach (Tree a in ones)
        foreach (Tree b in others)
            Keep(Tree.From(pair, a, b, cost), kept, limit);
    }

    private static void Keep(Tree tree, List<Tree> kept, double limit)
    {
        bool limited = !double.IsPositiveInfinity(limit);
        if (tree.Peak > limit || kept.Exists(own => own.Cost <= tree.Cost && (!limited || own.Peak <= tree.Peak)))
            return;
        kept.RemoveAll(own => own.Cost >= tree.Cost && (!limited || own.Peak >= tree.Peak));
        int place = kept.FindIndex(own => own.Cost > tree.Cost);
        kept.Insert(place < 0 ? kept.Count : place, tree);
    }
}
