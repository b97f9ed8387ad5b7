using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>From targets for the whole network to budgets for the layers that can change.</summary>
internal static class CompressionBudget
{
    /// <param name="statistics">Sizes of the whole network.</param>
    /// <param name="layers">The layers that can change.</param>
    /// <param name="targets">What is asked for; <see cref="TargetMeasure.MaxDrop"/> is no budget and left out.</param>
    /// <param name="latencies">Measured times in each runtime: of the whole network, and of its changeable layers together as they
    /// are.</param>
    public static IReadOnlyList<LayerBudget> Of(
        GraphStatistics statistics,
        ImmutableArray<CompressibleLayer> layers,
        IEnumerable<CompressionTarget> targets,
        ImmutableArray<(double All, double Layers)> latencies
    )
    {
        double parameters = layers.Sum(static layer => layer.Parameters),
            macs = layers.Sum(static layer => layer.Macs);
        double convolutions = layers.Where(static layer => !layer.IsDense).Sum(static layer => layer.Parameters);
        return
        [
            .. targets
                .Where(static target => target.Measure != TargetMeasure.MaxDrop)
                .SelectMany(target =>
                    target.Measure switch
                    {
                        TargetMeasure.Parameters => (LayerBudget[])
                            [Budget(target, static c => c.Parameters, statistics.Parameters, parameters)],
                        TargetMeasure.ConvParameters =>
                        [
                            Budget(target, static c => c.Layer.IsDense ? 0 : c.Parameters, statistics.ConvolutionParameters, convolutions),
                        ],
                        TargetMeasure.Macs => [Budget(target, static c => c.Macs, statistics.Macs, macs)],
                        // Layers by themselves may take longer than together in the network: their times are then scaled to add up to it.
                        _ =>
                        [
                            .. latencies.Select(
                                (own, runtime) =>
                                    Budget(
                                        target,
                                        c => c.Milliseconds[runtime] * Math.Min(1, own.All / own.Layers),
                                        own.All,
                                        Math.Min(own.All, own.Layers)
                                    ) with
                                    {
                                        Unit = " ms",
                                    }
                            ),
                        ],
                    }
                ),
        ];
    }

    /// <summary>Refuses a choice that misses a target; times are not looked at, they take measuring.</summary>
    /// <exception cref="GoalNotMetException">A target is missed; says by how much.</exception>
    public static void Check(
        GraphStatistics statistics,
        ImmutableArray<CompressibleLayer> layers,
        IEnumerable<CompressionTarget> targets,
        ImmutableArray<CompressionCandidate> chosen
    )
    {
        IEnumerable<CompressionTarget> sizes = targets.Where(static target => target.Measure != TargetMeasure.Latency);
        foreach (LayerBudget budget in Of(statistics, layers, sizes, []))
            if (chosen.Sum(budget.Cost) is double cost && cost > budget.Most + 1e-9 * (Math.Abs(budget.Most) + budget.Fixed))
                throw new GoalNotMetException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{budget.Name} cannot be met: it allows {budget.Most + budget.Fixed:N0}, and the least possible is {cost + budget.Fixed:N0}."
                    )
                );
    }

    /// <summary>What cannot change counts in full.</summary>
    private static LayerBudget Budget(CompressionTarget target, Func<CompressionCandidate, double> cost, double all, double changeable) =>
        new(target.ToString(), cost, target.Value * all - (all - changeable), all - changeable)
        {
            Advice = least => least < all ? $"; ask for {target with { Value = Math.Ceiling(1000 * least / all) / 1000 }} or more" : "",
        };
}
