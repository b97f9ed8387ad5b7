using System.Collections.Immutable;
using Tensorial.Decompositions;

namespace Tensorial.Compression;

/// <summary>
/// One way to write one layer, and what it costs. The dense layer is a candidate too, with no format and no cost in accuracy.
/// </summary>
/// <param name="Layer">Which layer.</param>
/// <param name="Form">How it is written; null for the dense layer.</param>
/// <param name="Parameters">Parameters of the kernel so written.</param>
/// <param name="Macs">Multiply-accumulates for one image.</param>
/// <param name="RelativeError">‖K - K̃‖ / ‖K‖ in the measure of the fit.</param>
/// <param name="Sensitivity">What it does to the network: mean KL divergence of its predictions in nats where images were given, else e² / (1 -
/// e²) of the relative error e.</param>
/// <param name="Milliseconds">Measured time of the layer for a batch in each runtime; empty where latency was not asked for.</param>
internal sealed record CompressionCandidate(
    CompressibleLayer Layer,
    LayerForm? Form,
    long Parameters,
    long Macs,
    double RelativeError,
    double Sensitivity,
    ImmutableArray<double> Milliseconds = default
)
{
    /// <summary>What its sensitivity is multiplied with where candidates are chosen, because it is slow.</summary>
    public double Slowdown { get; init; } = 1;

    /// <summary>Its measured time over the dense layer's, the largest of the runtimes; null where it was not timed.</summary>
    public double? TimeRatio { get; init; }

    /// <summary>The layer as it is.</summary>
    public static CompressionCandidate Dense(CompressibleLayer layer) => new(layer, null, layer.Parameters, layer.Macs, 0, 0);

    /// <summary>A form of a layer, with its sizes.</summary>
    public static CompressionCandidate From(CompressibleLayer layer, LayerForm form, double error, double damage) =>
        new(layer, form, form.Parameters, form.MacsOf(layer), error, damage);

    /// <summary>The format; null for the dense layer.</summary>
    public KernelFormat? Format => Form?.Format;
}
