using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Compression;

/// <summary>
/// Moments of what a layer reads: the means of x and of x xᵀ over the patches x [i h w] that its kernel meets, accumulated batch by batch;
/// with a second network also those of y and y xᵀ, between what the layer reads in the one (y) and in the other (x).
/// </summary>
internal sealed class InputMoments
{
    /// <summary>
    /// Places looked at, per image: neighbouring patches overlap and say the same, so that a part of them is as good as all.
    /// </summary>
    private const int MostPlaces = 256;

    private readonly int _n;
    private readonly double[] _own,
        _cross,
        _sums,
        _others;
    private double _count;

    private InputMoments(int n, bool cross) =>
        (_n, _own, _cross, _sums, _others) = (
            n,
            new double[n * n],
            cross ? new double[n * n] : [],
            new double[n],
            cross ? new double[n] : []
        );

    /// <summary>The mean of x.</summary>
    public double[] Mean => Array.ConvertAll(_sums, sum => sum / _count);

    /// <summary>The mean of y; that of x where there is no second network.</summary>
    public double[] DenseMean => Array.ConvertAll(_others.Length > 0 ? _others : _sums, sum => sum / _count);

    /// <summary>The mean of x xᵀ [n, n]; centred, the covariance of x.</summary>
    public Tensor<double> Own(bool centred) => Moment(_own, centred ? _sums : null, _sums);

    /// <summary>The mean of y xᵀ [n, n]; centred, the covariance of y and x.</summary>
    public Tensor<double> Cross(bool centred) => Moment(_cross, centred ? _others : null, _sums);

    private bool IsFinite => new[] { _own, _cross, _sums, _others }.All(static sums => sums.All(double.IsFinite));

    /// <summary>Runs images up to the layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="changed">The network that reads x, in which earlier layers may be compressed.</param>
    /// <param name="dense">The network that reads y; null where only Σ is wanted.</param>
    /// <param name="images">Images.</param>
    /// <param name="batch">How many at a time.</param>
    /// <param name="threads">Threads to run with.</param>
    /// <param name="cancel">Ends it between batches.</param>
    /// <exception cref="NumericalException">What the layer reads, or its square, is not finite; names the layer.</exception>
    public static InputMoments From(
        CompressibleLayer layer,
        Graph changed,
        Graph? dense,
        ImageSet images,
        int batch,
        int threads,
        CancellationToken cancel
    )
    {
        using ThreadWorkers workers = new(threads > 0 ? threads : Environment.ProcessorCount);
        InputMoments result = new(layer.Kernel.Shape.ElementCount / layer.Kernel.Shape[0], dense is not null);
        foreach (LayerUse use in layer.Uses)
        {
            using Inference one = new(InFloat32.Apply(changed.ExtractSubgraph(use.Data)), threads);
            using Inference? other = dense is null ? null : new(InFloat32.Apply(dense.ExtractSubgraph(use.Data)), threads);
            foreach (ImageBatch some in images.Batches(batch, cancel))
                result.AddAll(new(layer, use), one.RunParts(some.Images), other?.RunParts(some.Images), some.First, workers);
            if (!result.IsFinite)
                throw new NumericalException(
                    $"Layer '{layer.Name}' reads '{use.Data}', whose values on the calibration images are not finite, or too large for their squares to be: what comes before it leaves the range of float32."
                );
        }
        return result;
    }

    private void AddAll(InputPatches layer, IEnumerable<Tensor<float>> xs, IEnumerable<Tensor<float>>? ys, int seed, Workers workers)
    {
        foreach ((Tensor<float> x, Tensor<float>? y) in xs.Zip(ys ?? Enumerable.Repeat<Tensor<float>?>(null, int.MaxValue)))
            Add(layer, x, y, seed, workers);
    }

    private void Add(InputPatches layer, Tensor<float> x, Tensor<float>? y, int seed, Workers workers)
    {
        (int Image, int Place)[] places = layer.Places(x.Shape, MostPlaces, seed);
        float[] patches = layer.Of(x, places),
            gram = new float[_n * _n];
        MatrixProduct.Multiply<float>(_n, _n, places.Length, 1, patches, 1, _n, patches, _n, 1, 0, gram, _n, workers);
        for (int k = 0; k < gram.Length; k++)
            _own[k] += gram[k];
        Sum(patches, _sums);
        if (y is not null)
        {
            float[] others = layer.Of(y, places);
            MatrixProduct.Multiply<float>(_n, _n, places.Length, 1, others, 1, _n, patches, _n, 1, 0, gram, _n, workers);
            for (int k = 0; k < gram.Length; k++)
                _cross[k] += gram[k];
            Sum(others, _others);
        }
        _count += places.Length;
    }

    private void Sum(float[] patches, double[] sums)
    {
        for (int at = 0; at < patches.Length; at += _n)
        for (int k = 0; k < _n; k++)
            sums[k] += patches[at + k];
    }

    private Tensor<double> Moment(double[] products, double[]? left, double[] right)
    {
        Tensor<double> moment = new([_n, _n]);
        for (int k = 0; k < products.Length; k++)
            moment.Values[k] = products[k] / _count - (left is null ? 0 : left[k / _n] / _count * (right[k % _n] / _count));
        return moment;
    }
}
