using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Training;

namespace Tensorial.Reports;

/// <summary>A training, or a tuning, as its page tells it.</summary>
internal sealed record TrainingReport
{
    /// <summary>What it began with: a file, or a ready-made network's name.</summary>
    public required string Start { get; init; }

    /// <summary>The network whose activations and answers were learnt from; null without one.</summary>
    public string? Teacher { get; init; }

    /// <summary>
    /// Command, date and machine; <see cref="Provenance.Model"/> is the file that was written, <see cref="Provenance.Data"/> the test
    /// images.
    /// </summary>
    public required Provenance Provenance { get; init; }

    /// <summary>Images that were learnt from.</summary>
    public required DataUse Images { get; init; }

    /// <summary>The choices that were made, by name.</summary>
    public ValueList<(string Name, string Value)> Recipe { get; init; } = [];

    /// <summary>Layers that were trained as factors, and those that were not; empty where all were dense.</summary>
    public ImmutableArray<CompressedLayer> Layers { get; init; } = [];

    /// <summary>What a step took; null where blocks alone were tuned.</summary>
    public TrainingMemory? Memory { get; init; }

    public ImmutableArray<EpochRecord> Epochs { get; init; } = [];

    public StopReason Stopped { get; init; }

    /// <summary>Blocks of sequential tuning, in order.</summary>
    public ImmutableArray<BlockRecord> Blocks { get; init; } = [];

    /// <summary>Top-1 accuracy on the test images before and after; null where it was not measured.</summary>
    public double? Top1Before { get; init; }

    /// <inheritdoc cref="Top1Before"/>
    public double? Top1After { get; init; }

    /// <summary>
    /// ‖y - t‖ / ‖t‖ of the outputs for the test images before and after, t the teacher's; null where they have labels or there are none.
    /// </summary>
    public double? ErrorBefore { get; init; }

    /// <inheritdoc cref="ErrorBefore"/>
    public double? ErrorAfter { get; init; }
}
