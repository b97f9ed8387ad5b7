using Tensorial.Analysis;

namespace Tensorial.Reports;

/// <summary>What follows from an analysis: the facts that sentences, maps and tables of its report share.</summary>
internal sealed record Findings(AnalysisReport Analysis)
{
    /// <summary>The norm loss at which kernels are compared where nothing else is said.</summary>
    public const double UsualNormLoss = 0.1;

    /// <summary>The loss of accuracy, as a fraction of the images, that counts as little.</summary>
    public const double UsualDrop = 0.01;

    /// <summary>All cuts of all kernels; those of kernels with more axes first.</summary>
    public IReadOnlyList<string> Cuts { get; } =
    [
        .. Analysis
            .Layers.SelectMany(static layer => layer.Cuts, static (layer, cut) => (layer.Axes.Count, cut.Cut))
            .OrderByDescending(static c => c.Count)
            .Select(static c => c.Cut)
            .Distinct(),
    ];

    private readonly Dictionary<string, LayerAnalysis> _layers = Analysis
        .Layers.DistinctBy(static l => l.Name)
        .ToDictionary(static l => l.Name);

    /// <summary>Short names of the kernels, in order.</summary>
    public IReadOnlyList<string> Labels { get; } = Reports.Labels.Of(Analysis.Layers);

    /// <summary>Parameters of the kernels analysed.</summary>
    public long KernelParameters { get; } = Analysis.Layers.Sum(static layer => layer.Parameters);

    public LayerAnalysis? Layer(string name) => _layers.GetValueOrDefault(name);

    /// <summary>Parameters of a kernel stored as the two factors of a cut, or dense where that takes fewer.</summary>
    public static long KeptParameters(LayerAnalysis layer, CutSpectrum cut, int rank) =>
        Math.Min(layer.Parameters, cut.FactoredParameters(rank));

    /// <summary>Whether a kernel stored as two factors is smaller than the dense one.</summary>
    public static bool Saves(LayerAnalysis layer, CutSpectrum cut, int rank) => cut.FactoredParameters(rank) < layer.Parameters;

    /// <summary>The cut that stores a kernel in the fewest parameters within a norm loss; null where none saves any.</summary>
    public static LayerCut? Best(LayerAnalysis layer, double normLoss)
    {
        LayerCut? best = null;
        foreach (CutSpectrum cut in layer.Cuts)
        {
            int rank = cut.RankFor(normLoss);
            if (Saves(layer, cut, rank) && (best is null || cut.FactoredParameters(rank) < best.Parameters))
                best = new(layer, cut, rank, cut.FactoredParameters(rank));
        }
        return best;
    }

    /// <summary>Parameters of all kernels when each is cut where that stores it in the fewest.</summary>
    public long BestParameters(double normLoss) => Analysis.Layers.Sum(layer => Best(layer, normLoss)?.Parameters ?? layer.Parameters);

    /// <summary>Parameters of all kernels when each that has this cut is cut along it.</summary>
    public long ParametersAlong(string cut, double normLoss) =>
        Analysis.Layers.Sum(layer =>
            layer.Cuts.FirstOrDefault(c => c.Cut == cut) is { } found
                ? KeptParameters(layer, found, found.RankFor(normLoss))
                : layer.Parameters
        );

    /// <summary>Measurements with every kernel truncated along one cut.</summary>
    public IEnumerable<TruncationResult> TogetherAlongOne => Analysis.Truncations.Where(static t => t.Layer == "all" && !IsSequence(t));

    /// <summary>What "all" truncates: the convolutions, where there are others that are left alone.</summary>
    public string Everything =>
        Analysis.Truncations.FirstOrDefault(static t => t.Layer == "all") is { Kernels.Count: > 0 }
        && Analysis.Layers.Any(static layer => layer.Axes.Count > 2)
        && Analysis.Layers.Any(static layer => layer.Axes.Count <= 2)
            ? "all convolution kernels"
            : "all kernels";

    /// <summary>Measurements with one kernel truncated along one cut.</summary>
    public IEnumerable<TruncationResult> AloneAlongOne => Analysis.Truncations.Where(static t => t.Layer != "all" && !IsSequence(t));

    /// <summary>Measurements with several cuts in sequence.</summary>
    public IEnumerable<TruncationResult> Sequences => Analysis.Truncations.Where(IsSequence);

