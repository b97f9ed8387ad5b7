using System.Collections.Immutable;

namespace Tensorial.Decompositions.Trees;

/// <summary>
/// Prices in multiply-accumulates of a convolution with whole channels, axes o, i, h, w. What the layer reads meets the factors on the way from
/// i to o one after another. A branch that holds axes of space alone is applied channel by channel before its neighbour on that way, or after
/// it, or multiplied into it beforehand, whichever costs least.
/// </summary>
/// <param name="spectra">The kernel's.</param>
/// <param name="places">Places that a value has before axes of space are applied, and after: [none, height, width, both].</param>
/// <param name="spreads">Whether the layer is a transposed convolution, which multiplies for every place that it reads.</param>
internal sealed class TreeMacs(CutSpectra spectra, ImmutableArray<long> places, bool spreads = false) : ITreePrices
{
    private const int Inputs = 1,
        All = 7;

    /// <summary>Sides that hold axes of space alone.</summary>
    private static readonly int[] Sides = [2, 4, 6];

    /// <summary>A kernel at a layer that reads and writes so many rows and columns.</summary>
    public static TreeMacs From(CutSpectra spectra, (int Rows, int Columns) read, (int Rows, int Columns) written, bool spreads) =>
        new(
            spectra,
            [
                (long)read.Rows * read.Columns,
                (long)written.Rows * read.Columns,
                (long)read.Rows * written.Columns,
                (long)written.Rows * written.Columns,
            ],
            spreads
        );

    /// <inheritdoc/>
    public double CostOf(TreeNetwork tree)
    {
        double cost = 0,
            channels = spectra.Extents[1];
        int reached = Inputs;
        foreach (TreeNode node in tree.All.Where(static node => (node.Cut & Inputs) != 0 || node.Rank == 0))
        {
            (int Cut, double Rank)[] branches =
            [
                .. node.Children.Where(static c => (c.Cut & Inputs) == 0).Select(static c => (c.Cut, (double)c.Rank)),
            ];
            double outputs = node.Rank == 0 ? spectra.Extents[0] : node.Rank;
            cost += Ways(node.Cut & ~reached, branches).Min(way => way.Cost(this, channels, outputs, reached));
            (channels, reached) = (outputs, node.Cut);
        }
        return cost;
    }

    /// <inheritdoc/>
    public TreeNetwork Best(double price)
    {
        var parts = new Dictionary<int, ImmutableArray<TreePiece>>();
        TreePiece whole = new(spectra.Extents[1], 0);
        foreach (int cut in (int[])[1, 3, 5, 7])
        {
            ImmutableArray<TreePiece> factors = TreeHull.Of(Factors(cut));
            parts[cut] = TreeHull.Of(
                Enumerable
                    .Range(1, spectra.MaxRank(cut))
                    .Select(rank => (Rank: rank, Factor: TreeHull.Best(factors, rank)))
                    .Select(best => new TreePiece(
                        best.Rank,
                        spectra.Tails[cut][best.Rank] + best.Rank * best.Factor.Size + best.Factor.Loss,
                        new TreeBond(cut, best.Rank),
                        best.Factor
                    ))
            );
        }
        return new(spectra.Extents, TreeHull.Best(TreeHull.Of(Factors(All)), spectra.Extents[0]).Bonds);

        // Sizes are what each value of the bond above costs.
        IEnumerable<TreePiece> Factors(int cut) =>
            from reached in (int[])[1, 3, 5, 7]
            where (reached & ~cut) == 0
            from live in (TreePiece[])[.. reached == Inputs ? [whole] : (TreePiece[])[], .. Known(reached)]
            from branches in Branches(cut & ~reached)
            from way in Ways(cut & ~reached, branches)
            select new TreePiece(
                price * way.PerOutput(this, live.Size, reached),
                live.Loss
                    + price * way.Before(this, live.Size, reached)
                    + branches.Sum(branch => spectra.Tails[branch.Cut][(int)branch.Rank]),
                null,
                live,
                Bonds(branches)
            );

        ImmutableArray<TreePiece> Known(int cut) => parts.TryGetValue(cut, out ImmutableArray<TreePiece> known) ? known : [];
    }

    private static TreePiece? Bonds((int Cut, double Rank)[] branches) =>
        branches.Aggregate(
            (TreePiece?)null,
            static (rest, branch) => new TreePiece(1, 0, new TreeBond(branch.Cut, (int)branch.Rank), rest)
        );

    /// <summary>Branches that some axes of space can be parted into, at every rank; what they leave is held by the factor itself.</summary>
    private IEnumerable<(int Cut, double Rank)[]> Branches(int space)
    {
        yield return [];
        foreach (int side in Sides.Where(side => (side & ~space) == 0))
            for (int rank = 1; rank <= spectra.MaxRank(side); rank++)
            {
                yield return [(side, rank)];
                if (side == 2 && space == 6)
                    for (int other = 1; other <= spectra.MaxRank(4); other++)
                        yield return [(2, rank), (4, other)];
            }
    }

    /// <summary>Every order in which a factor and its branches can meet what comes.</summary>
    /// <param name="space">Axes of space that the factor and its branches hold.</param>
    /// <param name="branches">The branches.</param>
    private static IEnumerable<Way> Ways(int space, (int Cut, double Rank)[] branches)
    {
        foreach (
            (int Cut, double Rank)[] order in branches.Length == 2 ? [branches, [branches[1], branches[0]]] : ((int, double)[][])[branches]
        )
            for (int before = 0; before <= order.Length; before++)
            for (int after = 0; after + before <= order.Length; after++)
                yield return new(space, order[..before], order[^after..]);
    }

    /// <summary>Branches applied before a factor, and after it; all other axes of space are the factor's own when it is applied.</summary>
    private sealed record Way(int Space, (int Cut, double Rank)[] First, (int Cut, double Rank)[] Last)
    {
        public double Cost(TreeMacs prices, double channels, double outputs, int reached) =>
            Before(prices, channels, reached) + outputs * PerOutput(prices, channels, reached);

        /// <summary>What the branches before it cost.</summary>
        public double Before(TreeMacs prices, double channels, int reached)
        {
            double cost = 0;
            foreach ((int cut, double rank) in First)
            {
                channels *= rank;
                reached |= cut;
                cost += channels * prices.Products(cut, reached);
            }
            return cost;
        }

        /// <summary>What the factor and the branches behind it cost for each of its outputs.</summary>
        public double PerOutput(TreeMacs prices, double channels, int reached)
        {
            double summed = channels * First.Aggregate(1.0, static (product, branch) => product * branch.Rank),
                outputs = Last.Aggregate(1.0, static (product, branch) => product * branch.Rank);
            int own = Space;
            foreach ((int cut, _) in First)
                (own, reached) = (own & ~cut, reached | cut);
            foreach ((int cut, _) in Last)
                own &= ~cut;
            reached |= own;
            double cost = outputs * summed * prices.Products(own, reached);
            foreach ((int cut, double rank) in Last)
            {
                reached |= cut;
                cost += outputs * prices.Products(cut, reached);
                outputs /= rank;
            }
            return cost;
        }
    }

    /// <summary>Taps of some axes of space, times the places that are computed when they have been applied, and those reached before.</summary>
    private double Products(int own, int reached) => spectra.Count(own) * places[((spreads ? reached & ~own : reached) >> 1) & 3];
}
