using System.Collections.Immutable;
using System.Globalization;

namespace Tensorial.Decompositions;

/// <summary>
/// A way to write the weights of a layer as factors, by the name it has on the command line and in files. Together with the extents of a
/// weight it becomes an equation (<see cref="KernelForm"/>). Whatever differs from format to format is a property here, set in its row
/// (KernelFormat.Rows.cs); nothing else asks for a format by name.
/// </summary>
/// <param name="Name">The name.</param>
public sealed partial record KernelFormat(string Name)
{
    /// <summary>
    /// The equation over a whole kernel: o, i, h, w are its modes, the other axes bonds; null for a reshaped format, whose equation depends
    /// on how channels are split.
    /// </summary>
    /// <remarks>
    /// Factors stand in the order in which a chain of convolutions applies them, output axes first; the last one holds o, first, so that
    /// K[o, ihw] = Σₓ A[o, x] B[x, ihw] with B made of the others.
    /// </remarks>
    internal string? Equation { get; init; }

    /// <summary>Formats whose kernels add up to this one's, as in <c>decoupled-in+spatial-svd</c>; empty for a single equation.</summary>
    internal ImmutableArray<KernelFormat> Terms { get; init; } = [];

    /// <summary>
    /// Forms that suit a kernel within a part of its parameters, for a name that stands for a search; null where the format is one.
    /// </summary>
    internal Func<KernelStarts, double, IEnumerable<(KernelFormat Format, ImmutableArray<int> Ranks)>>? Finds { get; init; }

    /// <summary>How split channels become the modes of a decomposition; null for a format of whole channels.</summary>
    internal ChannelReshaping? Reshaping { get; init; }

    /// <summary>What the number behind the name counts, as in <c>rcp:2</c>; null where the name takes none.</summary>
    internal FormatNumber? Numbered { get; init; }

    /// <summary>
    /// The number behind the name: parts of each channel mode of a reshaped format, terms of a block-term decomposition; 1 where the name
    /// takes none.
    /// </summary>
    public int Number
    {
        get => field > 0 ? field : Numbered?.Usual ?? 1;
        init;
    }

    /// <summary>An axis of the equation whose extent is the number behind the name.</summary>
    internal char? NumberAxis { get; init; }

    /// <summary>A bond of the equation that has a rank for each channel.</summary>
    internal RaggedBond? Ragged { get; init; }

    /// <summary>
    /// Ranks by channel that suit a kernel, of a given sum, the numbers of channels of rank r or more being multiples of the last argument;
    /// null where ranks do not differ by channel.
    /// </summary>
    internal Func<KernelStarts, int, int, ImmutableArray<int>>? SpreadRanks { get; init; }

    /// <summary>Fits the factors.</summary>
    internal Func<FitTask, TensorFactors<double>> Fit { get; init; } = KernelFactorization.ByProjection;

    /// <summary>Values of all factors but the last, where a descent begins.</summary>
    internal Func<FitTask, double[]> Start { get; init; } = FitStarts.ByCuts;

    /// <summary>Where the start is not the best there is already.</summary>
    internal Descent Descent { get; init; } = Descent.Always;

    /// <summary>Whether a fit goes downhill from its start in a measure; otherwise the start is the fit.</summary>
    internal bool DescendsIn(KernelMetric metric) =>
        Descent == Descent.Always || (Descent == Descent.WithCovariance && metric.Covariance is not null);

    /// <summary>
    /// Whether a fit can begin with one at smaller ranks (<see cref="CpGrowth"/>): on a ladder of ranks each step adds what is lacking.
    /// </summary>
    internal bool Grows { get; init; }

    /// <summary>Whether further starts differ from the first, so that several are worth a try.</summary>
    internal bool StartsVary { get; init; }

    /// <summary>Whether only an iteration fits the format: on large kernels it is weighed only where nothing else was asked for.</summary>
    internal bool IsIterative { get; init; }

    /// <summary>Modes on one side of the cut at each bond; empty where the bonds are no cuts of the kernel.</summary>
    internal ImmutableArray<string> Cuts { get; init; } = [];

    /// <summary>Whether the format says anything about a kernel that the cheaper ones do not.</summary>
    internal Func<KernelExtents, bool> Suits { get; init; } = static kernel => kernel.HasChannels && kernel.HasSpace;

    /// <summary>Whether it is weighed where no format is asked for.</summary>
    internal bool IsUsual { get; init; }

    /// <summary>Whether the last factor, which alone holds the output's channels, is solved for and the others go downhill.</summary>
    internal bool IsProjected => Fit == KernelFactorization.ByProjection;

    /// <summary>Ranks that the format takes; null where that depends on the kernel.</summary>
    internal int? BondCount =>
        Ragged is not null || Equation is not { } equation
            ? null
            : equation[..equation.IndexOf("->", StringComparison.Ordinal)]
                .Where(axis => axis != NumberAxis && char.IsLetter(axis) && !"oihw".Contains(axis))
                .Distinct()
                .Count();

    /// <summary>Whether channels may have ranks of their own.</summary>
    public bool HasRankByChannel => Ragged is not null || Terms.Any(static term => term.HasRankByChannel);

    /// <summary>Whether channels are split into several modes.</summary>
    public bool IsReshaped => Reshaping is not null;