    public static bool IsSequence(TruncationResult truncation) => truncation.Cut.Contains(',');

    public static bool IsCrossing(TruncationResult truncation) => truncation.Kernels.Any(static kernel => kernel.Crossing);

    /// <summary>Parameters of the kernels that a measurement truncated, before.</summary>
    public long DenseParameters(TruncationResult truncation) =>
        truncation.Kernels.Count > 0 ? truncation.Kernels.Sum(kernel => Layer(kernel.Layer)?.Parameters ?? 0)
        : truncation.Layer == "all" ? KernelParameters
        : Layer(truncation.Layer)?.Parameters ?? 0;

    /// <summary>Parameters of those kernels after, over before.</summary>
    public double KeptFraction(TruncationResult truncation) =>
        DenseParameters(truncation) is > 0 and long dense ? (double)truncation.Parameters / dense : 1;

    /// <summary>Rank over maximal rank, the mean over the kernels truncated; null for several cuts.</summary>
    public double? RankFraction(TruncationResult truncation)
    {
        if (IsSequence(truncation))
            return null;
        List<double> fractions = [];
        foreach (TruncatedKernel kernel in truncation.Kernels)
        {
            if (kernel is { Ranks.Count: 1, Cuts.Count: 1 } && Spectrum(kernel.Layer, kernel.Cuts[0]) is { MaxRank: > 0 } cut)
                fractions.Add((double)kernel.Ranks[0] / cut.MaxRank);
        }
        if (fractions.Count > 0)
            return fractions.Average();
        return truncation.Rank is { } rank && Spectrum(truncation.Layer, truncation.Cut) is { MaxRank: > 0 } only
            ? (double)rank / only.MaxRank
            : null;
    }

    public CutSpectrum? Spectrum(string layer, string cut) => Layer(layer)?.Cuts.FirstOrDefault(c => c.Cut == cut);

    /// <summary>Accuracy lost against the untouched network.</summary>
    public double? Drop(TruncationResult truncation) => Analysis.Baseline is { } baseline ? baseline.Top1 - truncation.Top1 : null;

    /// <summary>Whether no more accuracy is lost than allowed. Counted in images, so that rounding does not decide.</summary>
    public bool IsWithin(TruncationResult truncation, double drop) =>
        Drop(truncation) is { } lost && Math.Round(lost * truncation.Samples) <= Math.Floor((drop * truncation.Samples) + 1e-6);

    /// <summary>The measurement of all kernels together that keeps the fewest parameters within a loss of accuracy.</summary>
    public TruncationResult? SmallestTogether(double drop) =>
        TogetherAlongOne.Where(t => IsWithin(t, drop) && t.Parameters < DenseParameters(t)).MinBy(static t => t.Parameters);

    /// <summary>
    /// The largest norm loss measured for a kernel along a cut up to which the accuracy stays within a loss; null where it was not
    /// measured.
    /// </summary>
    public TruncationResult? Farthest(string layer, string cut, double drop) => Farthest(AloneOf(layer).Where(t => t.Cut == cut), drop);

    /// <summary>
    /// The last of some measurements, in the order of their norm loss, before the accuracy first falls by more than a loss.
    /// </summary>
    public TruncationResult? Farthest(IEnumerable<TruncationResult> measured, double drop)
    {
        TruncationResult? farthest = null;
        foreach (TruncationResult t in measured.OrderBy(static t => t.NormLoss))
        {
            if (!IsWithin(t, drop))
                break;
            farthest = t;
        }
        return farthest;
    }

    /// <summary>Measurements of one kernel alone along one cut.</summary>
    public IEnumerable<TruncationResult> AloneOf(string layer) => (_alone ??= AloneAlongOne.ToLookup(static t => t.Layer))[layer];

    private ILookup<string, TruncationResult>? _alone;

    /// <summary>Standard error of an accuracy measured on so many images.</summary>
    public static double StandardError(Evaluation evaluation) =>
        evaluation.Samples > 0 ? Math.Sqrt(evaluation.Top1 * (1 - evaluation.Top1) / evaluation.Samples) : 0;
}

/// <summary>A kernel cut along one of its cuts, and the parameters of its two factors.</summary>
internal sealed record LayerCut(LayerAnalysis Layer, CutSpectrum Cut, int Rank, long Parameters)
{
    public long Saved => Layer.Parameters - Parameters;
}
