using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
using Tensorial.Decompositions;

namespace Tensorial.Compression;

/// <summary>What a network is compressed to, and how. The defaults are those of the tool.</summary>
public sealed record CompressionOptions
{
    /// <summary>How small, how fast, or how much accuracy may be lost.</summary>
    public ImmutableArray<CompressionTarget> Targets { get; init; } = [];

    /// <summary>Formats to choose from.</summary>
    public ImmutableArray<KernelFormat> Formats { get; init; } = SearchOptions.Usual;

    /// <summary>Layers that may change, by the name of weights or node, <c>*</c> for any text; where none is given, all but a first and last
    /// layer that hold next to nothing.</summary>
    public ImmutableArray<string> Layers { get; init; } = [];

    /// <summary>Layers that stay as they are.</summary>
    public ImmutableArray<string> Keep { get; init; } = [];

    /// <summary>How layers share the budget.</summary>
    public AllocationRule Rule { get; init; } = AllocationRule.Measured;

    /// <summary>Ranks are multiples of this where they are larger.</summary>
    public int RankMultiple { get; init; } = 1;

    /// <summary>Images that factors are fitted on, at most.</summary>
    public int CalibrationImages { get; init; } = 2000;

    /// <summary>Whether batch-norm statistics are estimated again where that helps.</summary>
    public bool Recalibrate { get; init; } = true;

    /// <summary>Runtimes in which layers and networks are timed.</summary>
    public ImmutableArray<IRuntime> Runtimes { get; init; } = [];

    /// <summary>What counts beside the targets. Times are those of <see cref="Runtimes"/>, of our own executor where there are none.</summary>
    public Objective Objective { get; init; } = Objective.Balanced;

    /// <summary>Images at a time where latency is measured.</summary>
    public int LatencyBatch { get; init; } = 1;

    /// <summary>Where measurements of an earlier run are found and new ones kept.</summary>
    public ResultCache Memory { get; init; } = ResultCache.None;

    /// <summary>Threads; 0 for one a processor.</summary>
    public int Threads { get; init; }

    /// <summary>Seed of everything random.</summary>
    public int Seed { get; init; }

    internal int ThreadCount => Threads > 0 ? Threads : Environment.ProcessorCount;

    internal PlanRequest Request =>
        new()
        {
            Targets = Targets,
            Rule = Rule,
            LatencyBatch = LatencyBatch,
            Objective = Objective,
            Search = new()
            {
                Formats = Formats,
                RankMultiple = RankMultiple,
                Threads = ThreadCount,
                Seed = Seed,
            },
        };

    internal RewriteOptions Rewriting =>
        new()
        {
            Threads = ThreadCount,
            Seed = Seed,
            CovarianceImages = CalibrationImages,
        };
}
