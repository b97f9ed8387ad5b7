using System.Collections.Immutable;

namespace Tensorial.Decompositions;

/// <content>The formats, a row each.</content>
public sealed partial record KernelFormat
{
    /// <summary>More parts leave nothing but twos.</summary>
    private static readonly FormatNumber Parts = new("parts that channels are split into", Usual: 3, Least: 2, Most: 6);

    /// <summary>The cut o|ihw: a k×k convolution to r channels, then 1×1.</summary>
    public static KernelFormat SvdOut { get; } =
        new("svd-out")
        {
            Equation = "rihw,or->oihw",
            Cuts = ["o"],
            Descent = Descent.Never,
            Suits = static kernel => kernel.HasChannels,
            IsUsual = true,
        };

    /// <summary>The cut i|ohw: a 1×1 convolution to r channels, then k×k.</summary>
    public static KernelFormat SvdIn { get; } =
        new("svd-in")
        {
            Equation = "ri,orhw->oihw",
            Cuts = ["i"],
            Descent = Descent.WithCovariance,
            IsUsual = true,
        };

    /// <summary>The cut oh|iw: a 1×k convolution to r channels, then k×1.</summary>
    public static KernelFormat SpatialSvd { get; } =
        new("spatial-svd")
        {
            Equation = "riw,orh->oihw",
            Cuts = ["oh"],
            Descent = Descent.WithCovariance,
            Suits = static kernel => kernel.HasSpace || !kernel.HasChannels,
            IsUsual = true,
        };

    /// <summary>Matrices for both channel modes and a core k×k.</summary>
    public static KernelFormat Tucker2 { get; } =
        new("tucker2")
        {
            Equation = "ri,srhw,os->oihw",
            Cuts = ["i", "o"],
            Start = OrthogonalIteration.Tucker2,
            Descent = Descent.WithCovariance,
            IsUsual = true,
        };

    /// <summary>Matrices for all four modes and a core.</summary>
    public static KernelFormat Tucker { get; } = new("tucker") { Equation = "ri,srtu,th,uw,os->oihw", Cuts = ["i", "o", "h", "w"] };

    /// <summary>A sum of rank-one terms.</summary>
    public static KernelFormat Cp { get; } =
        new("cp")
        {
            Equation = "ri,rh,rw,or->oihw",
            Start = FitStarts.ByTerms,
            Descent = Descent.WithCovariance,
            StartsVary = true,
            Grows = true,
            IsIterative = true,
            IsUsual = true,
        };

    /// <summary>
    /// CP of the kernel with height and width as one axis: full spatial filters, and one depthwise convolution instead of two.
    /// </summary>
    public static KernelFormat Cp3 { get; } = Cp with { Name = "cp3", Equation = "ri,rhw,or->oihw" };

    /// <summary>A chain i, h, w, o.</summary>
    public static KernelFormat TensorTrain { get; } = new("tt") { Equation = "ri,srh,tsw,ot->oihw", Cuts = ["i", "ih", "o"] };

    /// <summary>The chain closed.</summary>
    public static KernelFormat TensorRing { get; } =
        new("tr")
        {
            Equation = "uri,srh,tsw,out->oihw",
            Start = FitStarts.ByRing,
            IsIterative = true,
        };

    /// <summary>
    /// Hierarchical Tucker (W. Hackbusch and S. Kühn, J. Fourier Anal. Appl. 15, 2009) on the tree ((o, i), (h, w)): matrices for all four
    /// modes, cores for both pairs. The pair (h, w) makes v spatial filters that all channels share.
    /// </summary>
    public static KernelFormat HierarchicalTucker { get; } =
        new("ht") { Equation = "ri,th,uw,vtu,srv,os->oihw", Cuts = ["i", "o", "h", "w", "hw"] };

    /// <summary>
    /// Block terms (L. De Lathauwer, SIAM J. Matrix Anal. Appl. 30, 2008): a sum of Tucker-2 terms n of the same ranks, whose cores make one
    /// grouped convolution.
    /// </summary>
    public static KernelFormat BlockTerm { get; } =
        new("bt")
        {
            Equation = "nri,nsrhw,ons->oihw",
            Numbered = new("terms", Usual: 2, Least: 2, Most: 64),
            NumberAxis = 'n',
            Start = static task => FitStarts.ByDeflation(task, Tucker2),
            StartsVary = true,
            IsIterative = true,
        };

