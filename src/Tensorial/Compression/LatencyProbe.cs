using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
using Tensorial.Networks;

namespace Tensorial.Compression;

/// <summary>
/// Times layers by themselves, dense and in factors, one image at a time. Times of factors depend on extents alone, so that zeros serve as values
/// and layers that are alike are timed once.
/// </summary>
public sealed class LatencyProbe(IRuntime runtime, int threads)
{
    private const int Measurements = 7;

    private readonly Dictionary<string, double> _known = [];

    /// <summary>The candidates with their times, without those that are no faster than the dense layer.</summary>
    public ImmutableArray<ImmutableArray<Candidate>> Timed(
        ImmutableArray<ImmutableArray<Candidate>> choices, IProgress<Progress>? progress = null, CancellationToken cancel = default)
    {
        int done = 0;
        return
        [
            .. choices.Select(layer =>
            {
                Candidate[] timed = [.. layer.Select(candidate =>
                {
                    cancel.ThrowIfCancellationRequested();
                    progress?.Report(new("time", ++done, choices.Sum(static c => c.Length), "candidates"));
                    return candidate with { Milliseconds = MillisecondsOf(candidate) };
                })];
                double dense = timed.First(static candidate => candidate.Format is null).Milliseconds!.Value;
                return timed.Where(candidate => candidate.Format is null || candidate.Milliseconds < dense).ToImmutableArray();
            }),
        ];
    }

    /// <summary>Milliseconds of a whole network for one image.</summary>
    public double MillisecondsOf(Graph graph) => Time(graph, RandomImages.Of(graph, 1, 0));

    private double MillisecondsOf(Candidate candidate)
    {
        CompressibleLayer layer = candidate.Layer;
        Node node = layer.Weight.Node;
        string key = $"{node.Operation} {layer.Kernel.Shape} {layer.Input} {candidate.Form} {candidate.Form?.Order}";
        if (_known.TryGetValue(key, out double known)) return known;
        Graph alone = new(
            "layer", [node with { Inputs = [.. node.Inputs.Take(2)], Source = null }],
            [new(node.Inputs[0], ElementType.Float32, [.. layer.Input.Select(static extent => new Dimension(extent))])],
            [new(node.Outputs[0], ElementType.Float32, [.. layer.Output.Select(static extent => new Dimension(extent))])],
            ImmutableDictionary<string, Tensor>.Empty.Add(layer.Name, layer.Weight.Weights));
        if (candidate.Form is { } form)
        {
            ImmutableArray<Tensor<double>> zeros = [.. form.Form.Tensor.FactorShapes(form.Form.Folding.Folded, form.Ranks.AsSpan()).Select(static shape => new Tensor<double>(shape))];
            alone = FactorRewrite.Apply(alone, layer, form, new(form.Form.Tensor, form.Form.Folding, form.Ranks, zeros, 1));
        }
        return _known[key] = Time(alone, new Tensor<float>(layer.Input));
    }

    private double Time(Graph graph, Tensor<float> images)
    {
        using ISession session = runtime.Load(graph, threads);
        return 1e3 * PairedTiming.Seconds(() => session.Run(images), Measurements);
    }
}
