using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Decompositions.Trees;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>
/// Where fits of one kernel in one measure start: the singular vectors of its unfoldings, computed when first asked for and shared by all
/// formats and ranks. Safe for several threads.
/// </summary>
/// <param name="kernel">[o, i, h, w].</param>
/// <param name="metric">The measure; for several groups without a covariance.</param>
/// <param name="groups">Groups of a grouped convolution: o is [group, channel], and each group is fitted by itself.</param>
internal sealed class KernelStarts(Tensor<double> kernel, KernelMetric metric, int groups = 1)
{
    /// <summary>
    /// Powers of two between which the largest magnitude of a kernel lies that is fitted as it is. Steps of a descent are neither lost nor out
    /// of all proportion there, and trained kernels lie well inside.
    /// </summary>
    private const int Usual = 8;

    private readonly ConcurrentDictionary<string, Lazy<(Tensor<double> Vectors, double[] Energies)>> _spectra = [];
    private readonly ConcurrentDictionary<Func<KernelStarts, double[][]>, Lazy<double[][]>> _energies = [];
    private Lazy<Tensor<double>?> _root = new(() => RootOf(metric));
    private Lazy<Tensor<double>>? _weighted;
    private Lazy<CutSpectra>? _cuts;
    private Lazy<KernelStarts>? _plain,
        _scaled;

    internal Tensor<double> Kernel => kernel;

    /// <summary>The kernel is <see cref="Scaled"/> times two to this power; 0 for one of a usual size.</summary>
    internal int Exponent { get; } =
        Math.Abs(TensorPrimitives.MaxMagnitude<double>(kernel.Values)) is > 0 and < double.PositiveInfinity and var largest
        && Math.ILogB(largest) is var exponent
        && Math.Abs(exponent) > Usual
            ? exponent
            : 0;

    /// <summary>The kernel at a size at which it can be fitted, in the same measure.</summary>
    internal KernelStarts Scaled => LazyInitializer.EnsureInitialized(ref _scaled, () => new(() => AtUsualSize(this, groups))).Value;

    internal KernelMetric Metric => metric;

    /// <summary>Those of each group; empty where there is one.</summary>
    internal ImmutableArray<KernelStarts> Groups { get; } =
        groups == 1 ? [] : [.. Enumerable.Range(0, groups).Select(group => OfGroup(kernel, metric, groups, group))];

    /// <summary>The first left singular vectors of D K Σ^½ with the given axes as rows, as columns [rows, rank].</summary>
    internal Tensor<double> Leading(string rows, int rank) => Fits.Columns(Spectrum(rows).Vectors, rank);

    /// <summary>
    /// The part of ‖D K Σ^½‖² that the first singular values with the given axes as rows leave out: no approximation of this rank along the
    /// cut has a smaller squared relative error.
    /// </summary>
    internal double TailOf(string rows, int rank)
    {
        double[] energies = Spectrum(rows).Energies;
        double sum = 0,
            all = 0;
        // From the smallest up, so that small tails keep their digits.
        for (int k = energies.Length - 1; k >= 0; k--)
        {
            all += energies[k];
            if (k >= rank)
                sum = all;
        }
        return all > 0 ? sum / all : 0;
    }

    /// <summary>The spectra of all cuts of D K Σ^½. A covariance that is no product of one of channels and one of places blurs them.</summary>
    internal CutSpectra Cuts => LazyInitializer.EnsureInitialized(ref _cuts, () => new(() => CutSpectra.From(WeightedKernel))).Value;

    /// <summary>The same kernel without the covariance, in the plain norm of D K.</summary>
    internal KernelStarts Plain =>
        metric.Covariance is null
            ? this
            : LazyInitializer
                .EnsureInitialized(ref _plain, () => new(() => new KernelStarts(kernel, metric with { Covariance = null }, groups)))
                .Value;

    /// <summary>‖D K Σ^½‖².</summary>
    internal double Energy => metric.Square(kernel);

    private (Tensor<double> Vectors, double[] Energies) Spectrum(string rows) =>
        _spectra.GetOrAdd(rows, static (key, own) => new(() => Unfolding.Spectrum(own.WeightedKernel, "oihw", key)), this).Value;

    /// <summary>Squared singular values of the kernel's channels, computed once for every rule that makes them.</summary>
    internal double[][] Energies(Func<KernelStarts, double[][]> rule) =>
        _energies.GetOrAdd(rule, static (key, own) => new(() => key(own)), this).Value;

    /// <summary>D K.</summary>
    internal Tensor<double> Weighed => metric.Weigh(kernel);

    /// <summary>What is left of the kernel without an approximation, in the same measure.</summary>
    internal KernelStarts Without(Tensor<double> approximation)
    {
        Tensor<double> rest = new(kernel.Shape);
        TensorPrimitives.Subtract<double>(kernel.Values, approximation.Values, rest.Values);
        return new(rest, metric) { _root = _root };
    }

    /// <summary>D K Σ^½.</summary>
    internal static Tensor<double> Weighted(Tensor<double> kernel, KernelMetric metric) => Weighted(metric.Weigh(kernel), RootOf(metric));

    private Tensor<double> WeightedKernel =>
        LazyInitializer.EnsureInitialized(ref _weighted, () => new(() => Weighted(Weighed, _root.Value))).Value;

    private static Tensor<double>? RootOf(KernelMetric metric) =>
        metric.Covariance is { } covariance ? KernelMetric.Root(covariance) : null;

    private static Tensor<double> Weighted(Tensor<double> weighed, Tensor<double>? root)
    {
        if (root is null)
            return weighed;
        Tensor<double> result = new(weighed.Shape);
        int n = root.Shape[0];
        MatrixProduct.Multiply<double>(
            weighed.Shape[0],
            n,
            n,
            1,
            weighed.Values,
            n,
            1,
            root.Values,
            n,
            1,
            0,
            result.Values,
            n,
            Workers.Serial
        );
        return result;
    }

    private static KernelStarts AtUsualSize(KernelStarts own, int groups)
    {
        Tensor<double> scaled = own.Kernel.Clone();
        Scaling.Multiply(scaled.Values, -own.Exponent);
        return new(scaled, own.Metric, groups) { _root = own._root };
    }

    private static KernelStarts OfGroup(Tensor<double> kernel, KernelMetric metric, int groups, int group)
    {
        int outputs = kernel.Shape[0] / groups,
            count = kernel.Shape.ElementCount / groups;
        Tensor<double> own = new(kernel.Shape.With(0, outputs), kernel.Values.Slice(group * count, count).ToArray());
        return new(own, new(null, metric.Weights?[(group * outputs)..((group + 1) * outputs)]));
    }
}
