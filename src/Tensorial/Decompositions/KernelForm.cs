using System.Collections.Immutable;
using Tensorial.Equations;

namespace Tensorial.Decompositions;

/// <summary>
/// A format on a weight of certain extents: the equation that its factors follow, over the modes as they are split for it.
/// <para>Reshaped formats (arXiv 1805.10352): O = O₁⋯Oₘ, I = I₁⋯Iₘ, the pairs (Oₗ, Iₗ) and space (h, w) being the modes of a CP, train or
/// ring; Tucker keeps all 2m channel modes apart and space whole. A row that repeats, or whose blocks are scaled copies, has rank one
/// then.</para>
/// <para>The groups of a grouped convolution are a mode g that all factors share: each group is factored by itself, at the same
/// ranks.</para>
/// </summary>
/// <param name="Format">The format.</param>
/// <param name="Tensor">The equation, with an axis for each part of each mode.</param>
/// <param name="Folding">How the modes are split; the output's channels of a grouped convolution into [group, channel].</param>
/// <param name="Groups">Groups of a convolution.</param>
public sealed record KernelForm(KernelFormat Format, TensorFormat Tensor, Folding Folding, int Groups = 1)
{
    /// <summary>The axis of groups.</summary>
    internal const char Group = 'g';

    /// <summary>The equation of one group's kernel.</summary>
    internal TensorFormat Single { get; private init; } = Tensor;

    /// <summary>Reshaped CP, train and ring: which parts make each of the modes that are fitted.</summary>
    internal ImmutableArray<ImmutableArray<int>> Pairs { get; private init; } = [];

    /// <summary>The forms that add up to this one; empty for a single equation.</summary>
    internal ImmutableArray<KernelForm> Terms { get; private init; } = [];

    /// <summary>Extents [o, i, h, w] of one group's kernel, split.</summary>
    internal Shape One => Groups == 1 ? Folding.Folded : [.. Folding.Folded.Skip(1)];

    /// <summary>Axes of the input's channels.</summary>
    public string InputAxes => (Groups > 1 ? $"{Group}" : "") + AxesOf(1);

    /// <summary>Axes of the output's channels, in the order of the weight.</summary>
    public string OutputAxes => AxesOf(0);

    /// <summary>The axis of height, and that of width.</summary>
    public (char Height, char Width) Space => (AxesOf(2)[0], AxesOf(3)[0]);

    /// <summary>The largest ranks that can still change the weight.</summary>
    public ImmutableArray<int> MaxRanks => Terms.IsEmpty ? Single.MaxRanks(One) : [.. Terms.SelectMany(static term => term.MaxRanks)];

    /// <summary>A format on a weight.</summary>
    /// <param name="format">The format.</param>
    /// <param name="weight">Extents [o, i, h, w]; i of one group.</param>
    /// <param name="groups">Groups of a convolution.</param>
    /// <param name="folding">How channels are split, where the usual way is not wanted.</param>
    /// <exception cref="BadInputException">The format has no form there: says why.</exception>
    public static KernelForm From(KernelFormat format, Shape weight, int groups = 1, Folding? folding = null)
    {
        if (weight.Rank != 4)
            throw new ShapeException($"A weight of four axes [o, i, h, w] was expected, not {weight}.");
        if (groups < 1 || weight[0] % groups != 0)
            throw new ShapeException($"{weight[0]} output channels do not split into {groups} groups.");
        if (format.Finds is not null)
            throw new BadInputException($"{format} finds formats for trained kernels, and is none itself: name what it found.");
        if (!format.Terms.IsEmpty)
            return Sum(format, [.. format.Terms.Select(term => From(term, weight, groups))], weight, groups);
        if (format.Reshaping is { } reshaping)
            return groups == 1
                ? Split(format, reshaping, folding ?? Folding.From(weight, format.Number))
                : throw new BadInputException($"{format} splits channels, which the {groups} groups of a weight {weight} do already.");
        TensorFormat single = new(format.Name, Equation.Parse(format.Equation!))
        {
            Ragged = format.Ragged,
            Fixed = format.NumberAxis is { } axis ? new(axis, format.Number) : null,
        };
        if (groups == 1)
            return new(format, single, Folding.None(weight));
        TensorFormat grouped = single with
        {
            Equation = new([.. single.Equation.Inputs.Select(static axes => $"{Group}{axes}")], $"{Group}{single.Equation.Output}"),
        };
        return new(
            format,
            grouped,
            new(
                weight,
                [
                    [groups, weight[0] / groups],
                    [weight[1]],
                    [weight[2]],
                    [weight[3]],
                ]
            ),
            groups
        )
        {
            Single = single,
        };
    }

    /// <summary>Numbers that the factors hold at some ranks.</summary>
    /// <exception cref="BadInputException">The number of ranks does not fit.</exception>
    public long Parameters(params ReadOnlySpan<int> ranks) => Tensor.Parameters(Folding.Folded, ranks);

    /// <summary>
    /// The largest ranks whose factors hold at most a part of the weight's own parameters, padding not counted; at least 1 each.
    /// </summary>
    /// <param name="rate">The part.</param>
    /// <param name="multiple">Ranks are multiples of this where they are larger.</param>
    public ImmutableArray<int> RanksAt(double rate, int multiple = 1) =>
        Terms.IsEmpty
            ? Single.RanksWithin(One, (long)(rate * Folding.Shape.ElementCount / Groups), multiple: multiple)
            : [.. Terms.SelectMany(term => term.RanksAt(rate / Terms.Length, multiple))];

