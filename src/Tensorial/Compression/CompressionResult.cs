using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Tensorial.Analysis;
using Tensorial.Decompositions;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>What became of a network: the JSON of <c>compress</c>, and what its report says.</summary>
internal sealed record CompressionResult
{
    public int SchemaVersion { get; init; } = 1;

    /// <summary>File name of the network that was compressed.</summary>
    public required string Model { get; init; }

    /// <summary>File name of what was written.</summary>
    public required string Output { get; init; }

    public ImmutableArray<string> Targets { get; init; } = [];

    /// <summary>Whether batch-norm statistics were estimated again.</summary>
    public bool Recalibrated { get; init; }

    public required CompressedSize Before { get; init; }

    public required CompressedSize After { get; init; }

    /// <summary>Images both networks were compared on; null for random ones.</summary>
    public string? Data { get; init; }

    public required Verification Verification { get; init; }

    /// <summary>What the inputs of the verification were, where there were no images; null where there were.</summary>
    public string? RandomInputs { get; init; }

    public ImmutableArray<CompressedLayer> Layers { get; init; } = [];

    /// <summary>What each format, and all together, would damage at other sizes; empty where a plan was given.</summary>
    public ImmutableArray<ParetoFront> Fronts { get; init; } = [];

    /// <summary>All that was weighed for each layer, for the report; the JSON has the choice and its runner-up.</summary>
    [JsonIgnore]
    public ImmutableArray<LayerCandidates> Candidates { get; init; } = [];

    /// <summary>Sizes that were tried in search of a drop; empty where none was searched for.</summary>
    public ImmutableArray<DropTrial> Trials { get; init; } = [];

    /// <summary>Both networks timed by turns, at batch 1 and 16 in every runtime that runs them, and as a latency target asks.</summary>
    public ImmutableArray<MeasuredLatency> Latencies { get; init; } = [];

    /// <summary>Where the time for one image goes, in every runtime that tells; empty where neither a report nor JSON was asked for.</summary>
    public ImmutableArray<LayerTimes> LayerTimes { get; init; } = [];

    public required Provenance Provenance { get; init; }

    /// <summary>What became of the compressed network as 8-bit integers, beside the others; null where that was not asked for.</summary>
    public Int8.QuantizationResult? Quantization { get; init; }
}

/// <summary>The time of both networks for a batch of random images in one runtime, milliseconds.</summary>
/// <param name="Runtime">Name and version.</param>
/// <param name="Batch">Images at a time.</param>
/// <param name="BeforeMs">Median of the dense network.</param>
/// <param name="AfterMs">Median of the compressed one.</param>
/// <param name="Ratio">Median over pairs of after over before.</param>
internal sealed record MeasuredLatency(string Runtime, int Batch, double BeforeMs, double AfterMs, double Ratio)
{
    public static MeasuredLatency From(string runtime, int batch, PairedTiming timing) =>
        new(
            runtime,
            batch,
            1e3 * PairedTiming.Median(timing.First),
            1e3 * PairedTiming.Median(timing.Second),
            PairedTiming.Median(timing.Ratios)
        );
}

/// <summary>Sizes of a network, and how well it does.</summary>
internal sealed record CompressedSize(
    long Parameters,
    long ConvParameters,
    long Macs,
    long FileBytes,
    double? Top1,
    double? LatencyMs = null
)
{
    /// <param name="graph">The network.</param>
    /// <param name="bytes">Of its file.</param>
    /// <param name="evaluation">How well it does; null where that was not measured.</param>
    public static CompressedSize From(Graph graph, long bytes, Evaluation? evaluation)
    {
        GraphStatistics statistics = GraphStatistics.From(graph);
        return new(statistics.Parameters, statistics.ConvolutionParameters, statistics.Macs, bytes, evaluation?.Top1);
    }
}

