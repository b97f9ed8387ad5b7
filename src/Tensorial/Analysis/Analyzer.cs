using System.Diagnostics;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Analysis;

/// <summary>
/// The main job: the spectra of a network's kernels and, with images, the accuracy left after each truncation. What a store
/// already holds is not computed again.
/// </summary>
internal sealed record Analyzer
{
    public required Graph Graph { get; init; }

    /// <summary>The layers to cut, from <see cref="LayerFacts"/>, in the order of the network.</summary>
    public required IReadOnlyList<LayerFacts> Layers { get; init; }

    /// <summary>What is reported without being cut.</summary>
    public IReadOnlyList<UncutLayer> Uncut { get; init; } = [];

    public required ModelSummary Model { get; init; }

    public required Provenance Provenance { get; init; }

    /// <summary>What accuracy is measured on; null for spectra alone.</summary>
    public ImageSet? Images { get; init; }

    /// <summary>Training images batch-norm statistics are estimated on again after each truncation; null to leave them alone.</summary>
    public ImageSet? Calibration { get; init; }

    public SweepOptions Options { get; init; } = new();

    /// <summary>Where finished measurements are kept; null to keep none.</summary>
    public ResultStore? Store { get; init; }

    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>An analysis of these weights of a network.</summary>
    public static Analyzer Create(Graph graph, KernelWeights weights, Provenance provenance)
    {
        GraphStatistics statistics = GraphStatistics.From(graph);
        IReadOnlyDictionary<Node, long> macs = LayerFacts.MacsOf(statistics);
        return new()
        {
            Graph = graph,
            Layers = [.. weights.Kernels.Select(weight => LayerFacts.From(weight, macs))],
            Uncut =
            [
                .. weights.Uncut.Select(static uncut => new UncutLayer(uncut.Name, uncut.Node.Label, [.. uncut.Shape ?? []], uncut.Reason)),
            ],
            Model = new(graph.Name, statistics.Parameters, statistics.KernelParameters, statistics.Macs),
            Provenance = provenance,
        };
    }

    /// <summary>Everything the results of the sweep depend on, hashed.</summary>
    private string Scope =>
        ResultStore.Key("run", Provenance.Model.Sha256, Provenance.Data?.Fingerprint ?? "", Provenance.Calibration?.Fingerprint ?? "");

    /// <exception cref="BadInputException">The store holds results of another model or of other images, or a cut divides no kernel.</exception>
    /// <exception cref="NumericalException">A weight is not finite, or the network's answers are not.</exception>
    public AnalysisReport Run(IProgress<Progress>? progress = null, CancellationToken cancel = default)
    {
        Stopwatch clock = Stopwatch.StartNew();
        CheckCuts();
        Store?.CheckBelongsTo(Provenance);
        using ThreadWorkers workers = new(Threads);
        LayerAnalysis[] layers = AnalyzeLayers(workers, progress, cancel);
        AnalysisReport report = new()
        {
            Provenance = Provenance,
            Model = Model,
            Uncut = [.. Uncut],
        };
        // What was run goes to the store too, so that a report can be put together from it alone; the layers' names give their order.
        AnalysisReport outline = report with
        {
            Layers = [.. layers.Select(static layer => layer with { Cuts = [] })],
        };
        if (Images is not null)
        {
            SweepPlan plan = SweepPlan.From(KernelsOf(layers), Options);
            report = report with { PlannedTruncations = plan.Results };
            AddRun(outline with { PlannedTruncations = plan.Results });
            (Evaluation baseline, Evaluation? recalibrated, List<TruncationResult> results) = Sweep(
                plan.Part(Options.Shard),
                workers,
                progress,
                cancel
            );
            report = report with
            {
                Baseline = baseline,
                RecalibratedBaseline = recalibrated,
                Truncations = ReportOrder.Arrange(results, [.. layers.Select(static layer => layer.Name)]),
            };
        }
        else
        {
            AddRun(outline);
        }
        return report with { Layers = [.. layers], Provenance = Provenance with { Seconds = clock.Elapsed.TotalSeconds } };
    }

