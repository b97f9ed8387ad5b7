using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Training.Distributed;

namespace Tensorial.Training;

/// <summary>One value of a network for some images: kept once computed, or computed anew whenever some of it is asked for.</summary>
internal sealed class BlockActivations : IDisposable
{
    private readonly ImageSet _images;
    private readonly Inference? _network;
    private Tensor<float>? _kept;

    /// <param name="graph">The network.</param>
    /// <param name="value">The value; of an input the images themselves, which nothing needs to keep.</param>
    /// <param name="images">The images.</param>
    /// <param name="threads">Threads to compute with.</param>
    public BlockActivations(Graph graph, string value, ImageSet images, int threads)
    {
        _images = images;
        if (graph.Inputs.All(port => port.Name != value))
            _network = new(graph.ExtractSubgraph(value).WithImageShape(images.ImageShape), threads);
        Threads = threads;
    }

    /// <summary>Extents for one image.</summary>
    public Shape Shape => _network is null ? _images.ImageShape : [.. _network.OutputShape.Skip(1)];

    /// <summary>Bytes of the values of all images, if they are kept.</summary>
    public long KeptBytes => _network is null ? 0 : BytesOf(_images.Count);

    private int Threads { get; }

    /// <summary>Bytes of a batch, and of what computing it takes.</summary>
    public long BatchBytes(int images) => BytesOf(images) + (_network?.ActivationBytes ?? 0) * Threads;

    /// <summary>Computes the values of all images; of several ranks, each those of its share.</summary>
    public void Keep(int batch, ICommunicator? ranks, CancellationToken cancel)
    {
        if (_network is null)
            return;
        Tensor<float> all = new([_images.Count, .. Shape]);
        int row = Shape.ElementCount;
        BatchShare share = BatchShare.Of(ranks, _images.Count);
        if (share.Count > 0)
            foreach (ImageBatch some in _images.Skip(share.First).Take(share.Count).Batches(batch, cancel))
                _network.Run(some.Images).Values.CopyTo(all.Values.Slice((share.First + some.First) * row, some.Count * row));
        ranks?.ShareRows(all, cancel);
        _kept = all;
    }

    /// <summary>The values of some images.</summary>
    public Tensor<float> Pick(ReadOnlySpan<int> images)
    {
        if (_kept is null)
            return _network is null ? _images.Pick(images) : _network.Run(_images.Pick(images));
        Tensor<float> picked = new([images.Length, .. Shape]);
        int row = Shape.ElementCount;
        for (int i = 0; i < images.Length; i++)
            _kept.Values.Slice(images[i] * row, row).CopyTo(picked.Values[(i * row)..]);
        return picked;
    }

    public void Dispose() => _network?.Dispose();

    private long BytesOf(int images) => (long)images * Shape.ElementCount * sizeof(float);
}
