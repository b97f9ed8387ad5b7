using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Decompositions;
using Tensorial.Kernels;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Decompositions;

/// <summary>A kernel as a sum of two forms, fitted by turns.</summary>
public class SumFitTests
{
    private static readonly Shape Small = [6, 5, 3, 3];

    public static TheoryData<string, int[]> Sums =>
        new()
        {
            { "svd-out+svd-in", [2, 1] },
            { "spatial-svd+decoupled-in", [3, 1] },
            { "decoupled-in+decoupled-out", [1, 1] },
            { "decoupled-in+decoupled-out", [1, 0, 2, 1, 0, 1, 0, 2, 0, 1, 1] },
            { "rih,orw->oihw+decoupled-out", [3, 1, 1, 0, 1, 2, 0] },
            { "cp+basis", [3, 1] },
            { "tucker2+rtt:2", [2, 2, 2, 2] },
        };

    /// <summary>In every measure: what a fit reports is the error of its factors by plain loops, and none of its terms alone comes as near.</summary>
    [Theory]
    [MemberData(nameof(Sums))]
    public void A_sum_comes_nearer_than_its_terms(string name, int[] ranks)
    {
        Tensor<double> kernel = Some.Noise(Small, 1);
        KernelFormat format = KernelFormat.Parse(name);
        Assert.Equal(name, format.ToString());
        foreach (
            KernelMetric metric in (KernelMetric[])
                [KernelMetric.Plain, new(null, [1, 2, 0.5, 3, 1, 0.3]), new(Covariance(2), [1, 2, 0.5, 3, 1, 0.3])]
        )
        {
            TensorFactors<double> fit = KernelFactorization.Fit(kernel, format, [.. ranks], metric);
            Assert.Equal(Square(kernel, fit.Reconstruct(), metric), fit.RelativeError, 1e-9);
            KernelForm form = KernelForm.From(format, Small);
            Assert.Equal(form.Parameters(ranks), fit.Parameters);
            foreach ((KernelForm term, ImmutableArray<int> own) in form.Parted([.. ranks]))
                Assert.True(fit.RelativeError < KernelFactorization.Fit(kernel, term.Format, own, metric).RelativeError);
        }
    }

    /// <summary>Two cuts of rank 2 each, by turns in NumPy until nothing changes.</summary>
    [OracleFact(Oracle.NumPy)]
    public void Turns_end_where_numpys_do()
    {
        using TemporaryFolder folder = new();
        Tensor<double> kernel = Some.Noise(Small, 3);
        double expected = double.Parse(
            Oracles.RunPython(
                """
                import sys, numpy as np
                K = np.load(sys.argv[1])
                def cut(X, rows, rank):
                    order = rows + [a for a in range(4) if a not in rows]
                    M = X.transpose(order); shape = M.shape
                    U, s, V = np.linalg.svd(M.reshape(np.prod(shape[:len(rows)]), -1), full_matrices=False)
                    return ((U[:, :rank] * s[:rank]) @ V[:rank]).reshape(shape).transpose(np.argsort(order))
                a = b = np.zeros_like(K)
                for _ in range(400):
                    a = cut(K - b, [0, 2], 2)
                    b = cut(K - a, [0, 3], 2)
                print(repr(float(np.linalg.norm(K - a - b) / np.linalg.norm(K))))
                """,
                Some.Saved(kernel, folder.Path, "kernel")
            ),
            CultureInfo.InvariantCulture
        );
        double error = KernelFactorization
            .Fit(kernel, KernelFormat.Parse("spatial-svd+rih,orw->oihw"), [2, 2], options: new(Iterations: 400))
            .RelativeError;
        Assert.Equal(expected, error, 2e-3);
    }

    [Fact]
    public void A_sum_is_found_again()
    {
        Random random = new(5);
        KernelForm form = KernelForm.From(KernelFormat.Parse("spatial-svd+basis"), [12, 10, 3, 3]);
        TensorFactors<double> made = InitialFactors.Draw(form, [2, 1], 1, random);
        Assert.InRange(
            KernelFactorization.Fit(made.Reconstruct(), form.Format, [2, 1], options: new(Iterations: 300)).RelativeError,
            0,
            0.05
        );
    }

    [Fact]
    public void Groups_are_fitted_each_by_itself()
    {
        Tensor<double> kernel = Some.Noise([6, 4, 3, 3], 6);
        KernelForm form = KernelForm.From(KernelFormat.Parse("spatial-svd+svd-out"), kernel.Shape, groups: 2);
        TensorFactors<double> both = KernelFactorization.Fit(new KernelStarts(kernel, KernelMetric.Plain, 2), form, [2, 1]);
        Tensor<double> first = new([3, 4, 3, 3], kernel.Values[..108].ToArray());
        TensorFactors<double> one = KernelFactorization.Fit(first, form.Format, [2, 1]);
        for (int k = 0; k < 108; k++)
            Assert.Equal(one.Reconstruct().Values[k], both.Reconstruct().Values[k], 1e-9);
    }

