using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Compression.Runtimes;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>What a plan is to reach, and how.</summary>
internal sealed record PlanRequest
{
    /// <summary>
    /// How small, or how fast; <see cref="TargetMeasure.MaxDrop"/> is not for the planner, which sees single layers only.
    /// </summary>
    public ImmutableArray<CompressionTarget> Targets { get; init; } = [];

    /// <summary>How layers share the budget.</summary>
    public AllocationRule Rule { get; init; } = AllocationRule.Measured;

    /// <summary>Which candidates are tried.</summary>
    public SearchOptions Search { get; init; } = new();

    /// <summary>Images at a time where time counts.</summary>
    public int LatencyBatch { get; init; } = 1;

    /// <summary>Whether time counts where no target is about it.</summary>
    public Objective Objective { get; init; }
}

/// <summary>One form for each layer, and what others there were.</summary>
/// <param name="Chosen">For each layer; the dense one has no form.</param>
/// <param name="Candidates">All that were weighed.</param>
internal sealed record PlannerResult(
    ImmutableArray<CompressionCandidate> Chosen,
    ImmutableArray<ImmutableArray<CompressionCandidate>> Candidates
)
{
    /// <summary>Whether no form was chosen that the objective calls too slow.</summary>
    public bool IsFastEnough { get; init; } = true;

    /// <summary>Names of layers some of whose forms were timed and are slower.</summary>
    public ImmutableHashSet<string> WithSlowForms { get; init; } = [];

    /// <summary>Candidates that were not weighed, because another of their layer is no larger, no dearer and no worse, by layer name.</summary>
    public ImmutableDictionary<string, ImmutableArray<CompressionCandidate>> Dominated { get; init; } =
        ImmutableDictionary<string, ImmutableArray<CompressionCandidate>>.Empty;

    /// <summary>Every candidate of every layer, and what was chosen: for reports.</summary>
    public ImmutableArray<LayerCandidates> ByLayer =>
        [.. Chosen.Zip(Candidates, (chosen, own) => new LayerCandidates(chosen, own, Dominated.GetValueOrDefault(chosen.Layer.Name, [])))];

    /// <summary>Why layers stay dense: a clause that follows "because".</summary>
    public ImmutableDictionary<string, string> Reasons =>
        Chosen
            .Zip(Candidates)
            .Where(static pair => pair.First.Form is null)
            .ToImmutableDictionary(
                static pair => pair.First.Layer.Name,
                pair =>
                    pair.Second.Length > 1 && WithSlowForms.Contains(pair.First.Layer.Name)
                        ? "other forms are slower than it, or not worth their damage"
                    : pair.Second.Length > 1 ? "no other form was worth its damage"
                    : pair.Second[0].Milliseconds.IsDefaultOrEmpty ? WorthwhileForms.WhyNone(pair.First.Layer)
                    : "no form of it is faster"
            );
}

