using System.Collections.Immutable;

namespace Tensorial.Decompositions.Trees;

/// <summary>What a tree costs, and the best one at a price.</summary>
internal interface ITreePrices
{
    /// <summary>What a tree costs.</summary>
    double CostOf(TreeNetwork tree);

    /// <summary>
    /// The tree and the ranks with the least sum of its cuts' squared errors and price times cost, among all trees and ranks; exact.
    /// </summary>
    TreeNetwork Best(double price);
}

/// <summary>
/// Prices in numbers stored. Dynamic programming over the subsets of axes: below the bond of a subset the best factors depend on its rank and
/// on nothing else.
/// </summary>
internal sealed class TreeParameters(CutSpectra spectra) : ITreePrices
{
    /// <inheritdoc/>
    public double CostOf(TreeNetwork tree) => tree.Parameters;

    /// <inheritdoc/>
    public TreeNetwork Best(double price)
    {
        int count = spectra.Tails.Length;
        var parts = new ImmutableArray<TreePiece>[count];
        var joined = new ImmutableArray<TreePiece>[count];
        for (int cut = 1; cut < count; cut++)
        {
            TreePiece[] held = IsAxis(cut) ? [new(spectra.Count(cut), 0)] : [];
            joined[cut] = TreeHull.Of(Partitions(cut).SelectMany(static ways => ways));
            ImmutableArray<TreePiece> factors = IsAxis(cut) ? [.. held] : joined[cut];
            parts[cut] = TreeHull.Of([.. held, .. Bonded(cut, factors)]);
        }
        ImmutableArray<TreePiece> root = TreeHull.Of([.. parts[spectra.All], .. joined[spectra.All]]);
        return new(spectra.Extents, TreeHull.Best(root, price * spectra.Extents[0]).Bonds);

        // The subset that holds the lowest axis, and the rest in one or more parts.
        IEnumerable<IEnumerable<TreePiece>> Partitions(int cut)
        {
            int lowest = cut & -cut;
            for (int first = cut; first > 0; first = (first - 1) & cut)
                if (first != cut && (first & lowest) != 0)
                    yield return from one in parts[first]
                    from other in TreeHull.Of([.. parts[cut & ~first], .. joined[cut & ~first]])
                    select TreePiece.Join(one, other);
        }

        // A factor with a bond above it, at every rank.
        IEnumerable<TreePiece> Bonded(int cut, ImmutableArray<TreePiece> factors)
        {
            for (int rank = 1; rank <= spectra.MaxRank(cut); rank++)
            {
                TreePiece factor = TreeHull.Best(factors, price * rank);
                yield return new(
                    rank,
                    spectra.Tails[cut][rank] + price * rank * factor.Size + factor.Loss,
                    new TreeBond(cut, rank),
                    factor
                );
            }
        }
    }

    private static bool IsAxis(int cut) => (cut & (cut - 1)) == 0;
}
