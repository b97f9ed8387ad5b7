using System.Collections.Immutable;
using Tensorial.Networks;

namespace Tensorial.Compression;

/// <summary>From targets for the whole network to budgets for the layers that can change.</summary>
public static class CompressionBudget
{
    /// <exception cref="UnsupportedException">A target that no budget of layers expresses.</exception>
    public static IReadOnlyList<LayerBudget> Of(GraphStatistics statistics, ImmutableArray<CompressibleLayer> layers, IEnumerable<CompressionTarget> targets)
    {
        double parameters = layers.Sum(static layer => layer.Parameters), macs = layers.Sum(static layer => layer.Macs);
        double convolutions = layers.Where(static layer => !layer.IsDense).Sum(static layer => layer.Parameters);
        return [.. targets.Select(target => target.Measure switch
        {
            // What cannot change counts in full.
            TargetMeasure.Parameters => new LayerBudget("the number of parameters", static c => c.Parameters, target.Value * statistics.Parameters - (statistics.Parameters - parameters)),
            TargetMeasure.ConvParameters => new LayerBudget("the number of convolution parameters", static c => c.Layer.IsDense ? 0 : c.Parameters,
                target.Value * statistics.ConvolutionParameters - (statistics.ConvolutionParameters - convolutions)),
            TargetMeasure.Macs => new LayerBudget("the number of multiply-accumulates", static c => c.Macs, target.Value * statistics.Macs - (statistics.Macs - macs)),
            TargetMeasure.Latency => new LayerBudget("the measured time", static c => c.Milliseconds ?? throw new InvalidOperationException("Latency was not measured."),
                target.Value * layers.Length),
            _ => throw new UnsupportedException($"{target} is no budget."),
        })];
    }
}