    /// <summary>The forms that add up, with the ranks of each; this one where there is no sum.</summary>
    /// <exception cref="BadInputException">There are too many ranks, or too few.</exception>
    internal ImmutableArray<(KernelForm Form, ImmutableArray<int> Ranks)> Parted(ImmutableArray<int> ranks) =>
        Terms.IsEmpty ? [(this, ranks)] : [.. Terms.Zip(Tensor.Parted(ranks.AsSpan()), static (term, part) => (term, part.Ranks))];

    /// <summary>The same for a kernel: where ranks may differ by channel, as it has most use for them.</summary>
    /// <param name="starts">The kernel, and the measure.</param>
    /// <param name="rate">The part.</param>
    /// <param name="multiple">Ranks, or the numbers of channels of rank r or more, are multiples of this where they are larger.</param>
    internal ImmutableArray<int> RanksAt(KernelStarts starts, double rate, int multiple = 1)
    {
        if (!Terms.IsEmpty)
            return SumFit.RanksAt(starts, this, rate, multiple);
        if (Format.SpreadRanks is not { } spread)
            return RanksAt(rate, multiple);
        Shape kernel = Folding.Shape;
        int places = kernel["oi".IndexOf(Format.Ragged!.Value.Along, StringComparison.Ordinal)];
        return spread(starts, (int)(rate * kernel.ElementCount / (Parameters(1) / places)), multiple);
    }

    /// <summary>Refuses ranks that the form cannot have.</summary>
    /// <exception cref="BadInputException">Too many or few, below 1 or above what can be used.</exception>
    public void Check(ReadOnlySpan<int> ranks)
    {
        if (!Terms.IsEmpty)
        {
            foreach ((KernelForm term, ImmutableArray<int> own) in Parted([.. ranks]))
                term.Check(own.AsSpan());
            return;
        }
        if (Tensor.Ragged is { } ragged)
        {
            CheckRagged(ranks, Folding.Shape["oi".IndexOf(ragged.Along, StringComparison.Ordinal)]);
            return;
        }
        ImmutableArray<int> most = MaxRanks;
        bool fit = ranks.Length == most.Length;
        for (int bond = 0; fit && bond < most.Length; bond++)
            fit = ranks[bond] >= 1 && ranks[bond] <= most[bond];
        if (!fit)
            throw new BadInputException(
                $"{Format} of a weight {Folding.Shape} takes {most.Length} ranks of 1 to {string.Join('×', most)}, not {string.Join('×', ranks.ToArray())}."
            );
    }

    private void CheckRagged(ReadOnlySpan<int> ranks, int places)
    {
        int most = MaxRanks[0],
            largest = 0;
        bool fit = ranks.Length == 1 || ranks.Length == places;
        foreach (int rank in ranks)
        {
            fit &= rank >= 0 && rank <= most;
            largest = Math.Max(largest, rank);
        }
        if (!fit || largest == 0)
            throw new BadInputException(
                $"{Format} of a weight {Folding.Shape} takes one rank for all channels or {places}, one for each, of 0 to {most} and not all 0; not {string.Join(", ", ranks.ToArray())}."
            );
    }

    private static KernelForm Sum(KernelFormat format, ImmutableArray<KernelForm> terms, Shape weight, int groups) =>
        new(
            format,
            new(format.Name, terms[0].Tensor.Equation)
            {
                Summands = [.. terms.Select(static term => new Summand(term.Tensor, term.Folding))],
            },
            Folding.None(weight),
            groups
        )
        {
            Terms = terms,
        };

    private static KernelForm Split(KernelFormat format, ChannelReshaping reshaping, Folding folding)
    {
        Shape parts = folding.Folded;
        int outputs = folding.Parts[0].Rank,
            inputs = folding.Parts[1].Rank;
        if (!reshaping.InPairs)
            return new(format, reshaping.Tensor(parts.Rank, outputs + inputs) with { Name = format.Name }, folding);

        string output = string.Concat(Enumerable.Range(0, parts.Rank).Select(TensorFormat.Mode));
        if (outputs != inputs)
            throw new BadInputException($"{format} pairs the parts of output and input channels; {folding} has {outputs} and {inputs}.");
        int[] space = [2 * outputs, 2 * outputs + 1];
        ImmutableArray<int>[] pairs = [.. Enumerable.Range(0, outputs).Select(ImmutableArray<int> (l) => [l, outputs + l])];
        // Space of extent 1 would be a mode without anything to say.
        if (space.All(axis => parts[axis] == 1))
            pairs[^1] = [.. pairs[^1], .. space];
        else
            pairs = [.. pairs, [.. space]];
        Dictionary<char, string> letters = Enumerable
            .Range(0, pairs.Length)
            .ToDictionary(TensorFormat.Mode, k => string.Concat(pairs[k].Select(TensorFormat.Mode)));
        return new(format, reshaping.Tensor(pairs.Length, outputs).Split(format.Name, letters, output), folding) { Pairs = [.. pairs] };
    }

    private string AxesOf(int mode) =>
        Tensor.Equation.Output.Substring(Folding.Parts.Take(mode).Sum(static parts => parts.Rank), Folding.Parts[mode].Rank);
}
