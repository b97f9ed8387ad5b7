using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Execution;

/// <summary>
/// What was computed from constants (folded weights, packed kernels), by the identity of the tensors it came from. A network that differs
/// from another in a few weights finds the rest ready. Only what the newest compilation touched is kept, so a sweep over thousands of
/// variants does not pile them up. Packed kernels of weights under training are packed again by <see cref="Renew"/>.
/// </summary>
internal sealed class WeightCache(WeightCache? former = null)
{
    private readonly Dictionary<Key, object> _own = [];
    private readonly List<(PackedKernel Packed, Tensor<float> Weights, KernelPacking Packing)> _renewed = [];
    private WeightCache? _former = former;

    /// <summary>The result of <paramref name="make"/> for these tensors and this purpose, computed once.</summary>
    public T Of<T>(object purpose, Tensor?[] sources, Func<T> make)
        where T : class
    {
        Key key = new(purpose, sources);
        lock (_own)
        {
            if (_own.TryGetValue(key, out object? known))
                return (T)known;
            if (_former is { } before)
                lock (before._own)
                    if (before._own.TryGetValue(key, out known))
                        return (T)(_own[key] = known);
        }
        T made = make();
        lock (_own)
            _own[key] = made;
        return made;
    }

    /// <summary>A kernel in the order in which the tiles read it.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="packing">How they are packed.</param>
    /// <param name="changes">Whether training changes the weights, so that <see cref="Renew"/> has to pack them again.</param>
    public PackedKernel Packed(Tensor<float> weights, KernelPacking packing, bool changes) =>
        Of(
            packing,
            [weights],
            () =>
            {
                PackedKernel packed = packing.Pack(weights.Values);
                if (changes)
                    lock (_renewed)
                        _renewed.Add((packed, weights, packing));
                return packed;
            }
        );

    /// <summary>Packs the kernels of weights under training again.</summary>
    public void Renew(Workers workers) =>
        workers.For(
            _renewed.Count,
            index =>
            {
                (PackedKernel packed, Tensor<float> weights, KernelPacking packing) = _renewed[index];
                packing.Renew(packed, weights.Values);
            }
        );

    /// <summary>Ends the time in which entries of the former cache are taken over.</summary>
    public void Settle() => _former = null;

    private readonly struct Key(object purpose, Tensor?[] sources) : IEquatable<Key>
    {
        private readonly object _purpose = purpose;
        private readonly Tensor?[] _sources = sources;

        public bool Equals(Key other) =>
            _purpose.Equals(other._purpose) && _sources.AsSpan().SequenceEqual(other._sources, ReferenceEqualityComparer.Instance);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode()
        {
            HashCode hash = default;
            hash.Add(_purpose);
            foreach (Tensor? source in _sources)
                hash.Add(source, ReferenceEqualityComparer.Instance);
            return hash.ToHashCode();
        }
    }
}

/// <summary>A convolution and a method to pack its weights for; with a phase, taps turned for that phase of the input's gradient; with
/// a first layer, taps as <see cref="PlanarConvolution"/> takes them.</summary>
internal readonly record struct KernelPacking(
    ConvolutionShape Shape,
    ConvolutionMethod Method,
    InputPhase? Phase = null,
    ConvolutionShape? Planar = null
)
{
    /// <summary>For a first layer that reads plain planes.</summary>
    public static KernelPacking OfPlanar(in ConvolutionShape shape) =>
        new(PlanarConvolution.Folded(shape), ConvolutionMethod.Direct, null, shape);

    public static KernelPacking From(InputPhase phase, int images, int threads) =>
        new(phase.Convolution, phase.Method(images, threads), phase);

    public PackedKernel Pack(ReadOnlySpan<float> weights) => BlockedConvolution.Pack(Arranged(weights), Shape, Method);

    public void Renew(PackedKernel packed, ReadOnlySpan<float> weights) => packed.Renew(Arranged(weights), Shape);

    private ReadOnlySpan<float> Arranged(ReadOnlySpan<float> weights) =>
        Phase is { } phase ? phase.Turn(weights)
        : Planar is { } shape ? PlanarConvolution.Fold(shape, weights)
        : weights;
}
