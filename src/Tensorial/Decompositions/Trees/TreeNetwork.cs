using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Equations;

namespace Tensorial.Decompositions.Trees;

/// <summary>A bond of a tree: the cut that it makes, and its rank.</summary>
/// <param name="Cut">The side without the tensor's first axis, as bits (<see cref="CutSpectra"/>).</param>
/// <param name="Rank">Its rank.</param>
internal readonly record struct TreeBond(int Cut, int Rank);

/// <summary>A node of a tree.</summary>
/// <param name="Cut">The axes that the node and those below it hold; of the root all but the first.</param>
/// <param name="Rank">The rank of the bond above it; 0 of the root.</param>
/// <param name="Axes">Axes that it holds itself.</param>
/// <param name="Children">Nodes below it.</param>
internal sealed record TreeNode(int Cut, int Rank, ImmutableArray<int> Axes, ImmutableArray<TreeNode> Children);

/// <summary>
/// A tensor written as a tree of factors. Cutting a bond parts the axes in two, and the sides of all bonds say which tree it is: those
/// without the first axis lie within each other or apart. The factor that holds the first axis is the root.
/// </summary>
internal sealed class TreeNetwork : IEquatable<TreeNetwork>
{
    private const string Letters = "rstuvxyzjklmnpq";

    /// <param name="extents">Extents of the tensor's axes.</param>
    /// <param name="bonds">The bonds, in any order.</param>
    /// <exception cref="BadInputException">Two bonds cut across each other, or are the same.</exception>
    public TreeNetwork(Shape extents, IEnumerable<TreeBond> bonds)
    {
        Extents = extents;
        // Smaller sides first, so that a node comes before the one that holds it.
        Bonds = [.. bonds.OrderBy(static bond => BitOperations.PopCount((uint)bond.Cut)).ThenBy(static bond => bond.Cut)];
        foreach ((TreeBond bond, int place) in Bonds.Select(static (bond, place) => (bond, place)))
        foreach (TreeBond other in Bonds.Skip(place + 1))
            if (bond.Cut == other.Cut || ((bond.Cut & other.Cut) != 0 && (bond.Cut & other.Cut) != bond.Cut))
                throw new BadInputException("The bonds of a tree cut its axes into sides that lie within each other or apart.");
        Root = Node((1 << (extents.Rank - 1)) - 1, 0, [.. Bonds]);
    }

    /// <summary>Extents of the tensor's axes.</summary>
    public Shape Extents { get; }

    /// <summary>The bonds, smaller sides first.</summary>
    public ImmutableArray<TreeBond> Bonds { get; }

    /// <summary>The node that holds the first axis.</summary>
    public TreeNode Root { get; }

    /// <summary>Numbers that all factors hold.</summary>
    public long Parameters => Nodes(Root).Sum(SizeOf);

    /// <summary>All nodes, each behind those below it.</summary>
    public IEnumerable<TreeNode> All => Nodes(Root);

    /// <summary>
    /// No best approximation of this form has a larger relative error: squared errors of the cuts add up (L. Grasedyck, SIAM J. Matrix Anal.
    /// Appl. 31, 2010).
    /// </summary>
    public double BoundFrom(CutSpectra spectra) => Math.Sqrt(Math.Min(1, Bonds.Sum(bond => spectra.Tails[bond.Cut][bond.Rank])));

    /// <summary>The equation by which the factors make the tensor, and the ranks in the order of its bonds' letters.</summary>
    /// <param name="axes">Letters of the tensor's axes.</param>
    public (Equation Equation, ImmutableArray<int> Ranks) Written(string axes)
    {
        List<string> factors = [];
        List<(char Letter, int Rank)> ranks = [];
        Write(Root);
        return (new([.. factors], axes), [.. ranks.OrderBy(static rank => rank.Letter).Select(static rank => rank.Rank)]);

        char Write(TreeNode node)
        {
            string below = string.Concat(node.Children.Select(Write)),
                own = string.Concat(node.Axes.Select(axis => axes[axis]));
            if (node.Rank == 0)
            {
                // The first axis first, then what comes from below.
                factors.Add(own[..1] + below + own[1..]);
                return ' ';
            }
            char letter = Letters[ranks.Count];
            ranks.Add((letter, node.Rank));
            factors.Add(letter + below + own);
            return letter;
        }
    }

    /// <summary>The tree as text: a factor's axes, then in brackets rank and factor of each bond below it, as in <c>o[18: i[2: hw]]</c>.</summary>
    /// <param name="axes">Letters of the tensor's axes.</param>
    public string Drawn(string axes)
    {
        return Draw(Root);

        string Draw(TreeNode node)
        {
            string below = string.Join(", ", node.Children.Select(child => $"{child.Rank}: {Draw(child)}"));
            return string.Concat(node.Axes.Select(axis => axes[axis])) + (below.Length > 0 ? $"[{below}]" : "");
        }
    }

    /// <summary>The same tree with another rank at one bond.</summary>
    public TreeNetwork With(int bond, int rank) => new(Extents, Bonds.SetItem(bond, Bonds[bond] with { Rank = rank }));

    /// <inheritdoc/>
    public bool Equals(TreeNetwork? other) => other is not null && Extents == other.Extents && Bonds.SequenceEqual(other.Bonds);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TreeNetwork);

    /// <inheritdoc/>
    public override int GetHashCode() => Bonds.Aggregate(Extents.GetHashCode(), HashCode.Combine);

    /// <inheritdoc/>
    public override string ToString() => Drawn("abcdefgh"[..Extents.Rank]);

    private long SizeOf(TreeNode node) =>
        node.Axes.Aggregate(1L, (size, axis) => size * Extents[axis])
        * node.Children.Aggregate(1L, static (size, child) => size * child.Rank)
        * Math.Max(1, node.Rank);

    private static IEnumerable<TreeNode> Nodes(TreeNode node) => [.. node.Children.SelectMany(Nodes), node];

    private static TreeNode Node(int cut, int rank, ImmutableArray<TreeBond> below)
    {
        // The largest sides within this one hold all others.
        TreeBond[] children =
        [
            .. below.Where(bond => !below.Any(other => other.Cut != bond.Cut && (other.Cut & bond.Cut) == bond.Cut)).OrderBy(FirstAxis),
        ];
        int held = children.Aggregate(cut, static (axes, child) => axes & ~child.Cut);
        return new(
            cut,
            rank,
            rank == 0 ? [0, .. CutSpectra.AxesOf(held)] : [.. CutSpectra.AxesOf(held)],
            [
                .. children.Select(child =>
                    Node(child.Cut, child.Rank, below.RemoveAll(bond => bond.Cut == child.Cut || (bond.Cut & child.Cut) == 0))
                ),
            ]
        );
    }

    private static int FirstAxis(TreeBond bond) => BitOperations.TrailingZeroCount(bond.Cut);
}
