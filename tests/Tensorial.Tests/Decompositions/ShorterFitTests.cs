using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.Decompositions;

/// <summary>What fits in the plain norm are shortened by: the errors are those of the long way, measured by a plain loop.</summary>
public class ShorterFitTests
{
    private static readonly Shape Extents = [12, 10, 3, 3];

    /// <summary>A kernel whose singular values fall, as those of trained ones do.</summary>
    private static Tensor<double> Kernel(int seed) =>
        Some.OfRank(KernelForm.From(KernelFormat.Cp, Extents).Tensor, Extents, [9], seed, noise: 0.3);

    [Theory]
    [InlineData("svd-out", 4), InlineData("svd-in", 3), InlineData("spatial-svd", 7), InlineData("basis", 5)]
    public void The_error_of_a_single_cut_is_known_without_a_fit(string name, int rank)
    {
        Tensor<double> kernel = Kernel(1);
        foreach (double[]? weights in (double[]?[])[null, [.. Enumerable.Range(1, 12).Select(static k => 0.1 * k)]])
        {
            KernelStarts starts = new(kernel, new(null, weights));
            KernelForm form = KernelForm.From(KernelFormat.Parse(name), Extents);
            TensorFactors<double> fit = KernelFactorization.Fit(starts, form, [rank]);
            Assert.Equal(fit.RelativeError, ErrorBounds.Exact(starts, form, [rank])!.Value, 6);
            Assert.Equal(starts.Metric.ErrorOf(kernel, fit.Reconstruct()), ErrorBounds.Exact(starts, form, [rank])!.Value, 6);
        }
    }

    [Fact]
    public void So_it_is_of_several_groups()
    {
        KernelStarts starts = new(Kernel(2), KernelMetric.Plain, groups: 3);
        KernelForm form = KernelForm.From(KernelFormat.SvdOut, Extents, 3);
        Assert.Equal(KernelFactorization.Fit(starts, form, [2]).RelativeError, ErrorBounds.Exact(starts, form, [2])!.Value, 6);
    }

    [Theory]
    [InlineData("tucker2", 4, 5), InlineData("cp", 6), InlineData("cp3", 8), InlineData("tt", 3, 4, 5), InlineData("svd-out", 4)]
    public void No_fit_is_better_than_the_bound(string name, params int[] ranks)
    {
        KernelStarts starts = new(Kernel(3), KernelMetric.Plain);
        KernelForm form = KernelForm.From(KernelFormat.Parse(name), Extents);
        double least = ErrorBounds.Least(starts, form, [.. ranks]);
        Assert.InRange(least, 0.01, KernelFactorization.Fit(starts, form, [.. ranks]).RelativeError + 1e-9);
    }

    /// <summary>Against the descent over the same factors, which knows nothing of the iteration.</summary>
    [Theory]
    [InlineData(2, 3), InlineData(4, 4), InlineData(6, 8), InlineData(10, 12)]
    public void Orthogonal_iteration_ends_where_a_descent_does(int input, int output)
    {
        Tensor<double> kernel = Kernel(4);
        KernelStarts starts = new(kernel, KernelMetric.Plain);
        KernelForm form = KernelForm.From(KernelFormat.Tucker2, Extents);
        ImmutableArray<int> ranks = [input, output];
        TensorFactors<double> fit = KernelFactorization.Fit(starts, form, ranks);
        FitObjective objective = new(kernel, form.Tensor, ranks, KernelMetric.Plain, Workers.Serial, default);
        double[] point = FitStarts.ByCuts(new(starts, form, ranks, new(), default));
        double descended = Math.Sqrt(LimitedMemoryBfgs.Minimise(objective.Evaluate, point, 500, 1e-9));
        Assert.InRange(fit.RelativeError, 0, descended * 1.002 + 1e-4);
        Assert.Equal(Some.Distance(kernel, fit.Reconstruct()), fit.RelativeError, 9);
    }

    [Theory]
    [InlineData("cp"), InlineData("cp3")]
    public void A_ladder_of_ranks_is_no_worse_than_fits_of_their_own(string name)
    {
        KernelStarts starts = new(Kernel(5), KernelMetric.Plain);
        KernelForm form = KernelForm.From(KernelFormat.Parse(name), Extents);
        TensorFactors<double>? smaller = null;
        double error = double.PositiveInfinity;
        foreach (int rank in (int[])[3, 5, 8, 12, 17, 24])
        {
            smaller = KernelFactorization.Grown(smaller, starts, form, [rank], new(1, 120), default);
            Assert.InRange(smaller.RelativeError, 0, KernelFactorization.Fit(starts, form, [rank], new(1, 120)).RelativeError * 1.1 + 0.01);
            Assert.Equal(Some.Distance(starts.Kernel, smaller.Reconstruct()), smaller.RelativeError, 6);
            Assert.True(smaller.RelativeError < error);
            error = smaller.RelativeError;
        }
        TensorFactors<double> climbed = KernelFactorization.Climbed(starts, form, [17], new(1, 800), default);
        Assert.InRange(climbed.RelativeError, 0, KernelFactorization.Fit(starts, form, [17], new(1, 800)).RelativeError * 1.05 + 0.005);
    }
}
