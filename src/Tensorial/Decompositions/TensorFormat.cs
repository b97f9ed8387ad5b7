using System.Collections.Immutable;
using Tensorial.Equations;

namespace Tensorial.Decompositions;

/// <summary>
/// A way to write a tensor of any order as factors: an equation. Axes of its output are the tensor's modes; axes that the output lacks are
/// bonds, and their extents the ranks. Parameters, largest ranks and reconstruction follow from the equation.
/// </summary>
/// <param name="Name">The name on the command line and in files.</param>
/// <param name="Equation">How the factors make the tensor, such as <c>ABc,aA,bB->abc</c>.</param>
public sealed record TensorFormat(string Name, Equation Equation)
{
    /// <summary>A bond that has the same extent at all ranks, such as the number of terms of a block-term decomposition.</summary>
    public FixedBond? Fixed { get; init; }

    /// <summary>
    /// A bond with a rank of its own at every place of a mode that its factors share, such as filters a channel. Ranks are then one for all
    /// places or one for each. Factors are stored as large as the largest, with zeros beyond the rank of a place, which count nowhere.
    /// </summary>
    public RaggedBond? Ragged { get; init; }

    /// <summary>
    /// Formats whose tensors add up to this one's, and how each splits the modes; empty for a single equation. Factors and ranks are those of
    /// the first, then those of the next; <see cref="Equation"/> is that of the first.
    /// </summary>
    internal ImmutableArray<Summand> Summands { get; init; } = [];

    /// <summary>The equation, or those of all summands joined by a plus.</summary>
    internal string Text => Summands.IsEmpty ? Equation.ToString() : string.Join(" + ", Summands.Select(static s => s.Format.Text));

    /// <summary>The bonds that have ranks, in alphabetical order; ranks are given in this order.</summary>
    public string Bonds =>
        new([.. string.Concat(Equation.Inputs).Distinct().Where(axis => !Equation.Output.Contains(axis) && axis != Fixed?.Axis).Order()]);

    /// <summary>
    /// Whether the tensor is a sum over one bond that three factors or more share: terms that may grow and cancel each other, as those of two
    /// factors, a matrix, need not.
    /// </summary>
    internal bool IsSumOfTerms =>
        Summands.IsEmpty
        && Ragged is null
        && Fixed is null
        && Equation.Inputs.Length > 2
        && Bonds is [var bond]
        && Equation.Inputs.All(factor => factor.Contains(bond))
        && Equation.Output.All(mode => Equation.Inputs.Count(factor => factor.Contains(mode)) == 1);

    /// <summary>A sum of rank-one terms: <c>aR,bR,cR->abc</c> (canonical polyadic).</summary>
    public static TensorFormat Cp(int order) =>
        new("cp", new([.. Enumerable.Range(0, order).Select(static mode => $"{Mode(mode)}{Bond(0)}")], Modes(order)));

    /// <summary>
    /// A matrix for each of some modes and a core: <c>ABc,aA,bB->abc</c>. The core comes first and keeps the other modes whole.
    /// </summary>
    /// <param name="order">Modes of the tensor.</param>
    /// <param name="modes">Those that get a matrix; all of them where none are given.</param>
    /// <exception cref="BadInputException">A mode is named twice or is not there.</exception>
    public static TensorFormat Tucker(int order, params ReadOnlySpan<int> modes)
    {
        int[] factored = modes.IsEmpty ? [.. Enumerable.Range(0, order)] : modes.ToArray();
        if (factored.Distinct().Count() != factored.Length || factored.Any(mode => mode < 0 || mode >= order))
            throw new BadInputException(
                $"A tensor of order {order} has no modes {string.Join(", ", factored)}; each of 0 to {order - 1} can be named once."
            );
        string core = string.Concat(
            Enumerable.Range(0, order).Select(mode => Array.IndexOf(factored, mode) is >= 0 and int bond ? Bond(bond) : Mode(mode))
        );
        return new("tucker", new([core, .. factored.Select(static (mode, bond) => $"{Mode(mode)}{Bond(bond)}")], Modes(order)));
    }

    /// <summary>A chain of cores: <c>aA,AbB,Bc->abc</c>.</summary>
    /// <param name="order">Modes of the tensor.</param>
    /// <param name="chain">Its modes in the order of the chain; their own order where none is given.</param>
    /// <exception cref="BadInputException">The chain does not name every mode once.</exception>
    public static TensorFormat TensorTrain(int order, params ReadOnlySpan<int> chain)
    {
        int[] modes = Chain(order, chain);
        return new(
            "tt",
            new(
                [.. modes.Select((mode, k) => (k > 0 ? $"{Bond(k - 1)}" : "") + Mode(mode) + (k < order - 1 ? $"{Bond(k)}" : ""))],
                Modes(order)
            )
        );
    }