    /// <summary>Refuses cuts that divide no kernel: an empty result would not say that nothing was measured.</summary>
    private void CheckCuts()
    {
        IEnumerable<Cut> asked = (Options.Cuts ?? []).Concat(Options.Sequences.SelectMany(static steps => steps.Select(static s => s.Cut)));
        string[] axes = [.. Layers.Select(static layer => layer.Kernel.Axes).Distinct()];
        foreach (Cut cut in asked.Where(cut => !axes.Any(own => cut.Among(own) is { } among && among.Divides(own))))
            throw new BadInputException(
                $"The cut {cut} divides none of the kernels{(axes.Length == 0 ? ", as there are none" : $": their axes are {string.Join(" or ", axes)}")}."
            );
    }

    private void AddRun(AnalysisReport outline)
    {
        string layers = string.Join(' ', outline.Layers.Select(static layer => layer.Name));
        Store?.Add(
            ResultStore.Key("run", Scope, layers, $"{outline.PlannedTruncations}", $"{Provenance.Shard}"),
            Scope,
            StoredKind.Run,
            outline
        );
    }

    /// <summary>
    /// What a run would measure, and how many of its results the store already holds. Computes spectra where a norm loss decides ranks.
    /// </summary>
    public (SweepPlan Plan, int Known) Plan(CancellationToken cancel = default)
    {
        CheckCuts();
        Store?.CheckBelongsTo(Provenance);
        using ThreadWorkers workers = new(Threads);
        bool bySpectrum = Options.Ranks.Any(static rule => rule is RankRule.NormLoss);
        SweepPlan plan = SweepPlan
            .From(KernelsOf(bySpectrum ? AnalyzeLayers(workers, null, cancel) : [.. Layers.Select(ShapesOnly)]), Options)
            .Part(Options.Shard);
        return (
            plan,
            plan.Units.Sum(unit =>
                unit.Sum(point => point.Labels.Count(label => Store?.Find<TruncationResult>(KeyOf(point, label)) is not null))
            )
        );
    }

    private LayerAnalysis[] AnalyzeLayers(Workers workers, IProgress<Progress>? progress, CancellationToken cancel)
    {
        LayerAnalysis?[] layers = [.. Layers.Select(layer => Store?.Find<LayerAnalysis>(KeyOf(layer)))];
        int[] missing = [.. Enumerable.Range(0, layers.Length).Where(index => layers[index] is null)];
        (Kernel, IReadOnlyList<Cut>)[] kernels = [.. missing.Select(index => (Layers[index].Kernel, CutsOf(Layers[index].Kernel)))];
        int done = 0;
        Spectra.Of(
            kernels,
            workers,
            (place, spectra) =>
            {
                cancel.ThrowIfCancellationRequested();
                LayerFacts facts = Layers[missing[place]];
                LayerAnalysis layer = facts.With(spectra);
                layers[missing[place]] = layer;
                Store?.Add(KeyOf(facts), Provenance.Model.Sha256, StoredKind.Layer, layer);
                progress?.Report(new("spectra", Interlocked.Increment(ref done), missing.Length, "kernels"));
            }
        );
        return [.. layers.OfType<LayerAnalysis>()];
    }

    private (Evaluation Baseline, Evaluation? Recalibrated, List<TruncationResult> Results) Sweep(
        SweepPlan plan,
        Workers workers,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        Lazy<Sweep> sweep = new(() =>
            new(Graph, Layers.Select(static layer => layer.Kernel), Images!, Options, Threads, workers, Calibration)
        );
        try
        {
            Evaluation baseline = Known("baseline", () => sweep.Value.Baseline(progress, cancel))!;
            Evaluation? recalibrated = Calibration is null ? null : Known("recalibrated", () => sweep.Value.RecalibratedBaseline(cancel)!);
            List<TruncationResult> results = [];
            List<List<SweepPoint>> pending = [];
            foreach (ValueList<SweepPoint> unit in plan.Units)
            {
                pending.Add([]);
                foreach (SweepPoint point in unit)
                {
                    if (point.IsDense)
                        Take(point, Dense(point, baseline, recalibrated));
                    else if (
                        point
                            .Labels.Select(label => Store?.Find<TruncationResult>(KeyOf(point, label)))
                            .FirstOrDefault(static r => r is not null) is
                        { } known
                    )
                        Take(point, known);
                    else
                        pending[^1].Add(point);
                }
            }
            if (pending.Any(static unit => unit.Count > 0))
                sweep.Value.Run(pending, Take, progress, cancel);
            return (baseline, recalibrated, results);

            void Take(SweepPoint point, TruncationResult result)
            {
                foreach (SweepLabel label in point.Labels)
                {
                    TruncationResult own = Relabel(result, label);
                    results.Add(own);
                    Store?.Add(KeyOf(point, label), Scope, StoredKind.Truncation, own);
                }
            }
        }
        finally
        {
            if (sweep.IsValueCreated)
                sweep.Value.Dispose();
        }
    }

