using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Compression.Runtimes;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>A network in factors, and how it came about.</summary>
public sealed record CompressedNetwork
{
    internal CompressedNetwork(
        Graph graph,
        ImmutableArray<CompressionCandidate> chosen,
        ImmutableDictionary<string, TensorFactors<double>> factors
    ) => (Graph, Chosen, Factors) = (graph, chosen, factors);

    /// <summary>The network.</summary>
    public Graph Graph { get; private init; }

    /// <summary>Layer by layer, in the order of the network: format, ranks, sizes, error; or why it was kept.</summary>
    public ImmutableArray<CompressedLayer> Layers { get; internal init; } = [];

    /// <summary>Whether batch-norm statistics were estimated again.</summary>
    public bool IsRecalibrated { get; internal init; }

    /// <summary>Whether no form was chosen that the objective calls too slow: false where the targets leave nothing else.</summary>
    public bool IsFastEnough { get; internal init; } = true;

    /// <summary>What was chosen for each layer.</summary>
    internal ImmutableArray<CompressionCandidate> Chosen { get; }

    /// <summary>The factors by layer name.</summary>
    internal ImmutableDictionary<string, TensorFactors<double>> Factors { get; }

    /// <summary>What each format could do at other sizes; empty where the choice was given.</summary>
    internal ImmutableArray<ParetoFront> Fronts { get; init; } = [];

    /// <summary>All that was weighed for each layer; empty where the choice was given.</summary>
    internal ImmutableArray<LayerCandidates> Candidates { get; init; } = [];

    /// <summary>Sizes that were tried for <see cref="TargetMeasure.MaxDrop"/>, in turn; empty where it was not searched for.</summary>
    internal ImmutableArray<DropTrial> Trials { get; init; } = [];