    /// <summary>The cut oi|hw: r spatial filters that all channels share, then a pointwise mix of what they answer.</summary>
    public static KernelFormat Basis { get; } =
        new("basis")
        {
            Equation = "rhw,oir->oihw",
            Cuts = ["hw"],
            Descent = Descent.WithCovariance,
        };

    /// <summary>Spatial filters of every input channel, r of them, a number that may differ by channel; then a pointwise mix.</summary>
    public static KernelFormat DecoupledIn { get; } =
        new("decoupled-in")
        {
            Equation = "irhw,oir->oihw",
            Ragged = new('r', 'i'),
            Fit = DecoupledFit.ByInput,
            SpreadRanks = DecoupledFit.RanksByInput,
            Suits = static kernel => kernel is { HasChannels: true, HasSpace: true, Groups: 1 },
        };

    /// <summary>A pointwise mix, then spatial filters of every output channel, whose answers are added up.</summary>
    public static KernelFormat DecoupledOut { get; } =
        DecoupledIn with
        {
            Name = "decoupled-out",
            Equation = "ori,orhw->oihw",
            Ragged = new('r', 'o'),
            Fit = DecoupledFit.ByOutput,
            SpreadRanks = DecoupledFit.RanksByOutput,
        };

    /// <summary>Formats whose channels are split into several modes (J. Su, J. Li, B. Bhattacharjee, F. Huang, arXiv 1805.10352).</summary>
    public static ImmutableArray<KernelFormat> Reshaped { get; } =
    [
        Split(
            "rcp",
            new(
                true,
                static (order, _) => TensorFormat.Cp(order),
                static (tensor, ranks, options, cancel) =>
                    Decompositions.Cp.Fit(
                        tensor,
                        ranks,
                        new(options.Starts, options.Iterations, Seed: options.Seed, Damping: KernelFactorization.Damping),
                        cancel: cancel
                    )
            )
        ) with
        {
            IsIterative = true,
        },
        Split(
            "rtucker",
            new(
                false,
                static (order, channels) => TensorFormat.Tucker(order, [.. Enumerable.Range(0, channels)]),
                static (tensor, ranks, _, _) => Decompositions.Tucker.Fit(tensor, ranks, [.. Enumerable.Range(0, tensor.Shape.Rank - 2)])
            )
        ),
        Split(
            "rtt",
            new(
                true,
                static (order, _) => TensorFormat.TensorTrain(order),
                static (tensor, ranks, _, _) => Decompositions.TensorTrain.Fit(tensor, ranks)
            )
        ),
        Split(
            "rtr",
            new(
                true,
                static (order, _) => TensorFormat.TensorRing(order),
                static (tensor, ranks, options, cancel) =>
                    Decompositions.TensorRing.Fit(tensor, ranks, options: new(options.Starts, Seed: options.Seed), cancel: cancel)
            )
        ) with
        {
            IsIterative = true,
        },
    ];

    /// <summary>No format but what a search finds for each kernel: trees, decoupled forms and sums of them (<see cref="StructureSearch"/>).</summary>
    internal static KernelFormat Search { get; } =
        new("search")
        {
            Finds = StructureSearch.FormsOf,
            Suits = static kernel => kernel is { HasChannels: true, HasSpace: true, Groups: 1 },
        };

    /// <summary>All of them, the numbered ones with their usual number.</summary>
    public static ImmutableArray<KernelFormat> All { get; } =
    [
        SvdOut,
        SvdIn,
        SpatialSvd,
        Tucker2,
        Tucker,
        Cp,
        Cp3,
        TensorTrain,
        TensorRing,
        HierarchicalTucker,
        BlockTerm,
        Basis,
        DecoupledIn,
        DecoupledOut,
        .. Reshaped,
    ];

    /// <summary>A reshaped format: all factors go downhill together.</summary>
    private static KernelFormat Split(string name, ChannelReshaping reshaping) =>
        new(name)
        {
            Reshaping = reshaping,
            Numbered = Parts,
            Fit = FoldedFit.InMeasure,
            Suits = static kernel => kernel.Groups == 1,
        };
}