    /// <summary>An evaluation of the untruncated network, from the store or measured now.</summary>
    private Evaluation Known(string name, Func<Evaluation> measure)
    {
        string key = ResultStore.Key(name, Scope);
        Evaluation evaluation = Store?.Find<Evaluation>(key) ?? measure();
        Store?.Add(key, Scope, name == "baseline" ? StoredKind.Baseline : StoredKind.RecalibratedBaseline, evaluation);
        return evaluation;
    }

    /// <summary>Full rank everywhere: the network as it was.</summary>
    private TruncationResult Dense(SweepPoint point, Evaluation baseline, Evaluation? recalibrated)
    {
        ValueList<TruncatedKernel> kernels =
        [
            .. from steps in point.Kernels
            let ranks = steps.Steps.Select(static step => ((RankRule.Rank)step.Rule).Value).ToArray()
            let parameters = Layers.First(layer => layer.Kernel.Name == steps.Name).Kernel.Values.Shape.ElementCount
            select new TruncatedKernel(
                steps.Name,
                [.. steps.Steps.Select(static step => step.Cut.ToString())],
                [.. ranks],
                [.. ranks],
                false,
                parameters,
                0,
                0
            ),
        ];
        return new TruncationResult
        {
            Layer = point.Layer,
            Cut = point.Labels[0].Cut,
            Rule = point.Labels[0].Rule,
        }.With(kernels, baseline) with
        {
            Recalibrated = recalibrated,
        };
    }

    /// <summary>The same measurement under another name of its cut.</summary>
    private static TruncationResult Relabel(TruncationResult result, SweepLabel label) =>
        result.Cut == label.Cut && result.Rule == label.Rule
            ? result
            : result with
            {
                Cut = label.Cut,
                Rule = label.Rule,
                Kernels = result.Kernels is [{ Cuts.Count: 1 } only] ? [only with { Cuts = [label.Cut] }] : result.Kernels,
            };

    private IReadOnlyList<Cut> CutsOf(Kernel kernel) =>
        Options.Cuts is null
            ? Cut.All(kernel.Axes)
            : [.. Options.Cuts.Select(cut => cut.Among(kernel.Axes)).OfType<Cut>().Where(cut => cut.Divides(kernel.Axes)).Distinct()];

    private LayerAnalysis ShapesOnly(LayerFacts layer) =>
        layer.With([
            .. CutsOf(layer.Kernel)
                .Select(cut => new CutSpectrum(cut.ToString(), layer.Kernel.Extent(cut.Left), layer.Kernel.Extent(cut.Right), [])),
        ]);

    private SweepKernel[] KernelsOf(IEnumerable<LayerAnalysis> layers) =>
        [
            .. layers.Zip(
                Layers,
                static (layer, facts) => new SweepKernel(facts.Kernel, layer.Cuts.ToDictionary(static cut => Cut.Parse(cut.Cut)))
            ),
        ];

    private string KeyOf(LayerFacts layer) =>
        ResultStore.Key("layer", Provenance.Model.Sha256, layer.Kernel.Name, string.Join(' ', CutsOf(layer.Kernel)));

    private string KeyOf(SweepPoint point, SweepLabel label) => ResultStore.Key("truncation", Scope, point.Identity(label));
}