    /// <summary>Why a layer that could have changed stays dense: a clause that follows "because".</summary>
    internal ImmutableDictionary<string, string> Reasons { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>This result with its account layer by layer, those that were kept from the start among them.</summary>
    internal CompressedNetwork With(Graph network, ImmutableArray<KeptLayer> kept) =>
        this with
        {
            Layers = CompressedLayer.InOrder(
                network,
                [
                    .. Chosen.Select(candidate =>
                        CompressedLayer.From(
                            candidate,
                            Factors.GetValueOrDefault(candidate.Layer.Name),
                            Reasons.GetValueOrDefault(candidate.Layer.Name)
                        ) with
                        {
                            Sensitivity = Candidates.IsEmpty || candidate.Form is null ? null : candidate.Sensitivity,
                            RunnerUp = Candidates.FirstOrDefault(own => own.Chosen.Layer.Name == candidate.Layer.Name)?.RunnerUp,
                        }
                    ),
                    .. kept.Select(CompressedLayer.From),
                ]
            ),
        };

    /// <summary>This result with the dynamic dimensions of the network that was read.</summary>
    internal CompressedNetwork OpenAs(Graph read) => this with { Graph = Graph.WithDynamicDimensionsOf(read) };
}

/// <summary>One size that was tried.</summary>
/// <param name="Parameters">Parameters of the whole network over those before.</param>
/// <param name="Drop">Points of top-1 accuracy lost on the training images that were held back from calibration.</param>
internal readonly record struct DropTrial(double Parameters, double Drop);

/// <summary>From a network to a smaller one: candidates, choice, factors, batch-norm statistics.</summary>
/// <param name="network">The network.</param>
/// <param name="layers">The layers that may change.</param>
/// <param name="training">Training images to calibrate on; null for none.</param>
/// <param name="runtimes">In which latency counts.</param>
/// <param name="rewriting">How hard to fit.</param>
/// <param name="memory">Where results of an earlier run lie.</param>
internal sealed class NetworkCompression(
    Graph network,
    ImmutableArray<CompressibleLayer> layers,
    ImageSet? training,
    ImmutableArray<IRuntime> runtimes,
    RewriteOptions rewriting,
    ResultCache memory
)
{
    private readonly Graph _graph = WeightsAsInitializers.Apply(network);

    /// <summary>Sizes tried in search of a drop: to 1 part in 64.</summary>
    private const int MostTrials = 6;

    /// <summary>Training images on which accuracy is compared, from the end of the set.</summary>
    private const int HeldImages = 5000;

    /// <summary>Whether batch-norm statistics may be estimated again.</summary>
    public bool Recalibrates { get; init; } = true;

    /// <summary>
    /// Compresses by a plan of its own. With <see cref="TargetMeasure.MaxDrop"/> alone it searches the smallest network within that drop.
    /// </summary>
    /// <exception cref="GoalNotMetException">The targets cannot be met; says the least that is possible.</exception>
    /// <exception cref="BadInputException">A drop was asked for without images.</exception>
    public CompressedNetwork Run(PlanRequest request, IProgress<Progress>? progress = null, CancellationToken cancel = default)
    {
        Planner planner = new(_graph, layers, training, runtimes, memory);
        if (request.Targets is [{ Measure: TargetMeasure.MaxDrop }])
            return Smallest(request, planner, progress, cancel);
        PlannerResult choice = planner.Choose(request, progress, cancel);
        return Run(choice.Chosen, progress, cancel) with
        {
            Fronts = ParetoFront.Of(choice.Candidates),
            Candidates = choice.ByLayer,
            Reasons = choice.Reasons,
            IsFastEnough = choice.IsFastEnough,
        };
    }

    /// <summary>Compresses as chosen.</summary>
    public CompressedNetwork Run(
        ImmutableArray<CompressionCandidate> chosen,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        (Graph small, ImmutableDictionary<string, TensorFactors<double>> factors) = new Compressor(_graph, training, rewriting, memory).Run(
            chosen,
            progress,
            cancel
        );
        bool recalibrated = false;
        if (training is not null && Recalibrates)
            (small, recalibrated) = Recalibration.WhereItHelps(
                _graph,
                small,
                training,
                rewriting.CovarianceImages,
                rewriting.Threads,
                rewriting.Seed,
                cancel
            );
        return new(small, chosen, factors) { IsRecalibrated = recalibrated };
    }

    /// <summary>Halves the interval between a size that loses too much and one that does not.</summary>
    private CompressedNetwork Smallest(PlanRequest request, Planner planner, IProgress<Progress>? progress, CancellationToken cancel)
    {
        double most = request.Targets[0].Value;
        if (training is null)
            throw new BadInputException($"{request.Targets[0]} takes images to measure accuracy on: give --data.");
        training.LabelsFor($"The target {request.Targets[0]}");
        PlannerResult weighed = planner.Choose(
            request with
            {
                Targets = [new(TargetMeasure.Parameters, 1)],
                Objective = Objective.Size,
            },
            progress,
            cancel
        );
        ImmutableArray<ImmutableArray<CompressionCandidate>> candidates = weighed.Candidates;
        SpeedGuard guard = planner.GuardOf(request);
        GraphStatistics statistics = GraphStatistics.From(_graph);
        ImageSet held = training.Skip(Math.Max(training.Count / 2, training.Count - HeldImages));
        double before = Top1(_graph, held, cancel);
        double changeable = layers.Sum(static layer => (double)layer.Parameters),
            least = candidates.Sum(static layer => layer.Min(static c => (double)c.Parameters));
        (double low, double high) = ((statistics.Parameters - changeable + least) / statistics.Parameters, 1);
        CompressedNetwork best = Run([.. layers.Select(CompressionCandidate.Dense)], progress, cancel) with
        {
            Fronts = ParetoFront.Of(candidates),
            Reasons = layers.ToImmutableDictionary(
                static layer => layer.Name,
                static _ => "every size that was tried loses more accuracy than the target allows"
            ),
        };
        var trials = ImmutableArray.CreateBuilder<DropTrial>();
        for (int trial = 0; trial < MostTrials; trial++)
        {
            double middle = (low + high) / 2;
            IReadOnlyList<LayerBudget> budgets = CompressionBudget.Of(statistics, layers, [new(TargetMeasure.Parameters, middle)], []);
            ImmutableArray<CompressionCandidate> chosen = guard.Choose(request.Rule, candidates, budgets, progress, cancel);
            CompressedNetwork tried = Run(chosen, progress, cancel);
            double drop = 100 * (before - Top1(tried.Graph, held, cancel));
            trials.Add(new((double)GraphStatistics.From(tried.Graph).Parameters / statistics.Parameters, drop));
            if (drop <= most)
            {
                PlannerResult choice = weighed with
                {
                    Chosen = chosen,
                    IsFastEnough = guard.IsMet,
                    WithSlowForms = guard.SlowAmong(layers),
                };
                (high, best) = (
                    middle,
                    tried with
                    {
                        Fronts = best.Fronts,
                        Candidates = choice.ByLayer,
                        Reasons = choice.Reasons,
                        IsFastEnough = choice.IsFastEnough,
                    }
                );
            }
            else
                low = middle;
        }
        return best with { Trials = trials.ToImmutable() };
    }

    private double Top1(Graph network, ImageSet images, CancellationToken cancel)
    {
        using Inference inference = new(InFloat32.Apply(network), rewriting.Threads);
        return Evaluator.Evaluate(inference, network, images, cancel: cancel).Result.Top1;
    }
}
