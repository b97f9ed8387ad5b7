using System.Collections.Concurrent;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// Where fits of one kernel in one measure start: the singular vectors of its unfoldings, computed when first asked for and shared by all formats and
/// ranks. Safe for several threads.
/// </summary>
/// <param name="kernel">[o, i, h, w].</param>
/// <param name="metric">The measure.</param>
public sealed class KernelStarts(Tensor<double> kernel, KernelMetric metric)
{
    private readonly ConcurrentDictionary<string, Lazy<Tensor<double>>> _vectors = [];
    private readonly Lazy<Tensor<double>> _weighted = new(() => Weighted(kernel, metric));

    internal Tensor<double> Kernel => kernel;

    internal KernelMetric Metric => metric;

    /// <summary>The first left singular vectors of D K Σ^½ with the given axes as rows, as columns [rows, rank].</summary>
    internal Tensor<double> Leading(string rows, int rank)
    {
        Tensor<double> all = _vectors.GetOrAdd(rows, static (key, own) => new(() => Unfolding.Leading(own._weighted.Value, "oihw", key)), this).Value;
        return Unfolding.FirstColumns(all, rank);
    }

    /// <summary>D K Σ^½.</summary>
    internal static Tensor<double> Weighted(Tensor<double> kernel, KernelMetric metric)
    {
        Tensor<double> weighed = metric.Weigh(kernel);
        if (metric.Covariance is not { } covariance) return weighed;
        Tensor<double> result = new(kernel.Shape);
        int n = covariance.Shape[0];
        Gemm.Multiply<double>(
            kernel.Shape[0], n, n, 1, weighed.Values, n, 1, KernelMetric.Root(covariance).Values, n, 1, 0, result.Values, n, Workers.Serial);
        return result;
    }
}
