using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression.Int8;

/// <summary>The weights and the bias of a layer, ready to be rounded.</summary>
internal static class LayerWeights
{
    /// <summary>Biases are 32-bit integers of the step input scale × weight scale; a quarter of their range is left to the products.</summary>
    private const double MostBias = 1 << 29;

    /// <summary>The weights rounded.</summary>
    /// <param name="graph">The prepared network.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="input">The scale of what it reads; null where it computes in float.</param>
    /// <param name="options">How to round.</param>
    public static RoundedWeights Round(Graph graph, Int8Layer layer, ActivationScale? input, QuantizationOptions options)
    {
        Tensor<float> weights = graph.Initializers[layer.Weights].Of<float>();
        Tensor<float>? bias = BiasOf(graph, layer);
        return WeightRounding.Apply(
            weights,
            layer.ChannelAxis,
            options.PerChannel,
            options.FullRange || layer.WeightsOnly || IsDepthwise(layer, weights.Shape) ? null : Order(layer, weights.Shape),
            bias is null || input is not { Scale: var step } ? null : channel => Math.Abs(bias.Values[channel]) / (step * MostBias)
        );
    }

    /// <summary>The bias, one number for each channel; null where there is none.</summary>
    public static Tensor<float>? BiasOf(Graph graph, Int8Layer layer)
    {
        if (layer.Bias is null || layer.WeightsOnly)
            return null;
        Tensor<float> bias = graph.Initializers[layer.Bias].Of<float>();
        int channels = graph.Initializers[layer.Weights].Shape[layer.ChannelAxis];
        if (bias.Shape.ElementCount == channels)
            return bias.As([channels]);
        Tensor<float> stretched = new([channels]);
        stretched.Values.Fill(bias.Values[0]);
        return stretched;
    }

    /// <summary>Runtimes sum a depthwise convolution in 32 bits throughout.</summary>
    private static bool IsDepthwise(Int8Layer layer, Shape weights) =>
        layer.Node.Operation is Convolution { Groups: > 1 } && weights[1] == 1;

    /// <summary>Places of a channel's weights as a product goes through them: channels innermost, as images are laid out there.</summary>
    private static int[] Order(Int8Layer layer, Shape weights)
    {
        int count = weights.ElementCount / weights[layer.ChannelAxis];
        if (layer.Node.Operation is not Convolution)
            return [.. Enumerable.Range(0, count)];
        int inputs = weights[1],
            taps = count / inputs;
        return [.. Enumerable.Range(0, count).Select(k => k % inputs * taps + k / inputs)];
    }
}
