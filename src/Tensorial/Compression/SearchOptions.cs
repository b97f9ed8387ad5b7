using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Decompositions;

namespace Tensorial.Compression;

/// <summary>What candidates are made of.</summary>
internal sealed record SearchOptions
{
    /// <summary>
    /// Formats that are weighed where none is asked for: those that a chain of convolutions computes in few passes over memory.
    /// </summary>
    public static ImmutableArray<KernelFormat> Usual { get; } = [.. KernelFormat.All.Where(static format => format.IsUsual)];

    /// <summary>Formats to try.</summary>
    public ImmutableArray<KernelFormat> Formats { get; init; } = Usual;

    /// <summary>Parts of the kernel's parameters that candidates keep.</summary>
    public ImmutableArray<double> Rates { get; init; } =
    [0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.36, 0.43, 0.5, 0.6, 0.7, 0.8, 0.9];

    /// <summary>The same for kernels too large for a descent, where every fit is dear and errors change slowly.</summary>
    public ImmutableArray<double> RatesOfLarge { get; init; } = [0.05, 0.1, 0.16, 0.25, 0.36, 0.5, 0.7];

    /// <summary>Ranks are multiples of this where they are larger.</summary>
    public int RankMultiple { get; init; } = 1;

    /// <summary>
    /// Whether ranks that differ by channel are chosen again with what the images say; not where forms have been timed with the ranks they
    /// have.
    /// </summary>
    public bool AdaptsRanks { get; init; } = true;

    /// <summary>
    /// Whether the damage of a candidate is measured in the network, where there are images; else the error of its kernel stands for it.
    /// </summary>
    public bool MeasuresSensitivity { get; init; } = true;

    /// <summary>
    /// Whether to keep candidates that are larger, dearer and worse than another of the same layer: they may still be faster.
    /// </summary>
    public bool KeepDominated { get; init; }

    /// <summary>Images that covariances are taken over.</summary>
    public int CovarianceImages { get; init; } = 500;

    /// <summary>Images that damage is measured on.</summary>
    public int SensitivityImages { get; init; } = 1000;

    /// <summary>
    /// Candidates of a layer whose damage is measured in the network, at least 2; that of the others follows from their error.
    /// </summary>
    public int MeasuredCandidates { get; init; } = 8;

    /// <summary>Steps of the descent of a fit, at most.</summary>
    public int Iterations { get; init; } = 120;

    /// <summary>Which part of the layers is searched; the others are left without candidates.</summary>
    public Shard Shard { get; init; } = Shard.Whole;

    /// <summary>Threads to use.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Seed of random starts.</summary>
    public int Seed { get; init; }
}
