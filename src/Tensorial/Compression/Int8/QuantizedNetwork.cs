using System.Collections.Immutable;
using Tensorial.Graphs;

namespace Tensorial.Compression.Int8;

/// <summary>A network with layers of 8-bit integers.</summary>
/// <param name="Graph">The network, with QuantizeLinear and DequantizeLinear around what is computed in integers.</param>
/// <param name="Layers">What became of each layer, in their order.</param>
/// <param name="Trials">What was tried to stay within a limit; empty where none was asked for, or everything stayed within it.</param>
internal sealed record QuantizedNetwork(Graph Graph, ImmutableArray<QuantizedLayer> Layers, ImmutableArray<QuantizationTrial> Trials);

/// <summary>One layer after quantization.</summary>
/// <param name="Name">The name of its weights in the file.</param>
/// <param name="Parameters">Values of its weights.</param>
/// <param name="Bits">Bits of a weight; null where the layer was kept in float.</param>
/// <param name="WeightError">‖rounded - w‖ / ‖w‖; null where the layer was kept.</param>
/// <param name="Sensitivity">
/// What this layer alone in 8 bits does to the outputs: mean KL divergence of class scores in nats, else the squared relative error; null
/// where it was not measured.
/// </param>
/// <param name="KeptBecause">Why it stays in float; null where it does not. For a layer of which only the weights are integers, null.</param>
/// <param name="WeightsOnly">Whether it computes in float and only its weights are stored as integers.</param>
internal sealed record QuantizedLayer(
    string Name,
    long Parameters,
    int? Bits,
    double? WeightError,
    double? Sensitivity,
    string? KeptBecause,
    bool WeightsOnly
);

/// <summary>One choice of layers that was tried.</summary>
/// <param name="LayersInFloat">Layers kept in float, the most sensitive ones.</param>
/// <param name="Drop">Points of top-1 accuracy lost on samples held back from calibration; null without labels.</param>
/// <param name="RelativeError">Of the outputs, on average over them.</param>
internal readonly record struct QuantizationTrial(int LayersInFloat, double? Drop, double RelativeError);

/// <summary>How much a quantized network may differ from the float one.</summary>
/// <param name="MaxDrop">Points of top-1 accuracy; null for no limit.</param>
/// <param name="MaxError">Relative error of the outputs, on average over them; null for no limit.</param>
/// <param name="Held">Samples to measure it on, others than those calibrated on.</param>
/// <param name="Scores">The output that scores classes; null where none does.</param>
internal sealed record QuantizationLimit(double? MaxDrop, double? MaxError, IEnumerable<InputBatch> Held, Analysis.ScoreOutput? Scores)
{
    /// <summary>Whether a comparison stays within the limit.</summary>
    public bool Allows(Verification found) =>
        (MaxDrop is not { } drop || found.Drop <= drop + 1e-9) && (MaxError is not { } error || found.RelativeError <= error);
}
