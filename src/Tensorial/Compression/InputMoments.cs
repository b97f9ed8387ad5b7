using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;
using Gemm = Tensorial.Kernels.Gemm;

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

    /// <summary>Runs images up to the layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="changed">The network that reads x, in which earlier layers may be compressed.</param>
    /// <param name="dense">The network that reads y; null where only Σ is wanted.</param>
    /// <param name="images">Images.</param>
    /// <param name="batch">How many at a time.</param>
    /// <param name="threads">Threads to run with.</param>
    /// <param name="cancel">Ends it between batches.</param>
    public static InputMoments Of(
        CompressibleLayer layer,
        Graph changed,
        Graph? dense,
        ImageSet images,
        int batch,
        int threads,
        CancellationToken cancel
    )
    {
        string input = layer.Weight.Node.Inputs[0];
        using ThreadWorkers workers = new(threads > 0 ? threads : Environment.ProcessorCount);
        using Inference one = new(changed.Until(input), threads);
        using Inference? other = dense is null ? null : new(dense.Until(input), threads);
        InputMoments result = new(layer.Kernel.Shape.Count / layer.Kernel.Shape[0], dense is not null);
        foreach (ImageBatch some in images.Batches(batch, cancel))
            result.Add(layer, one.Run(some.Images), other?.Run(some.Images), some.First, workers);
        return result;
    }

    private void Add(CompressibleLayer layer, Tensor<float> x, Tensor<float>? y, int seed, Workers workers)
    {
        (int Image, int Row, int Column)[] places = Places(layer, x.Shape[0], seed);
        float[] patches = Patches(layer, x, places),
            gram = new float[_n * _n];
        Gemm.Multiply<float>(_n, _n, places.Length, 1, patches, 1, _n, patches, _n, 1, 0, gram, _n, workers);
        for (int k = 0; k < gram.Length; k++)
            _own[k] += gram[k];
        Sum(patches, _sums);
        if (y is not null)
        {
            float[] others = Patches(layer, y, places);
            Gemm.Multiply<float>(_n, _n, places.Length, 1, others, 1, _n, patches, _n, 1, 0, gram, _n, workers);
            for (int k = 0; k < gram.Length; k++)
                _cross[k] += gram[k];
            Sum(others, _others);
        }
        _count += places.Length;
    }

    /// <summary>Some places of every image, the same for both networks.</summary>
    private static (int, int, int)[] Places(CompressibleLayer layer, int images, int seed)
    {
        if (layer.IsDense)
            return [.. Enumerable.Range(0, images).Select(static image => (image, 0, 0))];
        int height = layer.Output[2],
            width = layer.Output[3];
        int[] all = [.. Enumerable.Range(0, height * width)];
        Random random = new(seed);
        return
        [
            .. from image in Enumerable.Range(0, images)
            from place in all.Length <= MostPlaces ? all : random.GetItems(all, MostPlaces)
            select (image, place / width, place % width),
        ];
    }

    /// <summary>[place, i h w]; zero beyond the edges.</summary>
    private float[] Patches(CompressibleLayer layer, Tensor<float> x, (int Image, int Row, int Column)[] places)
    {
        float[] patches = new float[places.Length * _n];
        if (layer.IsDense)
        {
            x.Values.CopyTo(patches);
            return patches;
        }
        Convolution convolution = (Convolution)layer.Weight.Node.Operation;
        WindowAxis down = convolution.Windows(x.Shape, layer.Weight.Weights.Shape)[0],
            right = convolution.Windows(x.Shape, layer.Weight.Weights.Shape)[1];
        int channels = x.Shape[1],
            height = x.Shape[2],
            width = x.Shape[3];
        for (int place = 0; place < places.Length; place++)
        {
            (int image, int row, int column) = places[place];
            int at = place * _n,
                top = row * down.Stride - down.Begin,
                left = column * right.Stride - right.Begin;
            for (int channel = 0; channel < channels; channel++)
            {
                int plane = (image * channels + channel) * height * width;
                for (int h = 0; h < down.Taps; h++)
                for (int w = 0; w < right.Taps; w++, at++)
                {
                    int r = top + h * down.Dilation,
                        c = left + w * right.Dilation;
                    if ((uint)r < (uint)height && (uint)c < (uint)width)
                        patches[at] = x.Values[plane + r * width + c];
                }
            }
        }
        return patches;
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