    /// <summary>Fresh factors make a kernel as wide as asked, balanced ones the same kernel.</summary>
    [Fact]
    public void Fresh_and_balanced_factors_are_those_of_both()
    {
        KernelForm form = KernelForm.From(KernelFormat.Parse("decoupled-in+tt"), [32, 24, 3, 3]);
        double squares = 0;
        Random random = new(7);
        for (int draw = 0; draw < 20; draw++)
        {
            TensorFactors<double> factors = InitialFactors.Draw(form, form.RanksAt(0.3), 0.1, random);
            Tensor<double> kernel = factors.Reconstruct();
            squares += Math.Pow(Some.Norm(kernel), 2) / kernel.Shape.ElementCount / 20;
            Assert.InRange(Some.Distance(kernel, factors.Balanced().Reconstruct()), 0, 1e-12);
        }
        Assert.InRange(Math.Sqrt(squares), 0.085, 0.115);
    }

    [Theory]
    [InlineData(0.15), InlineData(0.3), InlineData(0.6)]
    public void Ranks_come_within_the_rate(double rate)
    {
        Tensor<double> kernel = Some.Noise([24, 16, 3, 3], 8);
        foreach (
            string name in (string[])
                ["decoupled-in+spatial-svd", "spatial-svd+decoupled-out", "decoupled-in+decoupled-out", "svd-out+basis"]
        )
        {
            KernelForm form = KernelForm.From(KernelFormat.Parse(name), kernel.Shape);
            ImmutableArray<int> ranks = form.RanksAt(new KernelStarts(kernel, KernelMetric.Plain), rate);
            form.Check(ranks.AsSpan());
            // Ranks of 1 may be more than asked for already.
            double least = (double)form.Parameters([.. form.MaxRanks.Select(static _ => 1)]) / kernel.Shape.ElementCount;
            Assert.InRange((double)form.Parameters(ranks.AsSpan()) / kernel.Shape.ElementCount, rate / 2, Math.Max(least, rate));
        }
    }

    [Theory]
    [InlineData("spatial-svd+decoupled-in", new[] { 3, 2, 0, 2, 1 }, "3 + 2:2 1:1 0:1")]
    [InlineData("decoupled-in+tucker2", new[] { 2, 4, 5 }, "2 + 4×5")]
    [InlineData("decoupled-in+decoupled-out", new[] { 1, 2 }, "1 + 2")]
    [InlineData("bt:3+svd-out", new[] { 1, 2, 3 }, "1×2 + 3")]
    [InlineData("svd-out", new[] { 4 }, "4")]
    public void Ranks_of_a_sum_are_told_apart(string format, int[] ranks, string text) =>
        Assert.Equal(text, Tensorial.Compression.LayerForm.Text(KernelFormat.Parse(format), [.. ranks]));

    [Theory]
    [InlineData("svd-out+", "a sum is one of two formats")]
    [InlineData("svd-out+cp+tt", "a sum is one of two formats")]
    [InlineData("svd-out+zip", "'zip' is no format")]
    [InlineData("search+cp", "looks for sums itself")]
    public void What_is_no_sum_is_refused(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<BadInputException>(() => KernelFormat.Parse(text)).Message);

    [Theory]
    [InlineData(new[] { 1 }, "takes 2 ranks")]
    [InlineData(new[] { 0, 1 }, "ranks of 1 to")]
    public void Ranks_that_do_not_fit_are_refused(int[] ranks, string reason) =>
        Assert.Contains(
            reason,
            Assert
                .ThrowsAny<BadInputException>(() =>
                    KernelFactorization.Fit(Some.Noise(Small, 1), KernelFormat.Parse("svd-out+svd-in"), [.. ranks])
                )
                .Message
        );

    private static Tensor<double> Covariance(int seed)
    {
        int n = Small.ElementCount / Small[0];
        Tensor<double> root = Some.Noise([n, n], seed),
            result = new([n, n]);
        for (int at = 0; at < n * n; at++)
            root.Values[at] *= Math.Pow(0.9, at % n);
        MatrixProduct.Multiply<double>(n, n, n, 1, root.Values, n, 1, root.Values, 1, n, 0, result.Values, n, Workers.Serial);
        return KernelMetric.Regularised(result);
    }

    private static double Square(Tensor<double> kernel, Tensor<double> made, KernelMetric metric)
    {
        int rows = kernel.Shape[0],
            n = kernel.Shape.ElementCount / rows;
        double gap = 0,
            all = 0;
        for (int o = 0; o < rows; o++)
        for (int j = 0; j < n; j++)
        for (int k = 0; k < n; k++)
        {
            double weight = Math.Pow(metric.Weights?[o] ?? 1, 2) * (metric.Covariance?.Values[j * n + k] ?? (j == k ? 1 : 0)),
                a = kernel.Values[o * n + j],
                b = kernel.Values[o * n + k];
            gap += weight * (a - made.Values[o * n + j]) * (b - made.Values[o * n + k]);
            all += weight * a * b;
        }
        return Math.Sqrt(gap / all);
    }
}