/// <summary>One layer after compression: its format, or why it was kept.</summary>
/// <param name="Name">The weight's initializer name.</param>
/// <param name="Format">Null where it was kept.</param>
/// <param name="Ranks">The format's ranks.</param>
/// <param name="ParametersBefore">Of the dense kernel.</param>
/// <param name="ParametersAfter">Of the factors.</param>
/// <param name="MacsBefore">For one image.</param>
/// <param name="MacsAfter">For one image.</param>
/// <param name="RelativeError">Of the kernel as fitted, in the measure it was fitted in.</param>
/// <param name="KeptBecause">Why it stays dense.</param>
/// <param name="BreakEven">For each format the largest ranks at which it is smaller than the dense layer; null where the layer cannot be
/// factored.</param>
public sealed record CompressedLayer(
    string Name,
    string? Format,
    ImmutableArray<int>? Ranks,
    long ParametersBefore,
    long ParametersAfter,
    long? MacsBefore,
    long? MacsAfter,
    double? RelativeError,
    string? KeptBecause,
    ImmutableSortedDictionary<string, ValueList<int>>? BreakEven = null
)
{
    /// <summary>
    /// Measured time of the factors over the dense layer's, the largest of the runtimes it was timed in; null where time did not count.
    /// </summary>
    public double? TimeRatio { get; init; }

    /// <summary>See <see cref="TensorFactors{T}.TermEnergy"/>; null for formats other than sums of rank-one terms, and kept layers.</summary>
    public double? TermEnergy { get; init; }

    /// <summary>The steps of its plan, where it is written as factors.</summary>
    public ImmutableArray<CompressedStep> Steps { get; init; } = [];

    /// <summary>
    /// What the form does to the network by itself, as it was chosen by: mean KL divergence of the predictions in nats, without data e² / (1 -
    /// e²) of its relative error e; null where a plan was given or the layer was kept.
    /// </summary>
    public double? Sensitivity { get; init; }

    /// <summary>
    /// The best form in another format that holds no more parameters, up to a twentieth; for a kept layer the gentlest of all. Null where there
    /// is none, or a plan was given.
    /// </summary>
    public AlternativeForm? RunnerUp { get; init; }

    internal static CompressedLayer From(CompressionCandidate chosen, TensorFactors<double>? fit, string? reason) =>
        new(
            chosen.Layer.Name,
            chosen.Format?.ToString(),
            chosen.Form?.Ranks,
            chosen.Layer.Parameters,
            chosen.Parameters,
            chosen.Layer.Macs,
            chosen.Macs,
            fit?.RelativeError,
            chosen.Format is null ? reason ?? "the plan says so" : null,
            chosen.Layer.BreakEven
        )
        {
            TimeRatio = chosen.TimeRatio,
            TermEnergy = fit?.TermEnergy(),
            Steps = chosen.Form is { } form
                ?
                [
                    .. form.Steps(chosen.Layer.At(chosen.Layer.Use))
                        .Select(static step => new CompressedStep(step.Equation, step.Macs, 1e3 * step.Seconds)),
                ]
                : [],
        };

    /// <summary>Layers in the order in which a network reads them.</summary>
    internal static ImmutableArray<CompressedLayer> InOrder(Graph graph, IEnumerable<CompressedLayer> layers)
    {
        Dictionary<string, int> places = [];
        foreach (string name in graph.Nodes.SelectMany(static node => node.Inputs))
            places.TryAdd(name, places.Count);
        return [.. layers.OrderBy(layer => places.GetValueOrDefault(layer.Name, -1))];
    }

    internal static CompressedLayer From(KeptLayer kept) =>
        new(kept.Name, null, null, kept.Parameters, kept.Parameters, null, null, null, kept.Reason);
}

/// <summary>One step of a factored layer: its feature map times one factor, or several that are multiplied beforehand.</summary>
/// <param name="Equation">Map, factors and result over named axes, such as <c>nihw,ri-&gt;nrhw</c>.</param>
/// <param name="Macs">Multiply-accumulates for one image.</param>
/// <param name="PredictedMs">Milliseconds on one thread, as the built-in cost model has it.</param>
public sealed record CompressedStep(string Equation, long Macs, double PredictedMs);