    /// <summary>A chain of cores whose ends are joined: <c>AaB,BbC,CcA->abc</c>.</summary>
    /// <inheritdoc cref="TensorTrain" path="/param"/>
    /// <inheritdoc cref="TensorTrain" path="/exception"/>
    public static TensorFormat TensorRing(int order, params ReadOnlySpan<int> chain)
    {
        int[] modes = Chain(order, chain);
        return new("tr", new([.. modes.Select((mode, k) => $"{Bond(k)}{Mode(mode)}{Bond((k + 1) % order)}")], Modes(order)));
    }

    /// <summary>Extents of the factors of a tensor at some ranks.</summary>
    /// <exception cref="BadInputException">The number of modes or ranks does not fit the format.</exception>
    public ImmutableArray<Shape> FactorShapes(Shape tensor, params ReadOnlySpan<int> ranks)
    {
        if (!Summands.IsEmpty)
            return [.. Parted(ranks).SelectMany(static part => part.Format.FactorShapes(part.Folding.Folded, part.Ranks.AsSpan()))];
        string bonds = Bonds;
        if (tensor.Rank != Equation.Output.Length)
            throw new ShapeException($"{this} is for tensors of order {Equation.Output.Length}, not {tensor.Rank} as {tensor}.");
        if (Ragged is { } ragged)
        {
            int places = tensor[Equation.Output.IndexOf(ragged.Along)];
            if (ranks.Length != 1 && ranks.Length != places)
                throw new BadInputException($"{this} takes 1 rank for all or {places}, one for each place; not {ranks.Length}.");
        }
        else if (ranks.Length != bonds.Length)
            throw new BadInputException($"{this} takes {bonds.Length} ranks, not {ranks.Length} ({string.Join('×', ranks.ToArray())}).");
        int[] extents = Ragged is null ? ranks.ToArray() : [Largest(ranks)];
        return [.. Equation.Inputs.Select(axes => Shape.From([.. axes.Select(Extent)]))];

        int Extent(char axis) =>
            axis == Fixed?.Axis ? Fixed.Value.Extent
            : bonds.IndexOf(axis) is >= 0 and int bond ? extents[bond]
            : tensor[Equation.Output.IndexOf(axis)];
    }

    /// <summary>Products of one number of each factor that an entry of the tensor is the sum of, on average.</summary>
    public double Terms(ImmutableArray<int> ranks) =>
        Ragged is null ? ranks.Aggregate((double)(Fixed?.Extent ?? 1), static (terms, rank) => terms * rank) : ranks.Average();

    /// <summary>Numbers that the factors of a tensor hold at some ranks.</summary>
    /// <inheritdoc cref="FactorShapes" path="/exception"/>
    public long Parameters(Shape tensor, params ReadOnlySpan<int> ranks)
    {
        if (!Summands.IsEmpty)
            return Parted(ranks).Sum(static part => part.Format.Parameters(part.Folding.Folded, part.Ranks.AsSpan()));
        long padded = FactorShapes(tensor, ranks).Sum(static factor => factor.Aggregate(1L, static (count, extent) => count * extent));
        if (Ragged is null)
            return padded;
        // Every factor holds the bond and the mode that it differs along.
        long held = 0;
        foreach (int rank in ranks)
            held += rank;
        return padded / Largest(ranks) * held / ranks.Length;
    }

    /// <summary>
    /// The summands with the ranks of each. Ranks that may differ by channel are one number in every summand, or a list in every summand.
    /// </summary>
    /// <exception cref="BadInputException">There are too many or too few.</exception>
    internal ImmutableArray<(TensorFormat Format, Folding Folding, ImmutableArray<int> Ranks)> Parted(ReadOnlySpan<int> ranks)
    {
        int[] least = [.. Summands.Select(static s => s.Format.Bonds.Length)],
            lists =

            [
                .. Summands.Select(static s =>
                    s.Format.Ragged is { } r ? s.Folding.Folded[s.Format.Equation.Output.IndexOf(r.Along)] : s.Format.Bonds.Length
                ),
            ];
        int[] counts =
            ranks.Length == least.Sum() ? least
            : ranks.Length == lists.Sum() ? lists
            : throw new BadInputException(
                least.Sum() == lists.Sum()
                    ? $"{this} takes {least.Sum()} ranks, not {ranks.Length} ({string.Join('×', ranks.ToArray())})."
                    : $"{this} takes {least.Sum()} ranks, or {lists.Sum()} where those of channels differ; not {ranks.Length}."
            );
        var parts = ImmutableArray.CreateBuilder<(TensorFormat, Folding, ImmutableArray<int>)>();
        for (int k = 0, at = 0; k < counts.Length; at += counts[k], k++)
            parts.Add((Summands[k].Format, Summands[k].Folding, [.. ranks.Slice(at, counts[k])]));
        return parts.ToImmutable();
    }

