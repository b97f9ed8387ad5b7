using System.Collections.Immutable;
using Tensorial.Decompositions;

namespace Tensorial.Tests.Decompositions;

public class FormatCurveTests
{
    private static readonly Tensor<double> Kernel = Some.OfRank(TensorFormat.Tucker(4, 0, 1), [9, 8, 3, 2], [4, 3], 1, 0.4);

    [Theory]
    [InlineData("svd-out")]
    [InlineData("svd-in")]
    [InlineData("spatial-svd")]
    public void The_error_of_a_cut_is_known_at_every_rank(string name)
    {
        KernelFormat format = KernelFormat.Parse(name);
        FormatCurve curve = FormatCurve.From(Kernel, format);
        for (int rank = 1; rank <= KernelForm.From(format, Kernel.Shape).MaxRanks[0]; rank += 2)
        {
            TensorFactors<double> fit = KernelFactorization.Fit(Kernel, format, [rank]);
            Assert.Equal(fit.RelativeError, curve.Error(rank).Least, 1e-6);
            Assert.Equal(curve.Error(rank).Least, curve.Error(rank).Most);
            Assert.Equal(fit.Parameters, curve.Parameters([rank]));
        }
    }

    [Theory]
    [InlineData("tucker2", new[] { 3, 4 })]
    [InlineData("tucker2", new[] { 2, 6 })]
    [InlineData("tt", new[] { 3, 5, 4 })]
    [InlineData("tt", new[] { 6, 4, 3 })]
    [InlineData("tucker", new[] { 3, 4, 2, 1 })]
    [InlineData("ht", new[] { 3, 4, 2, 2, 3 })]
    [InlineData("ht", new[] { 5, 6, 3, 1, 2 })]
    public void The_error_of_a_fit_lies_between_the_bounds(string name, int[] ranks)
    {
        KernelFormat format = KernelFormat.Parse(name);
        (double least, double most) = FormatCurve.From(Kernel, format).Error(ranks);

        Assert.InRange(KernelFactorization.Fit(Kernel, format, [.. ranks]).RelativeError, least * (1 - 1e-9), most * (1 + 1e-9));
    }

    [Fact]
    public void A_covariance_is_measured_where_it_leaves_a_closed_form()
    {
        int n = Kernel.Shape.ElementCount / 9;
        Tensor<double> root = Some.Noise([n, n], 2),
            covariance = Fits.Times(root, 1, Matrix(root), Tensorial.Kernels.Workers.Serial);
        KernelMetric metric = new(covariance);

        Assert.Equal(
            KernelFactorization.Fit(Kernel, KernelFormat.SvdOut, [4], metric).RelativeError,
            FormatCurve.From(Kernel, KernelFormat.SvdOut, metric).Error(4).Least,
            1e-6
        );
        Assert.Throws<BadInputException>(() => FormatCurve.From(Kernel, KernelFormat.SvdIn, metric));

        static Tensor<double> Matrix(Tensor<double> a) => Fits.Permuted(a, 1, 0);
    }

    [Fact]
    public void The_ranks_for_an_error_keep_it()
    {
        foreach (string name in (string[])["svd-out", "spatial-svd", "tucker2", "tt"])
        foreach (double error in (double[])[0.1, 0.3, 0.6])
        {
            FormatCurve curve = FormatCurve.From(Kernel, KernelFormat.Parse(name));
            ImmutableArray<int> ranks = curve.RanksWithin(error);
            Assert.InRange(curve.Error(ranks.AsSpan()).Most, 0, error * (1 + 1e-12));
        }
    }

    [Fact]
    public void Sums_of_terms_have_no_curve() =>
        Assert.Contains("cp", Assert.Throws<BadInputException>(() => FormatCurve.From(Kernel, KernelFormat.Cp)).Message);
}
