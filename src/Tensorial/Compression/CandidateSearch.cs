using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Networks;

namespace Tensorial.Compression;

/// <summary>What candidates are made of.</summary>
public sealed record SearchOptions
{
    public ImmutableArray<KernelFormat> Formats { get; init; } = [KernelFormat.SvdOut, KernelFormat.SvdIn, KernelFormat.SpatialSvd, KernelFormat.Tucker2, KernelFormat.Cp, KernelFormat.Cp3];

    /// <summary>Parts of the kernel's parameters that candidates keep.</summary>
    public ImmutableArray<double> Rates { get; init; } = [0.06, 0.1, 0.15, 0.2, 0.27, 0.35, 0.45, 0.6, 0.8];

    /// <summary>Ranks are multiples of this where they are larger.</summary>
    public int RankMultiple { get; init; } = 1;

    /// <summary>Whether to measure candidates too that are larger, dearer and worse than another of the same layer: they may still be faster.</summary>
    public bool KeepDominated { get; init; }

    /// <summary>Images that covariances are taken over, and damage is measured on.</summary>
    public int CovarianceImages { get; init; } = 400;

    public int DamageImages { get; init; } = 400;

    public int Threads { get; init; } = Environment.ProcessorCount;

    public int Seed { get; init; }
}

/// <summary>Finds for every layer how it can be written and what that does to the network.</summary>
public static class CandidateSearch
{
    private const int Batch = 50;

    /// <summary>Larger kernels are fitted from singular vectors alone, without a descent; those that have only the descent are left out.</summary>
    private const int MostDescended = 400_000;

    private const int Iterations = 60;

    /// <summary>Bytes of activations kept while candidates of one layer are tried.</summary>
    private const long ActivationBudget = 1L << 29;