/// <summary>Searches candidates and chooses among them.</summary>
/// <param name="network">The network.</param>
/// <param name="layers">The layers that may change.</param>
/// <param name="images">Calibration images; null for none.</param>
/// <param name="runtimes">In which latency counts.</param>
/// <param name="memory">Where results of an earlier run lie.</param>
internal sealed class Planner(
    Graph network,
    ImmutableArray<CompressibleLayer> layers,
    ImageSet? images,
    ImmutableArray<IRuntime> runtimes,
    ResultCache memory
)
{
    private readonly Graph _graph = WeightsAsInitializers.Apply(network);

    /// <summary>How often the layers' budget is corrected when the whole network turns out slower or faster than they promised.</summary>
    private const int Corrections = 6;

    /// <summary>Part of the time allowed above which there is nothing left to spend.</summary>
    private const double NearEnough = 0.95;

    /// <summary>Chooses for a request.</summary>
    /// <exception cref="GoalNotMetException">The targets cannot be met; says the least that is possible.</exception>
    /// <exception cref="BadInputException">The rule does not suit the formats or the targets.</exception>
    public PlannerResult Choose(PlanRequest request, IProgress<Progress>? progress = null, CancellationToken cancel = default)
    {
        bool timed = request.Targets.Any(static target => target.Measure == TargetMeasure.Latency);
        SearchOptions options = OptionsOf(request, timed);
        CandidateSearch search = new(_graph, images, options, memory);
        if (request.Rule == AllocationRule.Uniform)
            return Uniform(request, search, timed, progress, cancel);
        LatencyProbe probe = new(runtimes, request.LatencyBatch, options.Threads);
        ImmutableDictionary<string, ImmutableArray<LayerForm>> forms = FormsWithin(request, search, progress, cancel);
        ImmutableArray<ImmutableArray<CompressionCandidate>> candidates = timed
            ? Faster(probe, search, forms, options, progress, cancel)
            : search.Run(layers, layer => forms[layer.Name], progress, cancel);
        if (timed)
            return WithinTime(request, candidates, probe, cancel);
        IReadOnlyList<LayerBudget> budgets = CompressionBudget.Of(GraphStatistics.From(_graph), layers, request.Targets, []);
        SpeedGuard guard = GuardOf(request);
        ImmutableArray<CompressionCandidate> chosen = guard.Choose(request.Rule, candidates, budgets, progress, cancel);
        return new(chosen, candidates)
        {
            IsFastEnough = guard.IsMet,
            WithSlowForms = guard.SlowAmong(layers),
            Dominated = search.Dominated.ToImmutableDictionary(),
        };
    }

    /// <summary>
    /// Measures the candidates of one shard's layers into the memory, where <see cref="Choose"/> of the whole finds them.
    /// </summary>
    /// <param name="request">What will be chosen for; the shard is that of its search. What it is to reach does not matter yet.</param>
    /// <param name="progress">Told of each candidate.</param>
    /// <param name="cancel">Ends it.</param>
    /// <returns>The layers and how many candidates each has beside the dense one.</returns>
    /// <exception cref="BadInputException">The request cannot be divided: it is about time, or asks for equal rates.</exception>
    public IReadOnlyList<(string Layer, int Candidates)> Weigh(
        PlanRequest request,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        if (request.Targets.Any(static target => target.Measure == TargetMeasure.Latency))
            throw new BadInputException(
                "The target latency= cannot be weighed in shards: forms are timed first, on the machine that counts, and only faster ones are fitted."
            );
        if (request.Rule == AllocationRule.Uniform)
            throw new BadInputException(
                "Uniform rates cannot be weighed in shards: each layer has one candidate, and the target decides which."
            );
        string work =
            $"plan {request.Rule} {string.Join(',', request.Search.Formats)} multiple {request.Search.RankMultiple} seed {request.Search.Seed} of {ResultStore.Key([.. layers.Select(static layer => layer.Name)])[..8]}";
        ShardRecord record = new(work, request.Search.Shard.ToString(), IsDone: false);
        memory.Add(record);
        CandidateSearch search = new(_graph, images, OptionsOf(request, timed: false), memory);
        ImmutableArray<ImmutableArray<CompressionCandidate>> found = search.Run(layers, progress, cancel);
        memory.Add(record with { IsDone = true });
        return [.. found.Where(static own => own.Length > 0).Select(static own => (own[0].Layer.Name, own.Length - 1))];
    }

    private static SearchOptions OptionsOf(PlanRequest request, bool timed) =>
        request.Search with
        {
            MeasuresSensitivity = request.Rule == AllocationRule.Measured,
            AdaptsRanks = !timed,
            KeepDominated = timed || request.Rule == AllocationRule.EqualError,
        };

    /// <summary>The forms of each layer; refuses targets that the smallest of them miss before any is fitted.</summary>
    private ImmutableDictionary<string, ImmutableArray<LayerForm>> FormsWithin(
        PlanRequest request,
        CandidateSearch search,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        ImmutableArray<LayerForm>[] forms = new ImmutableArray<LayerForm>[layers.Length];
        for (int layer = 0; layer < layers.Length; layer++)
        {
            cancel.ThrowIfCancellationRequested();
            forms[layer] = search.FormsOf(layers[layer]);
            progress?.Report(new("forms", layer + 1, layers.Length, "layers"));
        }
        IEnumerable<CompressionTarget> sizes = request.Targets.Where(static target => target.Measure != TargetMeasure.Latency);
        Allocation.CheckReachable(
            [
                .. layers.Zip(
                    forms,
                    static IReadOnlyList<CompressionCandidate> (layer, own) =>
                        [CompressionCandidate.Dense(layer), .. own.Select(form => CompressionCandidate.From(layer, form, 1, 0))]
                ),
            ],
            CompressionBudget.Of(GraphStatistics.From(_graph), layers, sizes, [])
        );
        return layers.Zip(forms).ToImmutableDictionary(static pair => pair.First.Name, static pair => pair.Second);
    }

    /// <summary>What keeps slow forms out; our own executor stands for runtimes where none is named.</summary>
    public SpeedGuard GuardOf(PlanRequest request) =>
        new(new(runtimes.IsEmpty ? [new OwnRuntime()] : runtimes, request.LatencyBatch, request.Search.Threads), request.Objective, memory);

    /// <summary>Forms are timed before they are fitted: what is not faster need not be.</summary>
    private ImmutableArray<ImmutableArray<CompressionCandidate>> Faster(
        LatencyProbe probe,
        CandidateSearch search,
        ImmutableDictionary<string, ImmutableArray<LayerForm>> forms,
        SearchOptions options,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        ImmutableArray<ImmutableArray<CompressionCandidate>> timed = probe.Timed(
            [
                .. layers.Select(layer =>
                    (ImmutableArray<CompressionCandidate>)
                        [
                            CompressionCandidate.Dense(layer),
                            .. forms[layer.Name].Select(form => CompressionCandidate.From(layer, form, 1, 0)),
                        ]
                ),
            ],
            progress,
            cancel
        );
        Dictionary<string, ImmutableArray<CompressionCandidate>> byLayer = timed.ToDictionary(static layer => layer[0].Layer.Name);
        ImmutableArray<ImmutableArray<CompressionCandidate>> found = search.Run(
            layers,
            layer => [.. byLayer[layer.Name].Where(static c => c.Form is not null).Select(static c => c.Form!)],
            progress,
            cancel
        );
        return
        [
            .. found.Select(layer =>
                layer
                    .Select(candidate =>
                        candidate with
                        {
                            Milliseconds = byLayer[candidate.Layer.Name].First(known => Equals(known.Form, candidate.Form)).Milliseconds,
                        }
                    )
                    .ToImmutableArray()
            ),
        ];
    }

    /// <summary>
    /// Layers by themselves miss what passes between them: the whole is timed too, and the budget corrected by what it says.
    /// </summary>
    private PlannerResult WithinTime(
        PlanRequest request,
        ImmutableArray<ImmutableArray<CompressionCandidate>> candidates,
        LatencyProbe probe,
        CancellationToken cancel
    )
    {
        ImmutableArray<double> all = probe.Of(_graph);
        ImmutableArray<(double, double)> latencies = [.. all.Select((own, k) => (own, candidates.Sum(layer => layer[0].Milliseconds[k])))];
        double wanted = request.Targets.Where(static target => target.Measure == TargetMeasure.Latency).Min(static target => target.Value),
            aim = wanted;
        (ImmutableArray<CompressionCandidate> Chosen, double Reached) best = ([], double.PositiveInfinity);
        (double slow, double fast) = (double.NaN, double.NaN);
        for (int round = 0; round <= Corrections; round++)
        {
            ImmutableArray<CompressionTarget> targets =
            [
                .. request.Targets.Select(target =>
                    target.Measure == TargetMeasure.Latency ? target with { Value = Math.Min(1, aim) } : target
                ),
            ];
            ImmutableArray<CompressionCandidate> chosen;
            try
            {
                chosen = request.Rule.Choose(
                    Lists(candidates),
                    CompressionBudget.Of(GraphStatistics.From(_graph), layers, targets, latencies)
                );
            }
            catch (GoalNotMetException) when (round > 0)
            {
                // The fastest there is did not do; what came nearest is what there is.
                break;
            }
            double reached = probe
                .Compare(_graph, LatencyProbe.WithZeroWeights(_graph, chosen), cancel: cancel)
                .Max(static timing => PairedTiming.Median(timing.Ratios));
            bool met = reached <= wanted;
            // What meets the target and is slowest has given up least; until something meets it, the fastest.
            if (met ? best.Reached > wanted || reached > best.Reached : reached < best.Reached)
                best = (chosen, reached);
            if (met && (reached > NearEnough * wanted || aim >= 1))
                break;
            if (met)
                fast = aim;
            else
                slow = aim;
            aim = double.IsNaN(fast) || double.IsNaN(slow) ? Math.Min(1, aim * 0.99 * wanted / reached) : (fast + slow) / 2;
        }
        return new(best.Chosen, candidates);
    }

    private PlannerResult Uniform(
        PlanRequest request,
        CandidateSearch search,
        bool timed,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        if (request.Search.Formats is not [{ } format])
            throw new BadInputException("Uniform rates take one format: with several there is none to prefer.");
        if (timed)
            throw new BadInputException("Uniform rates know parameters and multiply-accumulates, no latency.");
        IReadOnlyList<LayerBudget> budgets = CompressionBudget.Of(GraphStatistics.From(_graph), layers, request.Targets, []);
        (double low, double high) = (0, 1);
        for (int step = 0; step < 40; step++)
        {
            double middle = (low + high) / 2;
            if (budgets.All(budget => budget.Keeps(At(middle))))
                low = middle;
            else
                high = middle;
        }
        // Refuses with the least that is possible what no rate can do.
        if (!budgets.All(budget => budget.Keeps(At(low))))
            Allocation.Solve([.. At(low).Select(static c => (IReadOnlyList<CompressionCandidate>)[c])], budgets);
        ImmutableArray<ImmutableArray<CompressionCandidate>> found = search.Run(
            layers,
            layer => FormAt(layer, low) is { } form ? [form] : [],
            progress,
            cancel
        );
        return new([.. found.Select(static layer => layer[^1])], found);

        LayerForm? FormAt(CompressibleLayer layer, double rate)
        {
            KernelFormat own = layer.Suits(format) ? format : layer.Formats[0];
            LayerForm form = search.FormAt(layer, own, rate);
            return WorthwhileForms.Contain(layer, form) ? form : null;
        }

        IEnumerable<CompressionCandidate> At(double rate) =>
            layers.Select(layer =>
                FormAt(layer, rate) is { } form ? CompressionCandidate.From(layer, form, 1, 0) : CompressionCandidate.Dense(layer)
            );
    }

    private static IReadOnlyList<IReadOnlyList<CompressionCandidate>> Lists(
        ImmutableArray<ImmutableArray<CompressionCandidate>> candidates
    ) => [.. candidates.Select(static layer => (IReadOnlyList<CompressionCandidate>)layer)];
}
