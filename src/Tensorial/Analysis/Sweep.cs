using System.Diagnostics;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Analysis;

/// <summary>
/// Measures the points of a plan on images. What comes before the first truncated kernel is computed once for all points there,
/// decompositions serve all ranks of a ladder, untruncated points are the baseline, and every result goes to the store at once.
/// </summary>
internal sealed class Sweep : IDisposable
{
    /// <summary>Points that share one pass over the images where their common activations do not fit the budget.</summary>
    private const int PointsPerPass = 8;

    private readonly Graph _graph;
    private readonly Dictionary<string, Kernel> _kernels;
    private readonly ImageSet _images;
    private readonly int _batch;
    private readonly bool _probabilities;
    private readonly Inference _network;
    private readonly Workers _workers;
    private readonly PrefixActivations _prefix;
    private readonly BatchNormRecalibration? _recalibration;

    /// <param name="graph">The network.</param>
    /// <param name="kernels">The kernels that points may truncate.</param>
    /// <param name="images">What accuracy is measured on.</param>
    /// <param name="options">Batch size and memory.</param>
    /// <param name="threads">Threads the network runs on; 0 for all cores.</param>
    /// <param name="workers">Threads the decompositions run on.</param>
    /// <param name="calibration">Images to estimate batch-norm statistics on after each truncation; null to leave them alone.</param>
    public Sweep(
        Graph graph,
        IEnumerable<Kernel> kernels,
        ImageSet images,
        SweepOptions options,
        int threads,
        Workers workers,
        ImageSet? calibration = null
    )
    {
        images.LabelsFor("A sweep of accuracy");
        (_graph, _images, _batch, _workers) = (graph, images, options.Batch, workers);
        _kernels = kernels.ToDictionary(static kernel => kernel.Name);
        _probabilities = Scoring.GivesProbabilities(graph);
        // What is run is in float32, whatever the file stores.
        _network = new(InFloat32.Apply(graph), threads);
        _prefix = new(_network, images, options.Batch, options.ActivationBudget);
        _recalibration = calibration is null ? null : new(graph, calibration, options.Batch, threads);
    }

    /// <summary>The network as it is.</summary>
    public Evaluation Baseline(IProgress<Progress>? progress = null, CancellationToken cancel = default)
    {
        _prefix.MoveTo(0, cancel);
        return Evaluate([_network], progress, cancel)[0];
    }

    /// <summary>The network as it is, after its batch-norm statistics were estimated again; null without calibration images.</summary>
    public Evaluation? RecalibratedBaseline(CancellationToken cancel = default) => Recalibrated(_graph, cancel);

    /// <summary>Measures points, layer by layer with rising depth, and hands over each result as soon as it is there.</summary>
    /// <param name="units">Points that share decompositions, together.</param>
    /// <param name="measured">Called with the point, and its result under its first name.</param>
    /// <param name="progress">Told how many points are done, and what part of the work that is.</param>
    public void Run(
        IReadOnlyList<IReadOnlyList<SweepPoint>> units,
        Action<SweepPoint, TruncationResult> measured,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        Pace pace = new(units.Sum(static unit => unit.Count), units.Sum(unit => unit.Sum(Cost)), progress);
        var ordered =
            from unit in units
            where unit.Count > 0
            let step = StepOf(unit[0])
            orderby unit[0].Layer == SweepPlan.AllLayers, step
            select (unit, step);
        foreach ((IReadOnlyList<SweepPoint> unit, int step) in ordered)
        {
            Dictionary<(string, Cut), TruncationLadder> ladders = [];
            _prefix.MoveTo(step, cancel);
            foreach (SweepPoint[] points in unit.Chunk(_prefix.Held ? 1 : PointsPerPass))
            {
                foreach ((SweepPoint point, TruncationResult result) in points.Zip(Measure(points, ladders, cancel)))
                {
                    measured(point, result);
                    pace.Step(Cost(point));
                }
            }
        }
    }

    public void Dispose()
    {
        _network.Dispose();
    }