/// <summary>A form that a layer could have taken.</summary>
/// <param name="Format">The format.</param>
/// <param name="Ranks">Its ranks.</param>
/// <param name="Parameters">Of the factors.</param>
/// <param name="Macs">For one image.</param>
/// <param name="RelativeError">Of the kernel, in the measure of the fit.</param>
/// <param name="Sensitivity">As <see cref="CompressedLayer.Sensitivity"/>.</param>
public sealed record AlternativeForm(
    string Format,
    ImmutableArray<int> Ranks,
    long Parameters,
    long Macs,
    double RelativeError,
    double Sensitivity
);

/// <summary>What was weighed for a layer.</summary>
/// <param name="Chosen">What it became.</param>
/// <param name="Weighed">The dense layer and every form that no other outdoes.</param>
/// <param name="Dominated">Forms that another is no larger, no dearer and no worse than.</param>
internal sealed record LayerCandidates(
    CompressionCandidate Chosen,
    ImmutableArray<CompressionCandidate> Weighed,
    ImmutableArray<CompressionCandidate> Dominated
)
{
    /// <summary>Parameters that a runner-up may have more.</summary>
    private const double Slack = 1.05;

    /// <summary>See <see cref="CompressedLayer.RunnerUp"/>.</summary>
    public AlternativeForm? RunnerUp =>
        Weighed
            .Concat(Dominated)
            .Where(other =>
                other.Format is not null
                && other.Format != Chosen.Format
                && (Chosen.Form is null || other.Parameters <= Slack * Chosen.Parameters)
            )
            .MinBy(static other => (other.Sensitivity, other.Parameters))
            is { } found
            ? new(found.Format!.ToString(), found.Form!.Ranks, found.Parameters, found.Macs, found.RelativeError, found.Sensitivity)
            : null;
}

/// <summary>
/// The least damage that a format can do at some sizes, as the candidates promise it: damages of single layers, added up.
/// </summary>
/// <param name="Format">The format; <c>auto</c> for the best of all.</param>
/// <param name="Points">From small to large.</param>
internal sealed record ParetoFront(string Format, ImmutableArray<ParetoPoint> Points)
{
    private static readonly double[] Sizes = [0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

    /// <summary>The front of every format among the candidates, and of all together.</summary>
    public static ImmutableArray<ParetoFront> Of(ImmutableArray<ImmutableArray<CompressionCandidate>> candidates)
    {
        string[] names = [.. candidates.SelectMany(static layer => layer).Select(NameOf).OfType<string>().Distinct()];
        return
        [
            .. names.Select(name =>
                Along(
                    name,
                    [
                        .. candidates.Select(layer =>
                            (IReadOnlyList<CompressionCandidate>)[.. layer.Where(c => NameOf(c) is not { } own || own == name)]
                        ),
                    ]
                )
            ),
            Along("auto", [.. candidates.Select(static layer => (IReadOnlyList<CompressionCandidate>)layer)]),
        ];
    }

    /// <summary>What a search found for each kernel counts as one; null of the dense layer.</summary>
    private static string? NameOf(CompressionCandidate candidate) =>
        candidate.Form is { IsFound: true } ? KernelFormat.Search.ToString() : candidate.Format?.ToString();

    private static ParetoFront Along(string name, IReadOnlyList<IReadOnlyList<CompressionCandidate>> choices)
    {
        double all = choices.Sum(static layer => (double)layer[0].Layer.Parameters);
        var points = ImmutableArray.CreateBuilder<ParetoPoint>();
        // Of nothing there are no parts.
        if (all == 0)
            return new(name, []);
        foreach (double size in Sizes)
        {
            LayerBudget budget = new(name, static c => c.Parameters, size * all);
            if (choices.Sum(layer => layer.Min(budget.Cost)) > budget.Most)
                continue;
            ImmutableArray<CompressionCandidate> chosen = Allocation.Solve(choices, [budget]);
            points.Add(new(chosen.Sum(static c => (double)c.Parameters) / all, chosen.Sum(static c => c.Sensitivity)));
        }
        return new(name, points.ToImmutable());
    }
}

/// <param name="Rate">Parameters over those of the dense layers.</param>
/// <param name="Sensitivity">See <see cref="CompressionCandidate.Sensitivity"/>.</param>
internal readonly record struct ParetoPoint(double Rate, double Sensitivity);