    /// <summary>The candidates of each layer, the dense one first.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="layers">Its layers, in order.</param>
    /// <param name="images">Calibration images; null for none.</param>
    /// <param name="options">What to try.</param>
    /// <param name="progress">Told of each fit and each measurement.</param>
    /// <param name="cancel">Ends it.</param>
    public static ImmutableArray<ImmutableArray<Candidate>> Run(
        Graph graph, ImmutableArray<CompressibleLayer> layers, ImageSet? images, SearchOptions options, IProgress<Progress>? progress = null,
        CancellationToken cancel = default)
    {
        KernelStarts?[] starts = [.. layers.Select((layer, k) => new KernelStarts(layer.Kernel, MetricOf(graph, layer, images, options, k, layers.Length, progress, cancel), layer.Groups))];
        (int Layer, LayerForm Form)[] jobs =
        [
            .. layers.SelectMany((layer, k) => options.Formats.Where(format => layer.Formats.Any(known => known.Name == format.Name))
                .Where(format => !IsIterative(format) || layer.Kernel.Shape.Count <= MostDescended)
                .SelectMany(format => FormsOf(layer, format, options).Select(form => (k, form)))),
        ];
        TensorFactors<double>[] fits = new TensorFactors<double>[jobs.Length];
        int done = 0;
        int[] open = new int[layers.Length];
        foreach (var job in jobs) open[job.Layer]++;
        // The largest kernels first, so that no thread is left with one at the end.
        int[] order = [.. Enumerable.Range(0, jobs.Length).OrderByDescending(job => layers[jobs[job].Layer].Parameters)];
        Parallel.ForEach(order, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, options.Threads), CancellationToken = cancel }, job =>
        {
            (int layer, LayerForm form) = jobs[job];
            int iterations = layers[layer].Kernel.Shape.Count <= MostDescended ? Iterations : 0;
            fits[job] = KernelFit.Of(starts[layer]!, form.Form, form.Ranks, new(1, iterations, options.Seed), cancel);
            // Vectors of large kernels are as large as they: they go with the last fit that needs them.
            if (Interlocked.Decrement(ref open[layer]) == 0) starts[layer] = null;
            progress?.Report(new("fit", Interlocked.Increment(ref done), jobs.Length, "candidates"));
        });

        if (!options.KeepDominated)
        {
            int[] kept = [.. Enumerable.Range(0, jobs.Length).Where(job => !Enumerable.Range(0, jobs.Length).Any(other => Dominates(other, job)))];
            (jobs, fits) = ([.. kept.Select(job => jobs[job])], [.. kept.Select(job => fits[job])]);
        }
        double[] damages = images is null
            ? [.. fits.Select(static fit => NoiseToSignal(fit.RelativeError))]
            : Damages(graph, layers, jobs.Select(static job => job.Layer), fits, images.Take(Math.Min(options.DamageImages, images.Count)), options, progress, cancel);
        ILookup<int, Candidate> found = Enumerable.Range(0, jobs.Length).ToLookup(
            job => jobs[job].Layer, job => Candidate.Of(layers[jobs[job].Layer], jobs[job].Form, fits[job].RelativeError, damages[job]));
        return [.. layers.Select((layer, k) => found[k].Prepend(Candidate.Dense(layer)).ToImmutableArray())];

        // Whether one fit of a layer is no larger, no dearer and no worse than another, and better in something.
        bool Dominates(int one, int other)
        {
            if (jobs[one].Layer != jobs[other].Layer || one == other) return false;
            CompressibleLayer layer = layers[jobs[one].Layer];
            (long, long, double) a = (jobs[one].Form.Parameters, jobs[one].Form.MacsOf(layer), fits[one].RelativeError);
            (long, long, double) b = (jobs[other].Form.Parameters, jobs[other].Form.MacsOf(layer), fits[other].RelativeError);
            return a.Item1 <= b.Item1 && a.Item2 <= b.Item2 && a.Item3 <= b.Item3 && (a != b || one < other);
        }
    }

    /// <summary>What is wrong over what is left. Unlike the squared error alone it has no bound: no layer is given up to spare the others.</summary>
    private static double NoiseToSignal(double error) => error * error / Math.Max(1e-9, 1 - error * error);

    private static KernelMetric MetricOf(
        Graph graph, CompressibleLayer layer, ImageSet? images, SearchOptions options, int index, int count, IProgress<Progress>? progress, CancellationToken cancel)
    {
        double[]? weights = LayerMetrics.OutputWeights(graph, layer);
        if (images is null || !LayerMetrics.Suits(layer)) return new(null, weights);
        InputCovariance moments = InputCovariance.Of(
            layer, graph, null, images.Take(Math.Min(options.CovarianceImages, images.Count)), Batch, options.Threads, cancel);
        progress?.Report(new("calibrate", index + 1, count, "layers"));
        return new(KernelMetric.Regularised(moments.Own), weights);
    }

    /// <summary>Whether only a long iteration fits the format.</summary>
    private static bool IsIterative(KernelFormat format) => format.Name is "cp" or "cp3" or "tr" or "rcp" or "rtr";

    /// <summary>Distinct forms at the rates, of those that are smaller than the dense kernel.</summary>
    private static IEnumerable<LayerForm> FormsOf(CompressibleLayer layer, KernelFormat format, SearchOptions options)
    {
        KernelForm form = layer.FormOf(format);
        return options.Rates.Select(rate => form.RanksAt(rate, options.RankMultiple))
            .Where(ranks => form.Parameters(ranks.AsSpan()) < layer.Parameters)
            .DistinctBy(static ranks => string.Join('×', ranks))
            .Select(ranks => LayerForm.Of(layer, format, ranks));
    }

    /// <summary>
    /// Mean KL divergence of the network's predictions when one layer alone is replaced by a candidate's kernel. Layers are tried in the order of the
    /// network, so that the activations before each are computed once.
    /// </summary>
    private static double[] Damages(
        Graph graph, ImmutableArray<CompressibleLayer> layers, IEnumerable<int> layerOf, TensorFactors<double>[] fits, ImageSet images, SearchOptions options,
        IProgress<Progress>? progress, CancellationToken cancel)
    {
        double[] damages = new double[fits.Length];
        ILookup<int, int> jobs = layerOf.Select(static (layer, job) => (layer, job)).ToLookup(static pair => pair.layer, static pair => pair.job);
        bool probabilities = Scoring.GivesProbabilities(graph);
        using Inference dense = new(graph, options.Threads);
        int[] order = [.. Enumerable.Range(0, layers.Length).OrderBy(layer => dense.StepOf(layers[layer].Name))];
        List<(Activations At, Tensor<float> Answer)> batches = [];
        long bytes = 0;
        for (int first = 0; first < images.Count && bytes < ActivationBudget; first += Batch)
        {
            Tensor<float> pixels = images.Batch(first, Math.Min(Batch, images.Count - first));
            Activations start = dense.RunTo(dense.StepOf(layers[order[0]].Name), pixels);
            bytes += 2 * start.Bytes + pixels.Values.Length * sizeof(float);
            batches.Add((start, dense.Run(pixels)));
        }
        int done = 0;
        foreach (int layer in order)
        {
            int step = dense.StepOf(layers[layer].Name);
            for (int k = 0; k < batches.Count; k++)
                if (batches[k].At.Step < step) batches[k] = (dense.Continue(batches[k].At, step), batches[k].Answer);
            foreach (int job in jobs[layer])
            {
                cancel.ThrowIfCancellationRequested();
                Tensor weights = StoredAs(layers[layer].Weight, fits[job].Reconstruct());
                Inference changed = dense.With(graph.With(layers[layer].Name, weights));
                damages[job] = batches.Sum(batch => Verification.Of(_ => batch.Answer, _ => changed.RunFrom(batch.At), [batch.Answer], probabilities).KlDivergence)
                    / batches.Count;
                progress?.Report(new("measure", ++done, fits.Length, "candidates"));
            }
        }
        return damages;
    }

    /// <summary>A kernel [o, i, h, w] in the form and type of the network's weights.</summary>
    internal static Tensor StoredAs(KernelWeight weight, Tensor<double> kernel)
    {
        if (weight.Weights.Shape.Rank == 2)
        {
            kernel = kernel.As([kernel.Shape[0], kernel.Shape[1]]);
            if (weight.Axes[0] == "i")
            {
                Tensor<double> turned = new([kernel.Shape[1], kernel.Shape[0]]);
                Strided.Permute<double>(kernel.Shape, kernel.Values, [1, 0], turned.Values);
                kernel = turned;
            }
        }
        return kernel.To(weight.Weights.ElementType);
    }
}