    private IEnumerable<TruncationResult> Measure(
        SweepPoint[] points,
        Dictionary<(string, Cut), TruncationLadder> ladders,
        CancellationToken cancel
    )
    {
        Stopwatch clock = Stopwatch.StartNew();
        Truncation[][] truncations = new Truncation[points.Length][];
        Graph[] graphs = new Graph[points.Length];
        List<Inference> networks = [];
        try
        {
            for (int k = 0; k < points.Length; k++)
            {
                cancel.ThrowIfCancellationRequested();
                graphs[k] = _graph;
                truncations[k] = [.. points[k].Kernels.Select(steps => Truncate(steps, ladders))];
                foreach (Truncation truncation in truncations[k])
                    graphs[k] = graphs[k].With(truncation.Account.Layer, _kernels[truncation.Account.Layer].Store(truncation.Values));
                networks.Add(_network.With(InFloat32.Apply(graphs[k])));
            }
            Evaluation[] evaluations = Evaluate(networks, null, cancel);
            double seconds = clock.Elapsed.TotalSeconds / points.Length;
            return
            [
                .. points.Select(
                    (point, k) =>
                        new TruncationResult
                        {
                            Layer = point.Layer,
                            Cut = point.Labels[0].Cut,
                            Rule = point.Labels[0].Rule,
                        }.With([.. truncations[k].Select(static t => t.Account)], evaluations[k]) with
                        {
                            Recalibrated = Recalibrated(graphs[k], cancel),
                            Seconds = seconds,
                        }
                ),
            ];
        }
        finally
        {
            networks.ForEach(static network => network.Dispose());
        }
    }

    /// <summary>One cut of a ladder shares the decomposition with its neighbours; several in sequence have their own.</summary>
    private Truncation Truncate(KernelSteps steps, Dictionary<(string, Cut), TruncationLadder> ladders)
    {
        Kernel kernel = _kernels[steps.Name];
        if (steps.Steps is not [{ Rule: RankRule.Rank rank } step])
            return Truncation.From(kernel, steps.Steps, _workers);
        if (!ladders.TryGetValue((steps.Name, step.Cut), out TruncationLadder? ladder))
            ladders[(steps.Name, step.Cut)] = ladder = new(kernel, step.Cut, _workers);
        return ladder.At(rank.Value);
    }

    /// <summary>Several networks that are the same up to where the prefix stands, in one pass over the images.</summary>
    private Evaluation[] Evaluate(IReadOnlyList<Inference> networks, IProgress<Progress>? progress, CancellationToken cancel)
    {
        Scoring[] scorings = [.. networks.Select(_ => new Scoring(_probabilities))];
        for (int index = 0; index < _prefix.Batches; index++)
        {
            cancel.ThrowIfCancellationRequested();
            Activations at = _prefix.At(index);
            for (int k = 0; k < networks.Count; k++)
                scorings[k].Add(networks[k].RunFrom(at), _prefix.Labels(index));
            progress?.Report(new("baseline", index + 1, _prefix.Batches, "batches"));
        }
        return [.. scorings.Select(static scoring => scoring.Result)];
    }

    private Evaluation? Recalibrated(Graph graph, CancellationToken cancel)
    {
        if (_recalibration is null)
            return null;
        using Inference network = _network.With(InFloat32.Apply(_recalibration.Of(graph, cancel)));
        // From the images on: normalisations before the truncated kernel have changed too.
        Scoring scoring = new(_probabilities);
        foreach (ImageBatch some in _images.Batches(_batch, cancel))
            scoring.Add(network.Run(some.Images), some.Labels.Span);
        return scoring.Result;
    }

    private int StepOf(SweepPoint point) => point.Kernels.Min(steps => _network.StepOf(steps.Name));

    /// <summary>Roughly what a point costs: the part of the network after its first truncated kernel.</summary>
    private double Cost(SweepPoint point) => 1 - 0.95 * StepOf(point) / Math.Max(1, _graph.Nodes.Length);
}
