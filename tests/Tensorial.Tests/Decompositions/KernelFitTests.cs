using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Equations;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.Decompositions;

public class KernelFitTests
{
    private static readonly Shape Small = [6, 5, 3, 2];

    private static IEnumerable<KernelFormat> Whole => KernelFormat.All.Where(static format => !format.IsReshaped);

    public static TheoryData<string> Formats => [.. Whole.Select(static format => format.Name)];

    /// <summary>Every format in every measure: plain, weighted outputs, covariance of inputs, both.</summary>
    public static TheoryData<string, bool, bool> Measures
    {
        get
        {
            TheoryData<string, bool, bool> cases = [];
            foreach (KernelFormat format in Whole)
            foreach (bool weights in (bool[])[false, true])
            foreach (bool covariance in (bool[])[false, true])
                cases.Add(format.Name, weights, covariance);
            return cases;
        }
    }

    /// <summary>Those that descend; others have fits of their own, with tests of their own.</summary>
    public static TheoryData<string, bool, bool> Descents
    {
        get
        {
            TheoryData<string, bool, bool> cases = [];
            foreach (object[] row in Measures.Where(static row => KernelFormat.Parse((string)row[0]).IsProjected))
                cases.Add((string)row[0], (bool)row[1], (bool)row[2]);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Descents))]
    public void Gradients_are_those_of_finite_differences(string name, bool weights, bool covariance)
    {
        KernelFormat format = KernelFormat.Parse(name);
        TensorFormat form = KernelForm.From(format, Small).Tensor;
        ImmutableArray<int> ranks = Twos(format);
        FitObjective objective = new(Some.Noise(Small, 1), form, ranks, Metric(weights, covariance), Workers.Serial, default);
        int count = form.FactorShapes(Small, ranks.AsSpan())[..^1].Sum(static factor => factor.ElementCount);
        double[] point = Some.Noise([count], 2).Values.ToArray(),
            gradient = new double[count];
        objective.Evaluate(point, gradient);

        const double Step = 1e-6;
        for (int k = 0; k < count; k++)
        {
            double[] ahead = [.. point],
                behind = [.. point];
            ahead[k] += Step;
            behind[k] -= Step;
            Assert.Equal((objective.Value(ahead) - objective.Value(behind)) / (2 * Step), gradient[k], 1e-6);
        }
    }

    /// <summary>The error that a fit reports is that of its factors, measured by plain loops: ‖D (K - K̃) Σ^½‖ / ‖D K Σ^½‖.</summary>
    [Theory]
    [MemberData(nameof(Measures))]
    public void The_error_is_that_of_the_factors(string name, bool weights, bool covariance)
    {
        KernelFormat format = KernelFormat.Parse(name);
        KernelMetric metric = Metric(weights, covariance);
        Tensor<double> kernel = Some.Noise(Small, 3);

        TensorFactors<double> fit = KernelFactorization.Fit(kernel, format, Twos(format), metric);

        Tensor<double> gap = fit.Reconstruct().Clone();
        for (int k = 0; k < kernel.Shape.ElementCount; k++)
            gap.Values[k] -= kernel.Values[k];
        Assert.Equal(Math.Sqrt(Square(gap, metric) / Square(kernel, metric)), fit.RelativeError, 1e-10);
        Assert.Equal(KernelForm.From(format, Small).Parameters(fit.Ranks.AsSpan()), fit.Parameters);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_kernel_made_of_few_ranks_is_recovered(string name)
    {
        KernelFormat format = KernelFormat.Parse(name);
        ImmutableArray<int> ranks = Twos(format);
        Random random = new(4);
        TensorFormat form = KernelForm.From(format, Small).Tensor;
        Tensor<double>[] factors = [.. form.FactorShapes(Small, ranks.AsSpan()).Select(shape => Fits.Normal<double>(shape, random))];
        Tensor<double> kernel = Contraction.Evaluate<double>(form.Equation, factors, Workers.Serial);

        Assert.InRange(KernelFactorization.Fit(kernel, format, ranks, options: new(Iterations: 2000)).RelativeError, 0, 2e-3);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Full_rank_is_exact(string name)
    {
        KernelFormat format = KernelFormat.Parse(name);
        Tensor<double> kernel = Some.Noise([4, 3, 2, 2], 5);

        Assert.InRange(
            KernelFactorization
                .Fit(kernel, format, KernelForm.From(format, kernel.Shape).MaxRanks, options: new(Iterations: 500))
                .RelativeError,
            0,
            // Terms pay for their energy, and are as long as that is worth.
            KernelForm.From(format, kernel.Shape).Tensor.IsSumOfTerms
                ? 2 * KernelFactorization.Damping
                : 1e-4
        );
    }

    /// <summary>
    /// In the plain norm no rank-r kernel is nearer than the cut's singular values allow (Eckart and Young), and these formats get there.
    /// </summary>
    [Theory]
    [InlineData("svd-out", "o")]
    [InlineData("svd-in", "i")]
    [InlineData("spatial-svd", "oh")]
    public void Truncated_cuts_have_the_error_of_the_spectrums_tail(string name, string rows)
    {
        Tensor<double> kernel = Some.Noise(Small, 6);
        int[] left = [.. rows.Select(static axis => "oihw".IndexOf(axis))],
            order = [.. left, .. Enumerable.Range(0, 4).Except(left)];
        int m = left.Aggregate(1, static (count, axis) => count * Small[axis]);
        double[] values = Svd.Values(Fits.Permuted(kernel, order).As([m, kernel.Shape.ElementCount / m]));
        for (int rank = 1; rank < values.Length; rank += 2)
        {
            double tail = Math.Sqrt(values[rank..].Sum(static value => value * value) / values.Sum(static value => value * value));
            Assert.Equal(tail, KernelFactorization.Fit(kernel, KernelFormat.Parse(name), [rank]).RelativeError, 1e-6);
        }
    }

    /// <summary>
    /// With a covariance the best kernel of rank r along o|ihw is W projected on the leading eigenvectors of W Σ Wᵀ, the answers' second
    /// moment.
    /// </summary>
    [Fact]
    public void A_data_informed_cut_of_the_output_has_a_closed_form()
    {
        Tensor<double> kernel = Some.Noise(Small, 7),
            covariance = Covariance(8);
        int n = covariance.Shape[0];
        Tensor<double> weighted = Fits.Times(kernel.As([6, n]), 1, covariance, Workers.Serial),
            moment = new([6, 6]);
        MatrixProduct.Multiply<double>(6, 6, n, 1, weighted.Values, n, 1, kernel.Values, 1, n, 0, moment.Values, 6, Workers.Serial);
        double[] values = SymmetricEigen.Of(moment).Values;
        for (int rank = 1; rank < 6; rank++)
            Assert.Equal(
                Math.Sqrt(values[..(6 - rank)].Sum() / values.Sum()),
                KernelFactorization.Fit(kernel, KernelFormat.SvdOut, [rank], new(covariance)).RelativeError,
                1e-6
            );
    }

    /// <summary>What is fitted to the data changes the layer's answers less than what is fitted to the kernel.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void Knowing_the_data_helps(string name)
    {
        KernelFormat format = KernelFormat.Parse(name);
        ImmutableArray<int> ranks = Twos(format);
        KernelMetric metric = new(Covariance(9));
        Tensor<double> kernel = Some.Noise(Small, 10);
        Tensor<double> gap = KernelFactorization.Fit(kernel, format, ranks).Reconstruct().Clone();
        for (int k = 0; k < kernel.Shape.ElementCount; k++)
            gap.Values[k] -= kernel.Values[k];

        double informed = KernelFactorization.Fit(kernel, format, ranks, metric, new(Starts: 3)).RelativeError;

        Assert.InRange(informed, 0, 0.97 * Math.Sqrt(Square(gap, metric) / Square(kernel, metric)));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Ranks_come_within_the_rate(string name)
    {
        KernelFormat format = KernelFormat.Parse(name);
        KernelForm form = KernelForm.From(format, [32, 24, 3, 3]);
        foreach (double rate in (double[])[0.1, 0.3, 0.6])
        {
            // Ranks of 1 may be more than asked for already; the next ranks are then.
            double least = (double)form.Parameters([.. form.MaxRanks.Select(static _ => 1)]) / (32 * 24 * 9);
            Assert.InRange((double)form.Parameters(form.RanksAt(rate).AsSpan()) / (32 * 24 * 9), rate / 2, Math.Max(least, rate));
            Assert.All(form.RanksAt(rate, 4), static rank => Assert.True(rank <= 4 || rank % 4 == 0));
        }
    }

    [Theory]
    [InlineData("svd-out", new[] { 7 })]
    [InlineData("tucker2", new[] { 0, 1 })]
    [InlineData("tt", new[] { 2, 2 })]
    public void Ranks_that_do_not_fit_are_refused(string name, int[] ranks) =>
        Assert.Throws<BadInputException>(() => KernelFactorization.Fit(Some.Noise(Small, 11), KernelFormat.Parse(name), [.. ranks]));

    /// <summary>Reshaped formats have no factor to solve for: all go downhill.</summary>
    [Theory]
    [InlineData("rcp:2"), InlineData("rtucker:2"), InlineData("rtt:2"), InlineData("rtr:2")]
    public void Reshaped_formats_go_downhill_with_all_factors(string name)
    {
        KernelForm form = KernelForm.From(KernelFormat.Parse(name), Small);
        ImmutableArray<int> ranks = [.. form.MaxRanks.Select(static most => Math.Min(2, most))];
        KernelMetric metric = Metric(true, true);
        Tensor<double> kernel = Some.Noise(Small, 13);
        FoldedObjective objective = new(kernel, form, ranks, metric, default);
        int count = form.Tensor.FactorShapes(form.Folding.Folded, ranks.AsSpan()).Sum(static factor => factor.ElementCount);
        double[] point = Some.Noise([count], 2).Values.ToArray(),
            gradient = new double[count],
            unused = new double[count];
        objective.Evaluate(point, gradient);
        const double Step = 1e-6;
        for (int k = 0; k < count; k++)
        {
            double[] ahead = [.. point],
                behind = [.. point];
            ahead[k] += Step;
            behind[k] -= Step;
            Assert.Equal(
                (objective.Evaluate(ahead, unused) - objective.Evaluate(behind, unused)) / (2 * Step),
                gradient[k],
                1e-4 * Math.Max(1, Math.Abs(gradient[k]))
            );
        }

        TensorFactors<double> informed = KernelFactorization.Fit(kernel, form.Format, ranks, metric),
            plain = KernelFactorization.Fit(kernel, form.Format, ranks);
        Assert.Equal(Math.Sqrt(Square(Gap(informed, kernel), metric) / Square(kernel, metric)), informed.RelativeError, 1e-10);
        Assert.InRange(informed.RelativeError, 0, 0.97 * Math.Sqrt(Square(Gap(plain, kernel), metric) / Square(kernel, metric)));
    }

    private static Tensor<double> Gap(TensorFactors<double> fit, Tensor<double> kernel)
    {
        Tensor<double> gap = fit.Reconstruct().Clone();
        for (int k = 0; k < kernel.Shape.ElementCount; k++)
            gap.Values[k] -= kernel.Values[k];
        return gap;
    }

    /// <summary>Ranks of two, as far as the kernel has them.</summary>
    private static ImmutableArray<int> Twos(KernelFormat format) =>
        [.. KernelForm.From(format, Small).MaxRanks.Select(static most => Math.Min(2, most))];

    private static KernelMetric Metric(bool weights, bool covariance) =>
        new(covariance ? Covariance(12) : null, weights ? [1, 2, 0.5, 3, 1, 0.25] : null);

    /// <summary>A positive definite matrix of all scales.</summary>
    private static Tensor<double> Covariance(int seed)
    {
        int n = Small.ElementCount / Small[0];
        Tensor<double> root = Some.Noise([n, n], seed),
            result = new([n, n]);
        for (int at = 0; at < n * n; at++)
            root.Values[at] *= Math.Pow(0.85, at % n);
        MatrixProduct.Multiply<double>(n, n, n, 1, root.Values, n, 1, root.Values, 1, n, 0, result.Values, n, Workers.Serial);
        return result;
    }

    private static double Square(Tensor<double> kernel, KernelMetric metric)
    {
        int rows = kernel.Shape[0],
            n = kernel.Shape.ElementCount / rows;
        double sum = 0;
        for (int o = 0; o < rows; o++)
        {
            double weight = metric.Weights?[o] ?? 1;
            for (int j = 0; j < n; j++)
            for (int k = 0; k < n; k++)
                sum +=
                    weight
                    * weight
                    * kernel.Values[o * n + j]
                    * kernel.Values[o * n + k]
                    * (metric.Covariance?.Values[j * n + k] ?? (j == k ? 1 : 0));
        }
        return sum;
    }
}
