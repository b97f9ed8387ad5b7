using System.Collections.Immutable;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Compression;

/// <summary>How chosen candidates become a network.</summary>
internal sealed record RewriteOptions
{
    /// <summary>Images that covariances are taken over when layers are fitted one after another.</summary>
    public int CovarianceImages { get; init; } = 2000;

    /// <summary>Most iterations of a fit.</summary>
    public int Iterations { get; init; } = 800;

    /// <summary>Starts of CP.</summary>
    public int Starts { get; init; } = 1;

    /// <summary>Threads to use.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Seed of random starts.</summary>
    public int Seed { get; init; }
}

/// <summary>
/// Writes the chosen layers as factors, first to last. With calibration images each is fitted to undo what the layers before it have
/// already changed: it aims at the dense network's answers but reads the compressed network's activations; what is left of the means goes
/// into a bias.
/// </summary>
/// <param name="network">The dense network.</param>
/// <param name="images">Calibration images; null for none.</param>
/// <param name="options">How hard to fit.</param>
/// <param name="memory">Where factors of an earlier run lie.</param>
internal sealed class Compressor(Graph network, ImageSet? images, RewriteOptions options, ResultCache memory)
{
    private const int Batch = 50;

    private readonly Graph _graph = WeightsAsInitializers.Apply(network);

    /// <summary>The network with the chosen layers in factors, and their fits by layer name.</summary>
    public (Graph Graph, ImmutableDictionary<string, TensorFactors<double>> Fits) Run(
        ImmutableArray<CompressionCandidate> chosen,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        Dictionary<string, int> places = _graph
            .Nodes.Select(static (node, place) => (node, place))
            .SelectMany(static pair => pair.node.Outputs.Where(static name => name.Length > 0).Select(name => (name, pair.place)))
            .ToDictionary(static pair => pair.name, static pair => pair.place);
        CompressionCandidate[] order = [.. chosen.Where(static c => c.Form is not null).OrderBy(c => places[c.Layer.Use.Made])];
        return images is null
            ? Together(order, progress, cancel)
            : InTurn(order, images.Take(Math.Min(options.CovarianceImages, images.Count)), progress, cancel);
    }

    /// <summary>Without images no layer depends on another.</summary>
    private (Graph, ImmutableDictionary<string, TensorFactors<double>>) Together(
        CompressionCandidate[] order,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        TensorFactors<double>[] found = new TensorFactors<double>[order.Length];
        int done = 0;
        ParallelOptions threads = new() { MaxDegreeOfParallelism = Math.Max(1, options.Threads), CancellationToken = cancel };
        Parallel.For(
            0,
            order.Length,
            threads,
            k =>
            {
                CompressibleLayer layer = order[k].Layer;
                found[k] = Remembered(
                    KeyOf(order[k]),
                    order[k].Form!,
                    () => (Fit(order[k], new(layer.Kernel, LayerMetrics.Of(_graph, layer, null), layer.Groups), Workers.Serial, cancel), [])
                ).Fit;
                progress?.Report(new("rewrite", Interlocked.Increment(ref done), order.Length, "layers"));
            }
        );
        Graph current = _graph;
        for (int k = 0; k < order.Length; k++)
            current = FactorRewrite.Apply(current, order[k].Layer, order[k].Form!, found[k]);
        return (current, Enumerable.Range(0, order.Length).ToImmutableDictionary(k => order[k].Layer.Name, k => found[k]));
    }

    private (Graph, ImmutableDictionary<string, TensorFactors<double>>) InTurn(
        CompressionCandidate[] order,
        ImageSet images,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        using ThreadWorkers workers = new(Math.Max(1, options.Threads));
        Graph current = _graph;
        var fits = ImmutableDictionary.CreateBuilder<string, TensorFactors<double>>();
        string before = $"{options.CovarianceImages}";
        for (int k = 0; k < order.Length; k++)
        {
            CompressibleLayer layer = order[k].Layer;
            // A fit depends on all fits before it.
            before += $" {KeyOf(order[k])}";
            progress?.Report(new("rewrite", k, order.Length, "layers"));
            (TensorFactors<double> fit, double[] shift) = Remembered(
                before,
                order[k].Form!,
                () => FitTo(order[k], current, k == 0, images, workers, cancel)
            );
            fits[layer.Name] = fit;
            if (shift.Length > 0)
                current = ShiftSlot.From(_graph, layer)!.Apply(current, _graph, shift);
            current = FactorRewrite.Apply(current, layer, order[k].Form!, fit);
        }
        progress?.Report(new("rewrite", order.Length, order.Length, "layers"));
        return (current, fits.ToImmutable());
    }

    /// <summary>A layer's factors, from what the network written so far reads, and what its bias must make up for.</summary>
    private (TensorFactors<double> Fit, double[] Shift) FitTo(
        CompressionCandidate candidate,
        Graph current,
        bool isFirst,
        ImageSet images,
        Workers workers,
        CancellationToken cancel
    )
    {
        CompressibleLayer layer = candidate.Layer;
        InputMoments? moments = LayerMetrics.Suits(layer)
            ? InputMoments.From(layer, current, isFirst ? null : _graph, images, Batch, options.Threads, cancel)
            : null;
        KernelMetric metric = LayerMetrics.Of(_graph, layer, moments);
        bool centred = ShiftSlot.From(_graph, layer) is not null;
        Tensor<double> target =
            moments is null || isFirst
                ? layer.Kernel
                : LayerMetrics.Target(layer.Kernel, moments.Own(centred), metric.Covariance!, moments.Cross(centred));
        TensorFactors<double> fit = Fit(candidate, new(target, metric, layer.Groups), workers, cancel);
        return (fit, moments is null || !centred ? [] : ShiftSlot.Shift(layer.Kernel, moments.DenseMean, fit.Reconstruct(), moments.Mean));
    }

    private (TensorFactors<double> Fit, double[] Shift) Remembered(
        string name,
        LayerForm form,
        Func<(TensorFactors<double> Fit, double[] Shift)> make
    )
    {
        if (memory.FindValues($"shift {name}") is { } shift && memory.FindFactors(name, form) is { } known)
            return (known, shift);
        (TensorFactors<double> Fit, double[] Shift) made = make();
        memory.AddValues($"shift {name}", made.Shift);
        memory.AddFactors(name, made.Fit);
        return made;
    }

    private string KeyOf(CompressionCandidate candidate) =>
        $"factors {candidate.Layer.Name} {candidate.Form} {candidate.Form!.Form.Folding.Folded} {options.Starts} {options.Iterations} {options.Seed}";

    private TensorFactors<double> Fit(CompressionCandidate candidate, KernelStarts starts, Workers workers, CancellationToken cancel) =>
        KernelFactorization
            .Climbed(
                starts,
                candidate.Form!.Form,
                candidate.Form.Ranks,
                new(options.Starts, options.Iterations, options.Seed, workers),
                cancel
            )
            .Balanced();
}