    /// <summary>
    /// The format of a name; <c>rcp:2</c> is <c>rcp</c> with channels split in two, <c>cp+svd-out</c> a sum of both. An equation such as
    /// <c>rih,orw->oihw</c> is read by <see cref="FromEquation"/>.
    /// </summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static KernelFormat Parse(string text)
    {
        if (text.Contains('+'))
            return Sum(text.Split('+'));
        if (text.Contains("->", StringComparison.Ordinal))
            return FromEquation(text);
        if (text == Search.Name)
            return Search;
        string[] parts = text.Split(':');
        KernelFormat? format = All.FirstOrDefault(known => known.Name == parts[0]);
        if (format is null || parts.Length > 2)
            throw new BadInputException(
                $"'{text}' is no format; there are {string.Join(", ", All.Select(static known => known.Name))}, sums of two such as {DecoupledIn}+{SpatialSvd}, and equations such as rih,orw->oihw.{NearestWord.Hint(text, All.Select(static known => known.Name))}"
            );
        if (parts.Length == 1)
            return format;
        if (format.Numbered is not { } numbered)
            throw new BadInputException(
                $"'{text}': {format.Name} takes no number; {string.Join(", ", All.Where(static known => known.Numbered is not null).Select(static known => known.Name))} do."
            );
        return
            int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number >= numbered.Least
            && number <= numbered.Most
            ? format with
            {
                Number = number,
            }
            : throw new BadInputException(
                $"'{text}': the number is that of {numbered.Counts}, {numbered.Least} to {numbered.Most}, as in {format.Name}:{numbered.Usual}."
            );
    }

    /// <summary>The sum of two formats.</summary>
    /// <exception cref="BadInputException">A name is none, or there are not two.</exception>
    private static KernelFormat Sum(string[] names)
    {
        string text = string.Join('+', names);
        if (names.Length != 2 || names.Any(static name => name.Length == 0))
            throw new BadInputException($"'{text}': a sum is one of two formats, such as {DecoupledIn}+{SpatialSvd}.");
        if (names.Contains(Search.Name))
            throw new BadInputException($"'{text}': {Search} looks for sums itself.");
        return Sum(Parse(names[0]), Parse(names[1]));
    }

    /// <summary>The sum of two formats, each of which is none.</summary>
    internal static KernelFormat Sum(KernelFormat first, KernelFormat second) =>
        new($"{first}+{second}")
        {
            Terms = [first, second],
            Fit = SumFit.ByTurns,
            IsIterative = first.IsIterative || second.IsIterative,
            Suits = kernel => first.Suits(kernel) && second.Suits(kernel),
        };

    /// <inheritdoc/>
    public bool Equals(KernelFormat? other) => other is not null && Name == other.Name && Number == other.Number;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Number);

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() => Numbered is null ? Name : $"{Name}:{Number}";
}

/// <summary>What the number behind a format's name counts.</summary>
/// <param name="Counts">In words, plural.</param>
/// <param name="Usual">The number where none is given.</param>
/// <param name="Least">The smallest allowed.</param>
/// <param name="Most">The largest allowed.</param>
internal sealed record FormatNumber(string Counts, int Usual, int Least, int Most);

/// <summary>How a reshaped format reads a kernel whose channels are split.</summary>
/// <param name="InPairs">Whether part l of the output's channels and part l of the input's are one mode, and height and width another; else
/// every part is a mode.</param>
/// <param name="Tensor">The decomposition of a tensor of some order; its second argument counts the modes of channels.</param>
/// <param name="Decompose">Fits it in the plain norm.</param>
internal sealed record ChannelReshaping(
    bool InPairs,
    Func<int, int, TensorFormat> Tensor,
    Func<Tensor<double>, RankChoice, FitOptions, CancellationToken, TensorFactors<double>> Decompose
);

/// <summary>Extents of one group's kernel that decide which formats suit it.</summary>
internal readonly record struct KernelExtents(int Outputs, int Inputs, int Taps, int Groups)
{
    /// <summary>Whether there is more than one channel on some side: a depthwise kernel has no channels to part.</summary>
    public bool HasChannels => Outputs * Inputs > 1;

    /// <summary>Whether there is more than one place: a 1×1 kernel has no axes of space to part.</summary>
    public bool HasSpace => Taps > 1;
}

/// <summary>When a fit has to go downhill from its start.</summary>
internal enum Descent
{
    /// <summary>In every measure.</summary>
    Always,

    /// <summary>Only where a covariance couples the kernel's columns; in the plain norm the start is the best there is.</summary>
    WithCovariance,

    /// <summary>In none.</summary>
    Never,
}

/// <summary>One fit.</summary>
/// <param name="Starts">The kernel, the measure, and what fits of one kernel share.</param>
/// <param name="Form">The format on the kernel.</param>
/// <param name="Ranks">Its ranks.</param>
/// <param name="Options">How hard to try.</param>
/// <param name="Cancel">Ends it.</param>
internal sealed record FitTask(
    KernelStarts Starts,
    KernelForm Form,
    ImmutableArray<int> Ranks,
    FitOptions Options,
    CancellationToken Cancel
)
{
    /// <summary>Which start this is, from 0.</summary>
    public int Attempt { get; init; }

    /// <summary>A fit of the same kernel in the same format at smaller ranks; null for none.</summary>
    public TensorFactors<double>? Smaller { get; init; }

    /// <summary>Factors at the same ranks to begin with; null for none.</summary>
    public TensorFactors<double>? Known { get; init; }
}
