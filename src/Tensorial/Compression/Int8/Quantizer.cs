using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;

namespace Tensorial.Compression.Int8;

/// <summary>
/// Static quantization to 8-bit integers: weights symmetric with sign, activations asymmetric without, biases of 32 bits, scales fixed from
/// calibration samples (Jacob et al., arXiv 1712.05877; Nagel et al., arXiv 2106.08295). The result is a network with QuantizeLinear and
/// DequantizeLinear nodes in the places from which ONNX Runtime makes integer operations.
/// </summary>
internal sealed class Quantizer
{
    /// <summary>Samples on which each layer alone is measured.</summary>
    private const int SensitivitySamples = 256;

    private readonly Preparation _prepared;
    private readonly QuantizationOptions _options;
    private readonly IRuntime _runtime;

    /// <summary>Prepares a network: its normalisations are folded, and layers that can be quantized found.</summary>
    /// <param name="network">The network, in float.</param>
    /// <param name="options">How to quantize.</param>
    /// <param name="runtime">What runs networks for calibration and comparison.</param>
    /// <param name="keep">Names of layers that stay, by weight or node, * and ? allowed.</param>
    /// <exception cref="BadInputException">It is quantized already, has nothing that can be, or a pattern matches nothing.</exception>
    /// <exception cref="NumericalException">A weight is no finite number.</exception>
    public Quantizer(Graph network, QuantizationOptions options, IRuntime runtime, IReadOnlyList<string>? keep = null) =>
        (_prepared, _options, _runtime) = (Preparation.From(network, keep ?? []), options, runtime);

    /// <summary>Values of activations that a sample is looked at for: what decides how many fit into memory at once.</summary>
    public long ObservedValues
    {
        get
        {
            IReadOnlyDictionary<string, Operations.ValueInfo> known = ShapeInference.Explore(_prepared.Graph).Operands;
            return new QuantizedValues(_prepared.Graph, _prepared.Layers).InOrder.Sum(value =>
                (long)(known.GetValueOrDefault(value)?.Shape.ElementCount ?? 0)
            );
        }
    }

    /// <summary>Quantizes.</summary>
    /// <param name="samples">Inputs to calibrate on; enumerated several times.</param>
    /// <param name="limit">
    /// How far the result may differ; where it differs further, the most sensitive layers stay in float, as many as it takes. Null for no
    /// limit.
    /// </param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancel">Ends it between batches.</param>
    /// <exception cref="BadInputException">There is no sample.</exception>
    /// <exception cref="NumericalException">A value is not finite on a sample.</exception>
    public QuantizedNetwork Run(
        IEnumerable<InputBatch> samples,
        QuantizationLimit? limit = null,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        Calibration calibration = new(_prepared.Graph, _runtime, _options.Threads, samples);
        IReadOnlyDictionary<string, ActivationScale> scales = calibration.Scales(
            new(_prepared.Graph, _prepared.Layers),
            _options,
            progress,
            cancel
        );
        Dictionary<Int8Layer, RoundedWeights> weights = _prepared.Layers.ToDictionary(
            static layer => layer,
            layer => LayerWeights.Round(_prepared.Graph, layer, layer.WeightsOnly ? null : scales[layer.Data], _options)
        );
        IReadOnlyDictionary<Int8Layer, Tensor<float>> biases = calibration.Biases(
            _prepared.Layers,
            scales,
            weights,
            _options.CorrectsBias,
            progress,
            cancel
        );
        Graph With(IReadOnlyList<Int8Layer> layers) => QdqRewrite.Apply(_prepared.Graph, layers, scales, weights, biases);

        LayerSearch.Found found = limit is null
            ? new(_prepared.Layers, [], [])
            : new LayerSearch(_prepared, With, limit, _runtime, _options.Threads).Run(SensitivitySamples, progress, cancel);
        HashSet<Int8Layer> chosen = [.. found.Layers];
        return new(
            With(found.Layers),
            [
                .. _prepared.Layers.Select(layer => Report(layer, chosen.Contains(layer), weights[layer], found.Sensitivities)),
                .. _prepared.Kept.Select(static layer => new QuantizedLayer(
                    layer.Name,
                    layer.Parameters,
                    null,
                    null,
                    null,
                    layer.Reason,
                    false
                )),
            ],
            found.Trials
        );
    }

    private QuantizedLayer Report(
        Int8Layer layer,
        bool isChosen,
        RoundedWeights weights,
        IReadOnlyDictionary<Int8Layer, double> sensitivities
    ) =>
        new(
            layer.Name,
            weights.Values.Shape.ElementCount,
            isChosen ? 8 : null,
            isChosen ? ErrorOf(_prepared.Graph.Initializers[layer.Weights].Of<float>(), weights.Restored(layer.ChannelAxis)) : null,
            sensitivities.TryGetValue(layer, out double sensitivity) ? sensitivity : null,
            isChosen ? null : "it is among the most sensitive, and the limit asks for it",
            layer.WeightsOnly
        );

    private static double ErrorOf(Tensor<float> weights, Tensor<float> rounded)
    {
        double error = 0,
            norm = 0;
        for (int k = 0; k < weights.Values.Length; k++)
        {
            double difference = (double)rounded.Values[k] - weights.Values[k];
            error += difference * difference;
            norm += (double)weights.Values[k] * weights.Values[k];
        }
        return norm == 0 ? 0 : Math.Sqrt(error / norm);
    }
}
