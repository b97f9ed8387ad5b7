using System.Collections.Immutable;
using Tensorial.Analysis;

namespace Tensorial.Compression.Int8;

/// <summary>What became of a network: the JSON of <c>quantize</c>, and a part of that of <c>compress --quantize</c>.</summary>
internal sealed record QuantizationResult
{
    public int SchemaVersion { get; init; } = 1;

    /// <summary>File name of the network that was quantized.</summary>
    public required string Model { get; init; }

    /// <summary>File name of what was written.</summary>
    public required string Output { get; init; }

    /// <summary>How ranges of activations were chosen.</summary>
    public required RangeMethod Method { get; init; }

    /// <summary>Whether output channels have scales of their own.</summary>
    public required bool PerChannel { get; init; }

    /// <summary>Samples calibrated on.</summary>
    public required int Calibration { get; init; }

    /// <summary>What was compared on.</summary>
    public required string Data { get; init; }

    /// <summary>The networks side by side, the float one first.</summary>
    public required ImmutableArray<ComparedNetwork> Networks { get; init; }

    /// <summary>What compared them.</summary>
    public required string Runtime { get; init; }

    /// <summary>The quantized network against the float one, output by output.</summary>
    public required Verification Verification { get; init; }

    public required ImmutableArray<QuantizedLayer> Layers { get; init; }

    /// <summary>What was tried to stay within a limit; empty where none was asked for.</summary>
    public ImmutableArray<QuantizationTrial> Trials { get; init; } = [];

    public required Provenance Provenance { get; init; }
}

/// <summary>One network among others made of the same.</summary>
/// <param name="Kind">float, int8, low rank, or low rank + int8.</param>
/// <param name="FileBytes">Bytes of its file.</param>
/// <param name="Top1">Accuracy, 0 to 1; null without labels.</param>
/// <param name="RelativeError">Of the outputs against the float network's, on average over them; null for that itself.</param>
/// <param name="LatencyMs">Median milliseconds for one sample in ONNX Runtime; null where it does not run here.</param>
/// <param name="LatencyRatio">Median over pairs of its time over the float network's; null likewise, and for that itself.</param>
internal sealed record ComparedNetwork(
    string Kind,
    long FileBytes,
    double? Top1,
    double? RelativeError,
    double? LatencyMs,
    double? LatencyRatio
);
