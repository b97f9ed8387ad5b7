using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Networks.Gradients;

/// <summary>Kernels in the order the tiles read them, packed anew when the weights have changed.</summary>
internal sealed class PackedWeights
{
    private readonly List<Entry> _entries = [];

    /// <summary>The packed kernel of some weights, as given or turned for the gradient of the input.</summary>
    public PackedKernel Of(Tensor<float> weights, ConvolutionShape shape, ConvolutionMethod method, bool turned)
    {
        Entry? known = _entries.Find(entry => entry.Weights == weights && entry.Shape == shape && entry.Turned == turned && entry.Packed.Method == method);
        if (known is null) _entries.Add(known = new(weights, shape, turned, BlockedConvolution.Pack(Arranged(weights, shape, turned), shape, method)));
        return known.Packed;
    }

    /// <summary>Packs all weights again.</summary>
    public void Renew(Workers workers) => workers.For(_entries.Count, index =>
    {
        Entry entry = _entries[index];
        entry.Packed.Renew(Arranged(entry.Weights, entry.Shape, entry.Turned), entry.Shape);
    });

    private static ReadOnlySpan<float> Arranged(Tensor<float> weights, ConvolutionShape shape, bool turned)
    {
        if (!turned) return weights.Values;
        float[] values = new float[weights.Shape.Count];
        InputGradient.Turn(weights.Values, shape with { InputChannels = shape.OutputChannels, OutputChannels = shape.InputChannels }, values);
        return values;
    }

    private sealed record Entry(Tensor<float> Weights, ConvolutionShape Shape, bool Turned, PackedKernel Packed);
}
