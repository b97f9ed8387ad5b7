using System.ComponentModel.DataAnnotations;

namespace Tensorial.Analysis;

/// <summary>Accuracy of the network with one kernel, or all, truncated along one cut or several in sequence; all else as it was.</summary>
public sealed record TruncationResult
{
    /// <summary>A layer's name, or <c>all</c>.</summary>
    public required string Layer { get; init; }

    /// <summary>The cut, or several in the order they were made, separated by commas.</summary>
    public required string Cut { get; init; }

    /// <summary>The rank kept; null where there are several (see <see cref="Kernels"/>).</summary>
    [Range(0, int.MaxValue)]
    public int? Rank { get; init; }

    /// <summary>
    /// What decided the rank, one for each cut: <c>16</c> a rank, <c>25%</c> of the maximal rank, <c>loss=0.1</c> the smallest within a
    /// norm loss.
    /// </summary>
    public required string Rule { get; init; }

    /// <summary>||K - K_chi|| / ||K||; for <c>all</c> the mean over the kernels.</summary>
    [Range(0, double.MaxValue)]
    public double NormLoss { get; init; }

    /// <summary>||K_chi||² / ||K||²; for <c>all</c> the mean over the kernels.</summary>
    [Range(0.0, 1.0)]
    public double RetainedEnergy { get; init; }

    /// <summary>1 - ||K_chi|| / ||K||; for <c>all</c> the mean over the kernels.</summary>
    [Range(0.0, 1.0)]
    public double RelativeNormLoss { get; init; }

    /// <summary>Fraction of images whose label has the largest score.</summary>
    [Range(0.0, 1.0)]
    public double Top1 { get; init; }

    /// <summary>Fraction of images whose label is among the five largest scores.</summary>
    [Range(0.0, 1.0)]
    public double Top5 { get; init; }

    /// <summary>Mean cross-entropy in nats.</summary>
    public double Loss { get; init; }

    /// <summary>Number of images.</summary>
    [Range(0, int.MaxValue)]
    public int Samples { get; init; }

    /// <summary>
    /// Parameters of the truncated kernels when each is stored as the factors its cuts leave, or dense where that takes fewer or
    /// where cuts cross.
    /// </summary>
    [Range(0, long.MaxValue)]
    public long Parameters { get; init; }

    /// <summary>Wall time of the measurement.</summary>
    [Range(0, double.MaxValue)]
    public double Seconds { get; init; }

    /// <summary>After batch-norm statistics were estimated again on training images; null where this was not asked for.</summary>
    public Evaluation? Recalibrated { get; init; }

    /// <summary>What became of each kernel that was truncated.</summary>
    public ValueList<TruncatedKernel> Kernels { get; init; } = [];

    /// <summary>This result with what became of the kernels, and of the accuracy.</summary>
    internal TruncationResult With(ValueList<TruncatedKernel> kernels, Evaluation evaluation) =>
        this with
        {
            Rank = kernels is [{ Ranks: [int rank] }] ? rank : null,
            NormLoss = kernels.Average(static kernel => kernel.NormLoss),
            RetainedEnergy = kernels.Average(static kernel => 1 - kernel.NormLoss * kernel.NormLoss),
            RelativeNormLoss = kernels.Average(static kernel => kernel.RelativeNormLoss),
            Top1 = evaluation.Top1,
            Top5 = evaluation.Top5,
            Loss = evaluation.Loss,
            Samples = evaluation.Samples,
            Parameters = kernels.Sum(static kernel => kernel.Parameters),
            Kernels = kernels,
        };
}

/// <summary>One kernel after its cuts.</summary>
/// <param name="Layer">The weight's initializer name.</param>
/// <param name="Cuts">Cuts in the order they were made.</param>
/// <param name="Ranks">The rank kept at each, when it was made.</param>
/// <param name="RanksAfter">The rank at each after all of them: larger than <paramref name="Ranks"/> where a later cut crosses an earlier
/// one.</param>
/// <param name="Crossing">Whether some of the cuts cross, so that the result is no tree tensor and has no factored parameter count.</param>
/// <param name="Parameters">See <see cref="TruncationResult.Parameters"/>.</param>
/// <param name="NormLoss">||K - K_chi|| / ||K||.</param>
/// <param name="RelativeNormLoss">1 - ||K_chi|| / ||K||.</param>
public sealed record TruncatedKernel(
    string Layer,
    ValueList<string> Cuts,
    ValueList<int> Ranks,
    ValueList<int> RanksAfter,
    bool Crossing,
    [property: Range(0, long.MaxValue)] long Parameters,
    [property: Range(0, double.MaxValue)] double NormLoss,
    [property: Range(0.0, 1.0)] double RelativeNormLoss
);
