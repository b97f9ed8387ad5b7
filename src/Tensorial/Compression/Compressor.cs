using System.Collections.Immutable;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Networks;

namespace Tensorial.Compression;

/// <summary>How chosen candidates become a network.</summary>
public sealed record RewriteOptions
{
    /// <summary>Images that covariances are taken over when layers are fitted one after another.</summary>
    public int CovarianceImages { get; init; } = 2000;

    public int Iterations { get; init; } = 300;

    /// <summary>Random starts of CP.</summary>
    public int Starts { get; init; } = 2;

    public int Threads { get; init; } = Environment.ProcessorCount;

    public int Seed { get; init; }
}

/// <summary>
/// Writes the chosen layers as factors, first to last. With calibration images each is fitted to undo what the layers before it have already changed:
/// it aims at the dense network's answers but reads the compressed network's activations.
/// </summary>
public static class Compressor
{
    private const int Batch = 50;

    /// <summary>The network with the chosen layers in factors, and their fits by layer name.</summary>
    public static (Graph Graph, ImmutableDictionary<string, TensorFactors<double>> Fits) Run(
        Graph graph, ImmutableArray<Candidate> chosen, ImageSet? images, RewriteOptions options, IProgress<Progress>? progress = null, CancellationToken cancel = default)
    {
        Graph current = graph;
        var fits = ImmutableDictionary.CreateBuilder<string, TensorFactors<double>>();
        Dictionary<string, int> places = graph.Nodes.Select(static (node, place) => (node, place)).Where(static pair => pair.node.Inputs.Length > 1)
            .DistinctBy(static pair => pair.node.Inputs[1]).ToDictionary(static pair => pair.node.Inputs[1], static pair => pair.place);
        Candidate[] order = [.. chosen.Where(static c => c.Form is not null).OrderBy(c => places[c.Layer.Name])];
        // What reads nothing that has changed can be fitted at the same time; with images every layer waits for those before it.
        if (images is null)
        {
            TensorFactors<double>[] found = new TensorFactors<double>[order.Length];
            int done = 0;
            Parallel.For(0, order.Length, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, options.Threads), CancellationToken = cancel }, k =>
            {
                found[k] = Fit(graph, order[k], order[k].Layer.Kernel, null, options, cancel);
                progress?.Report(new("rewrite", Interlocked.Increment(ref done), order.Length, "layers"));
            });
            for (int k = 0; k < order.Length; k++)
            {
                fits[order[k].Layer.Name] = found[k];
                current = FactorRewrite.Apply(current, order[k].Layer, order[k].Form!, found[k]);
            }
            return (current, fits.ToImmutable());
        }
        images = images.Take(Math.Min(options.CovarianceImages, images.Count));
        for (int k = 0; k < order.Length; k++)
        {
            CompressibleLayer layer = order[k].Layer;
            Tensor<double> target = layer.Kernel;
            Tensor<double>? covariance = null;
            if (LayerMetrics.Suits(layer))
            {
                InputCovariance moments = InputCovariance.Of(layer, current, k == 0 ? null : graph, images, Batch, options.Threads, cancel);
                covariance = KernelMetric.Regularised(moments.Own);
                if (k > 0) target = LayerMetrics.Target(layer.Kernel, moments.Own, covariance, moments.Cross);
            }
            TensorFactors<double> fit = Fit(graph, order[k], target, covariance, options, cancel);
            fits[layer.Name] = fit;
            current = FactorRewrite.Apply(current, layer, order[k].Form!, fit);
            progress?.Report(new("rewrite", k + 1, order.Length, "layers"));
        }
        return (current, fits.ToImmutable());
    }

    private static TensorFactors<double> Fit(
        Graph graph, Candidate candidate, Tensor<double> target, Tensor<double>? covariance, RewriteOptions options, CancellationToken cancel) =>
        KernelFit.Of(
            new KernelStarts(target, new(covariance, LayerMetrics.OutputWeights(graph, candidate.Layer)), candidate.Layer.Groups), candidate.Form!.Form, candidate.Form.Ranks,
            new(options.Starts, options.Iterations, options.Seed), cancel);
}
