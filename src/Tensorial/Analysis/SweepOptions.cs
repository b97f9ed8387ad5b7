namespace Tensorial.Analysis;

/// <summary>What a sweep measures.</summary>
public sealed record SweepOptions
{
    /// <summary>
    /// The parts of the maximal rank a sweep visits unless told otherwise, and rank 1: dense where accuracy usually turns.
    /// </summary>
    public static ValueList<RankRule> DefaultRanks { get; } =
    [
        new RankRule.Rank(1),
        .. ((double[])[0.0625, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1]).Select(static part => new RankRule.Fraction(part)),
    ];

    /// <summary>
    /// Cuts to measure; null for all bipartitions of every kernel. Kernels with fewer axes are cut as if the others had extent 1.
    /// </summary>
    public ValueList<Cut>? Cuts { get; init; }

    /// <summary>The ladder of ranks at every cut.</summary>
    public ValueList<RankRule> Ranks { get; init; } = DefaultRanks;

    /// <summary>Cuts made one after another, each sequence one measurement.</summary>
    public ValueList<ValueList<CutStep>> Sequences { get; init; } = [];

    /// <summary>Which kernels are truncated at once.</summary>
    public SweepScope Scope { get; init; } = SweepScope.Both;

    /// <summary>Images per call of the network.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>
    /// Bytes of activations to hold from one measurement to the next; beyond it they are computed again for every few measurements.
    /// </summary>
    public long ActivationBudget { get; init; } = 1L << 30;

    /// <summary>Which part of the sweep to measure.</summary>
    public Shard Shard { get; init; } = Shard.Whole;
}

/// <summary>Kernels one by one, all convolution kernels together, or first the one and then the other.</summary>
public enum SweepScope
{
    /// <summary>Each layer by itself, and all layers together.</summary>
    Both,

    /// <summary>One layer at a time.</summary>
    EachLayer,

    /// <summary>All layers together.</summary>
    AllLayers,
}

/// <summary>One of several equal parts of a sweep: which one, from 1, and of how many.</summary>
public readonly record struct Shard(int Index, int Count)
{
    /// <summary>The whole sweep as one shard.</summary>
    public static Shard Whole { get; } = new(1, 1);

    /// <summary>Reads <c>2/4</c>.</summary>
    /// <exception cref="BadInputException">Not two numbers, the first from 1 to the second.</exception>
    public static Shard Parse(string text) =>
        text.Split('/') is [string index, string count]
        && int.TryParse(index, out int i)
        && int.TryParse(count, out int n)
        && i >= 1
        && i <= n
            ? new(i, n)
            : throw new BadInputException($"\"{text}\" is no shard: write I/N with I from 1 to N, such as 2/4.");

    /// <summary>Whether this part has the unit of work with this number.</summary>
    public bool Takes(int unit) => unit % Count == Index - 1;

    /// <inheritdoc/>
    public override string ToString() => $"{Index}/{Count}";
}