    /// <summary>Factors with zeros beyond the rank of each place, where ranks differ.</summary>
    internal ImmutableArray<Tensor<double>> Cut(ImmutableArray<Tensor<double>> factors, ImmutableArray<int> ranks)
    {
        if (Ragged is not { } ragged || ranks.Distinct().Count() == 1)
            return factors;
        return [.. factors.Select((factor, k) => CutFactor(factor, Equation.Inputs[k], ragged, ranks))];
    }

    private static Tensor<double> CutFactor(Tensor<double> factor, string axes, RaggedBond ragged, ImmutableArray<int> ranks)
    {
        Tensor<double> cut = factor.Clone();
        (int bond, int along) = (axes.IndexOf(ragged.Axis), axes.IndexOf(ragged.Along));
        (int inBond, int inAlong) = (cut.Shape.ElementCountOf(bond + 1, axes.Length), cut.Shape.ElementCountOf(along + 1, axes.Length));
        for (int at = 0; at < cut.Shape.ElementCount; at++)
            if (at / inBond % cut.Shape[bond] >= ranks[at / inAlong % cut.Shape[along]])
                cut.Values[at] = 0;
        return cut;
    }

    private static int Largest(ReadOnlySpan<int> ranks)
    {
        int largest = 1;
        foreach (int rank in ranks)
            largest = Math.Max(largest, rank);
        return largest;
    }

    /// <summary>
    /// Ranks beyond which nothing is gained. A bond whose removal leaves the factors in two parts is a cut: its rank is at most the lesser
    /// of what both sides span. A bond of many factors (CP) needs at most what all factors but the largest span; one within a loop (a ring)
    /// at most what it would if the loop were open at the worst place.
    /// </summary>
    public ImmutableArray<int> MaxRanks(Shape tensor) =>
        Summands.IsEmpty
            ? [.. Bonds.Select(bond => MaxRank(tensor, bond))]
            : [.. Summands.SelectMany(static summand => summand.Format.MaxRanks(summand.Folding.Folded))];

    /// <summary>
    /// The largest ranks whose factors hold at most so many numbers: all ranks rise together, then single ones while the budget lasts. At
    /// least 1 each, even where that is more.
    /// </summary>
    /// <param name="tensor">Extents of the tensor.</param>
    /// <param name="parameters">Numbers that the factors may hold.</param>
    /// <param name="power">
    /// Ranks rise in proportion to this power of the largest possible ones: 0 makes them equal, 1 proportional. On kernels of trained
    /// networks trains and rings have the least error near 1/4; in proportion, bonds in the middle take most of the budget and give little.
    /// </param>
    /// <param name="multiple">Ranks are multiples of this where they are larger.</param>
    public ImmutableArray<int> RanksWithin(Shape tensor, long parameters, double power = 0.25, int multiple = 1)
    {
        ImmutableArray<int> most = [.. MaxRanks(tensor).Select(rank => Rounded(rank, multiple))];
        if (Parameters(tensor, most.AsSpan()) <= parameters)
            return most;
        double low = 0,
            high = most.Max();
        // Parameters rise with every rank: halving finds the scale to far below one rank.
        for (int step = 0; step < 60; step++)
        {
            double middle = (low + high) / 2;
            if (Parameters(tensor, Scaled(most, middle, power)) <= parameters)
                low = middle;
            else
                high = middle;
        }
        int[] ranks = [.. Scaled(most, low, power).Select(rank => Rounded(rank, multiple))];
        for (bool raised = true; raised; )
        {
            raised = false;
            // The bond furthest below its limit first.
            foreach (int bond in Enumerable.Range(0, ranks.Length).OrderBy(bond => (double)ranks[bond] / most[bond]))
            {
                int step = ranks[bond] < multiple ? 1 : multiple;
                if (ranks[bond] + step > most[bond])
                    continue;
                ranks[bond] += step;
                raised = Parameters(tensor, ranks) <= parameters;
                if (raised)
                    break;
                ranks[bond] -= step;
            }
        }
        return [.. Attainable(tensor, ranks).Select(rank => Rounded(rank, multiple))];
    }

    /// <summary>
    /// Ranks without what cannot be used beside the others: a bond between two factors has at most as many values as the other axes of
    /// either have together. (A bond of a train is so bounded by the one before it.)
    /// </summary>
    private int[] Attainable(Shape tensor, int[] ranks)
    {
        string bonds = Bonds;
        int[] least = [.. ranks];
        for (bool lowered = true; lowered; )
        {
            lowered = false;
            ImmutableArray<Shape> shapes = FactorShapes(tensor, least);
            for (int bond = 0; bond < bonds.Length && bond < least.Length; bond++)
            {
                int[] holders = [.. Enumerable.Range(0, shapes.Length).Where(k => Equation.Inputs[k].Contains(bonds[bond]))];
                if (holders.Length != 2)
                    continue;
                long most = holders.Min(k => shapes[k].Aggregate(1L, static (count, extent) => count * extent) / least[bond]);
                lowered |= most < least[bond];
                if (most < least[bond])
                    shapes = FactorShapes(tensor, [.. least.Select((rank, other) => other == bond ? (least[bond] = (int)most) : rank)]);
            }
        }
        return least;
    }

