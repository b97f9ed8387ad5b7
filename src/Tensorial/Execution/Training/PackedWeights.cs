using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Execution;

/// <summary>Kernels in the order the tiles read them, packed anew when the weights have changed.</summary>
internal sealed class PackedWeights
{
    private readonly List<Entry> _entries = [];

    /// <summary>The packed kernel of some weights.</summary>
    public PackedKernel Of(Tensor<float> weights, ConvolutionShape shape, ConvolutionMethod method) =>
        Of(weights, shape, phase: null, method);

    /// <summary>Their taps, turned, for a phase of the input's gradient.</summary>
    public PackedKernel Of(Tensor<float> weights, InputPhase phase) => Of(weights, phase.Convolution, phase, phase.Method);

    private PackedKernel Of(Tensor<float> weights, ConvolutionShape shape, InputPhase? phase, ConvolutionMethod method)
    {
        Entry? known = _entries.Find(entry =>
            entry.Weights == weights && entry.Shape == shape && entry.Phase == phase && entry.Packed.Method == method
        );
        if (known is null)
            _entries.Add(known = new(weights, shape, phase, BlockedConvolution.Pack(Arranged(weights, phase), shape, method)));
        return known.Packed;
    }

    /// <summary>Packs all weights again.</summary>
    public void Renew(Workers workers) =>
        workers.For(
            _entries.Count,
            index =>
            {
                Entry entry = _entries[index];
                entry.Packed.Renew(Arranged(entry.Weights, entry.Phase), entry.Shape);
            }
        );

    private static ReadOnlySpan<float> Arranged(Tensor<float> weights, InputPhase? phase) =>
        phase is { } turned ? turned.Turn(weights.Values) : weights.Values;

    private sealed record Entry(Tensor<float> Weights, ConvolutionShape Shape, InputPhase? Phase, PackedKernel Packed);
}
