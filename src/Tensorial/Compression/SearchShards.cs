using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Data;

namespace Tensorial.Compression;

/// <summary>Divides the layers of a search among shards, so that each has about the same work.</summary>
internal static class SearchShards
{
    /// <summary>The places of a shard's layers.</summary>
    /// <param name="shard">Which part.</param>
    /// <param name="costs">What each layer costs, in any unit; the same in every shard.</param>
    public static ImmutableHashSet<int> LayersOf(Shard shard, IReadOnlyList<double> costs)
    {
        if (shard.Count == 1)
            return [.. Enumerable.Range(0, costs.Count)];
        // The dearest first, each to the shard that has least so far.
        double[] loads = new double[shard.Count];
        List<int> own = [];
        foreach (int layer in Enumerable.Range(0, costs.Count).OrderByDescending(layer => costs[layer]).ThenBy(static layer => layer))
        {
            int least = Array.IndexOf(loads, loads.Min());
            loads[least] += costs[layer];
            if (least == shard.Index - 1)
                own.Add(layer);
        }
        return [.. own];
    }

    /// <summary>
    /// Multiply-accumulates that a search takes, layer by layer, roughly: the descents of its fits, and the passes through the rest of the
    /// network that measure damage.
    /// </summary>
    /// <param name="layers">Layers in the order of the network.</param>
    /// <param name="forms">How many forms each has.</param>
    /// <param name="options">How they are searched.</param>
    /// <param name="images">Images that damage is measured on; null where it is not.</param>
    public static ImmutableArray<double> Costs(
        ImmutableArray<CompressibleLayer> layers,
        IReadOnlyList<int> forms,
        SearchOptions options,
        ImageSet? images
    )
    {
        double[] costs = new double[layers.Length];
        double behind = 0;
        for (int layer = layers.Length - 1; layer >= 0; layer--)
        {
            // A step of a descent contracts the factors with the kernel some three times; their ranks are about the smaller channel count.
            Shape kernel = layers[layer].Kernel.Shape;
            double rank = Math.Min(kernel[0], kernel[1]);
            costs[layer] = 3.0 * Math.Max(1, forms[layer]) * options.Iterations * layers[layer].Parameters * rank;
            behind += layers[layer].Macs;
            if (images is not null)
                costs[layer] +=
                    behind
                    * Math.Min(Math.Max(1, forms[layer]), options.MeasuredCandidates)
                    * Math.Min(options.SensitivityImages, images.Count);
        }
        return [.. costs];
    }
}
