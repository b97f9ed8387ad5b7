using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression.Int8;

/// <summary>What calibration samples make of a network's values: their scales, and their means.</summary>
/// <param name="graph">The prepared network.</param>
/// <param name="runtime">What runs it.</param>
/// <param name="threads">Threads to run with.</param>
/// <param name="samples">Inputs, enumerated anew for each pass.</param>
internal sealed class Calibration(Graph graph, IRuntime runtime, int threads, IEnumerable<InputBatch> samples)
{
    /// <summary>The scale of every value of 8 bits: two passes, one for the ranges and one for what lies in them.</summary>
    /// <exception cref="BadInputException">There is no sample.</exception>
    public IReadOnlyDictionary<string, ActivationScale> Scales(
        QuantizedValues values,
        QuantizationOptions options,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        Dictionary<string, ValueHistogram> histograms = values
            .InOrder.Select(values.HeadOf)
            .Distinct()
            .ToDictionary(static n => n, static n => new ValueHistogram(n));
        Each(histograms.Keys, "ranges", (name, observed) => histograms[name].Widen(observed.Values), progress, cancel);
        if (options.Method != RangeMethod.MinMax)
            Each(histograms.Keys, "histograms", (name, observed) => histograms[name].Count(observed.Values), progress, cancel);
        Dictionary<string, ActivationScale> scales = [];
        foreach (string value in values.InOrder)
            scales[value] = scales.TryGetValue(values.HeadOf(value), out ActivationScale known)
                ? known
                : histograms[values.HeadOf(value)].Scale(options.Method, options.Covered);
        return scales;
    }

    /// <summary>The biases that make up for the mean error of what layers answer: layer by layer, from the means of what they read.</summary>
    public IReadOnlyDictionary<Int8Layer, Tensor<float>> Biases(
        IReadOnlyList<Int8Layer> layers,
        IReadOnlyDictionary<string, ActivationScale> scales,
        IReadOnlyDictionary<Int8Layer, RoundedWeights> weights,
        bool corrected,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        Int8Layer[] able =
        [
            .. layers.Where(layer => !layer.WeightsOnly && (layer.Bias is not null || (corrected && layer.Node.Operation is not MatMul))),
        ];
        Dictionary<string, (MeanTensor Float, MeanTensor Rounded)> means = [];
        if (corrected)
        {
            foreach (Int8Layer layer in able)
                means[layer.Data] = (new(layer.Node.Operation is Gemm), new(layer.Node.Operation is Gemm));
            Each(
                means.Keys,
                "means",
                (name, observed) =>
                {
                    means[name].Float.Add(observed, static value => value);
                    means[name].Rounded.Add(observed, scales[name].Rounded);
                },
                progress,
                cancel
            );
        }
        return able.ToDictionary(static layer => layer, layer => Bias(layer, weights[layer], corrected ? means[layer.Data] : null));
    }

    private Tensor<float> Bias(Int8Layer layer, RoundedWeights rounded, (MeanTensor Float, MeanTensor Rounded)? means)
    {
        Tensor<float> weights = graph.Initializers[layer.Weights].Of<float>();
        int channels = weights.Shape[layer.ChannelAxis];
        Tensor<float> bias = LayerWeights.BiasOf(graph, layer)?.Clone() ?? new([channels]);
        if (means is not { } read)
            return bias;
        // The layer is linear: its mean answer is its answer to the mean, padding included.
        Tensor<float> wanted = layer.Node.Operation.Apply(read.Float.Result, weights)[0].Of<float>(),
            got = layer.Node.Operation.Apply(read.Rounded.Result, rounded.Restored(layer.ChannelAxis))[0].Of<float>();
        int places = wanted.Shape.ElementCount / channels;
        for (int channel = 0; channel < channels; channel++)
        {
            double error = 0;
            for (int place = 0; place < places; place++)
                error += got.Values[channel * places + place] - wanted.Values[channel * places + place];
            bias.Values[channel] -= (float)(error / places);
        }
        return bias;
    }

    /// <summary>Runs the samples and hands out what they make of some values, without the rows that only fill a batch.</summary>
    private void Each(
        IReadOnlyCollection<string> names,
        string what,
        Action<string, Tensor<float>> body,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        string[] made = [.. names.Where(name => graph.Inputs.All(port => port.Name != name))];
        using ISession? session = made.Length == 0 ? null : runtime.Load(Observed(made), threads);
        int done = 0;
        foreach (InputBatch batch in samples)
        {
            cancel.ThrowIfCancellationRequested();
            IReadOnlyDictionary<string, Tensor> results = session?.Run(batch.Inputs) ?? ImmutableDictionary<string, Tensor>.Empty;
            foreach (string name in names)
            {
                Tensor<float> value = (results.GetValueOrDefault(name) ?? batch.Inputs[name]).Of<float>();
                bool isFilled = batch.Count < batch.Extent && value.Shape.Rank > 0 && value.Shape[0] == batch.Extent;
                body(name, isFilled ? value.Rows(0, batch.Count) : value);
            }
            done += batch.Count;
            progress?.Report(new(what, done, 0, "samples"));
        }
        if (done == 0)
            throw new BadInputException("There is no sample to calibrate on.");
    }

    private Graph Observed(string[] values) =>
        RemoveUnused.Apply(graph with { Outputs = [.. values.Select(static value => new Port(value, ElementType.Float32, null))] });
}

/// <summary>The mean of a value over samples.</summary>
/// <param name="asRow">Whether all axes but the last count samples.</param>
internal sealed class MeanTensor(bool asRow)
{
    private double[] _sums = [];
    private Shape _shape;
    private long _count;

    /// <summary>The mean, [1, …] as one sample.</summary>
    public Tensor<float> Result => new(_shape, Array.ConvertAll(_sums, sum => (float)(sum / _count)));

    public void Add(Tensor<float> values, Func<float, float> map)
    {
        Shape one = asRow ? [1, values.Shape[^1]] : values.Shape.With(0, 1);
        if (_sums.Length == 0)
            (_shape, _sums) = (one, new double[one.ElementCount]);
        if (one != _shape)
            throw new ShapeException($"Calibration samples have different extents, {_shape} and {one}.");
        for (int k = 0; k < values.Values.Length; k++)
            _sums[k % _sums.Length] += map(values.Values[k]);
        _count += values.Shape.ElementCount / Math.Max(1, one.ElementCount);
    }
}