    /// <summary>The same format for a tensor whose modes are split into several: each mode's axis becomes the axes of its parts.</summary>
    internal TensorFormat Split(string name, IReadOnlyDictionary<char, string> parts, string output) =>
        new(
            name,
            new(
                [.. Equation.Inputs.Select(axes => string.Concat(axes.Select(axis => parts.GetValueOrDefault(axis) ?? axis.ToString())))],
                output
            )
        );

    /// <inheritdoc/>
    public override string ToString() => Name;

    internal static char Mode(int mode) => (char)('a' + mode);

    internal static char Bond(int bond) => (char)('A' + bond);

    private static string Modes(int order) =>
        order is >= 1 and <= 26
            ? string.Concat(Enumerable.Range(0, order).Select(Mode))
            : throw new BadInputException($"A tensor of order {order} has no format; orders of 1 to 26 do.");

    private static int[] Chain(int order, ReadOnlySpan<int> chain)
    {
        int[] modes = chain.IsEmpty ? [.. Enumerable.Range(0, order)] : chain.ToArray();
        return modes.Order().SequenceEqual(Enumerable.Range(0, order))
            ? modes
            : throw new BadInputException(
                $"A chain names every mode of a tensor of order {order} once; {string.Join(", ", modes)} does not."
            );
    }

    private int MaxRank(Shape tensor, char bond)
    {
        // Along a bond of fixed extent, or a mode that ranks differ along, the factors are stacks of smaller ones with ranks of their own.
        string stack = $"{Fixed?.Axis}{Ragged?.Along}",
            modes = string.Concat(Equation.Output.Where(axis => !stack.Contains(axis)));
        ImmutableArray<string> factors = [.. Equation.Inputs.Select(axes => string.Concat(axes.Where(axis => !stack.Contains(axis))))];
        int[] holders = [.. Enumerable.Range(0, factors.Length).Where(k => factors[k].Contains(bond))];
        if (holders.Length > 2)
            return Bounded(factors.Min(factor => Count(modes.Except(factor))));

        // From one end of the bond to all factors that are reached without it.
        HashSet<int> side = [holders[0]];
        List<string> reached = [Others(holders[0])];
        for (
            int next;
            (
                next = Enumerable
                    .Range(0, factors.Length)
                    .FirstOrDefault(k => !side.Contains(k) && Others(k).Any(string.Concat(reached).Contains), -1)
            ) >= 0;

        )
        {
            side.Add(next);
            reached.Add(Others(next));
        }
        bool loop = holders.Length == 2 && side.Contains(holders[1]);
        int shortest = loop ? 1 : reached.Count;
        return Bounded(
            Enumerable
                .Range(shortest, reached.Count - shortest + 1)
                .Max(length =>
                {
                    IEnumerable<char> inside = string.Concat(reached.Take(length)).Where(modes.Contains);
                    return Math.Min(Count(inside), Count(modes.Except(inside)));
                })
        );

        string Others(int factor) => factors[factor].Replace(bond.ToString(), "", StringComparison.Ordinal);

        long Count(IEnumerable<char> own) => own.Aggregate(1L, (count, axis) => count * tensor[Equation.Output.IndexOf(axis)]);
    }

    private static int Rounded(int rank, int multiple) => rank > multiple ? rank / multiple * multiple : rank;

    private static int Bounded(long rank) => (int)Math.Clamp(rank, 1, int.MaxValue);

    private static int[] Scaled(ImmutableArray<int> most, double scale, double power) =>
        [.. most.Select(rank => (int)Math.Clamp(scale * Math.Pow(rank, power), 1, rank))];
}

/// <summary>A bond whose extent no rank decides.</summary>
/// <param name="Axis">Its axis.</param>
/// <param name="Extent">Its extent.</param>
public readonly record struct FixedBond(char Axis, int Extent);

/// <summary>One of the formats whose tensors add up.</summary>
/// <param name="Format">The format.</param>
/// <param name="Folding">How it splits the modes of the tensor.</param>
internal readonly record struct Summand(TensorFormat Format, Folding Folding);

/// <summary>A bond whose extent differs from place to place along a mode.</summary>
/// <param name="Axis">Its axis.</param>
/// <param name="Along">The mode, which all factors of the bond have.</param>
public readonly record struct RaggedBond(char Axis, char Along);
