using Tensorial.Decompositions;

namespace Tensorial.Tests.Decompositions;

public class CpTests
{
    [Theory]
    [InlineData(2, new[] { 12, 9 }, 4)]
    [InlineData(3, new[] { 8, 7, 6 }, 5)]
    [InlineData(4, new[] { 10, 9, 3, 3 }, 7)]
    [InlineData(5, new[] { 4, 3, 5, 2, 3 }, 3)]
    public void A_tensor_made_of_terms_is_recovered(int order, int[] extents, int rank)
    {
        Tensor<double> tensor = Some.OfRank(TensorFormat.Cp(order), Shape.From(extents), [rank], 1);

        TensorFactors<double> fit = Cp.Fit(tensor, RankChoice.From(rank), new(Tolerance: 0, Sweeps: 2000));

        Assert.InRange(fit.RelativeError, 0, 1e-4);
        Assert.Equal(rank * extents.Sum(), fit.Parameters);
    }

    /// <summary>Columns as by hand: M of the first mode of a 3-mode tensor, from plain loops.</summary>
    [Theory]
    [InlineData(new[] { 5, 4, 3 })]
    [InlineData(new[] { 2, 7, 3, 2 })]
    [InlineData(new[] { 9, 2 })]
    [InlineData(new[] { 2, 3, 2, 4, 3 })]
    public void The_tree_multiplies_by_all_factors_but_one(int[] extents)
    {
        const int Rank = 3;
        Tensor<double> tensor = Some.Noise(Shape.From(extents), 2);
        Tensor<double>[] factors = [.. extents.Select((extent, mode) => Some.Noise([extent, Rank], 10 + mode))];
        int visits = 0;
        new CpTree<double>(tensor, Rank, Tensorial.Kernels.Workers.Serial).Sweep(
            factors,
            (mode, product) =>
            {
                Assert.Equal(visits++, mode);
                double[] expected = new double[extents[mode] * Rank];
                int[] strides = tensor.Shape.Strides();
                for (int at = 0; at < tensor.Shape.ElementCount; at++)
                for (int r = 0; r < Rank; r++)
                {
                    double value = tensor.Values[at];
                    for (int other = 0; other < extents.Length; other++)
                        if (other != mode)
                            value *= factors[other].Values[at / strides[other] % extents[other] * Rank + r];
                    expected[at / strides[mode] % extents[mode] * Rank + r] += value;
                }
                for (int k = 0; k < expected.Length; k++)
                    Assert.Equal(expected[k], product.Values[k], 1e-12);
                // What is changed on the way must count for the modes that follow.
                factors[mode] = Some.Noise([extents[mode], Rank], 20 + mode);
            }
        );
        Assert.Equal(extents.Length, visits);
    }

    [Fact]
    public void The_error_never_rises_with_more_sweeps()
    {
        Tensor<double> tensor = Some.Noise([12, 10, 3, 3], 3);
        double before = 1;
        foreach (int sweeps in (int[])[1, 2, 5, 10, 20, 50, 100])
        {
            double error = Cp.Fit(
                tensor,
                RankChoice.From(8),
                new(Starts: 1, Sweeps: sweeps, TrialSweeps: sweeps, Tolerance: 0)
            ).RelativeError;
            Assert.InRange(error, 0, before + 1e-12);
            before = error;
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_and_another_seed_does_not()
    {
        Tensor<double> tensor = Some.Noise([9, 8, 3, 3], 4);

        double[] Values(int seed) =>
            [
                .. Cp.Fit(tensor, RankChoice.From(5), new(Starts: 2, Sweeps: 30, Seed: seed))
                    .Factors.SelectMany(static factor => factor.Values.ToArray()),
            ];

        Assert.Equal(Values(1), Values(1));
        Assert.NotEqual(Values(1), Values(2));
    }

    [Fact]
    public void Single_precision_fits_nearly_as_well()
    {
        Tensor<double> tensor = Some.OfRank(TensorFormat.Cp(4), [16, 12, 3, 3], [10], 5, 0.3);
        double wide = Cp.Fit(tensor, RankChoice.From(10)).RelativeError,
            narrow = Cp.Fit(Some.Single(tensor), RankChoice.From(10)).RelativeError;

        Assert.InRange(narrow, 0, wide * 1.02);
    }

    [Fact]
    public void The_rank_is_found_that_keeps_an_error()
    {
        Tensor<double> tensor = Some.OfRank(TensorFormat.Cp(3), [10, 9, 8], [4], 6, 0.05);

        TensorFactors<double> found = Cp.Fit(tensor, new RankChoice.WithinError(0.06));

        Assert.Equal(4, found.Ranks[0]);
        Assert.InRange(found.RelativeError, 0, 0.06);
    }

    [Fact]
    public void The_data_show_the_number_of_terms() =>
        Assert.InRange(Cp.Fit(Some.OfRank(TensorFormat.Cp(3), [30, 20, 15], [5], 7, 0.2), new RankChoice.ByData()).Ranks[0], 4, 6);

    /// <summary>
    /// On the border of what two terms can make (rank three) the best fits grow without bound and cancel. Damped, terms do not grow, in the plain norm and in another measure, for one percent of error at most.
    /// </summary>
    [Theory, InlineData(false), InlineData(true)]
    public void Damped_terms_do_not_grow(bool weighed)
    {
        Tensor<double> kernel = new([2, 2, 2, 1], new double[] { 0, 1, 1, 0, 1, 0, 0, 0 });
        Tensor<double> covariance = new([4, 4]);
        for (int k = 0; k < 4; k++)
            covariance.Values[5 * k] = 1 + k;
        KernelMetric metric = weighed ? new(covariance) : KernelMetric.Plain;

        TensorFactors<double> fit = KernelFactorization.Fit(kernel, KernelFormat.Cp3, [2], metric, new(Iterations: 2000, Tolerance: 0));

        Assert.InRange(fit.TermEnergy()!.Value, 1, 40);
        Assert.InRange(fit.RelativeError, 0, 0.15);
    }

    /// <summary>The energy of terms, by making each of them.</summary>
    [Theory, InlineData("cp"), InlineData("cp3"), InlineData("rcp:2")]
    public void The_energy_of_terms_is_that_of_terms_made_one_by_one(string format)
    {
        KernelForm form = KernelForm.From(KernelFormat.Parse(format), [6, 4, 3, 3]);
        TensorFactors<double> fit = KernelFactorization.Fit(Some.Noise([6, 4, 3, 3], 5), form.Format, [5]);
        double sum = 0;
        for (int term = 0; term < 5; term++)
        {
            Tensor<double>[] one =
            [
                .. fit.Factors.Zip(form.Tensor.Equation.Inputs, (factor, axes) => Only(term, factor, axes.IndexOf(form.Tensor.Bonds[0]))),
            ];
            sum += Math.Pow(Some.Norm((fit with { Factors = [.. one] }).Reconstruct()), 2);
        }

        Assert.Equal(sum / Math.Pow(Some.Norm(fit.Reconstruct()), 2), fit.TermEnergy()!.Value, 1e-9);
        Assert.Null(KernelFactorization.Fit(Some.Noise([6, 4, 3, 3], 5), KernelFormat.SvdOut, [3]).TermEnergy());

        static Tensor<double> Only(int term, Tensor<double> factor, int axis)
        {
            Tensor<double> one = factor.Clone();
            int inner = factor.Shape.ElementCountOf(axis + 1, factor.Shape.Rank);
            for (int at = 0; at < factor.Shape.ElementCount; at++)
                if (at / inner % factor.Shape[axis] != term)
                    one.Values[at] = 0;
            return one;
        }
    }

    [Fact]
    public void Orthogonal_terms_have_energy_one()
    {
        Tensor<double> diagonal = new([3, 3, 3]);
        for (int k = 0; k < 3; k++)
            diagonal.Values[13 * k] = k + 1;
        Assert.Equal(1, Cp.Fit(diagonal, RankChoice.From(3)).TermEnergy()!.Value, 1e-6);
    }

    [Fact]
    public void Zeros_fit() => Assert.Equal(0, Cp.Fit(new Tensor<double>([4, 3, 2]), RankChoice.From(2)).RelativeError);

    [Fact]
    public void An_error_no_rank_reaches_says_the_least_found()
    {
        Tensor<double> tensor = Some.Noise([6, 5, 4], 10);
        Assert.Contains(
            "the least was",
            Assert.Throws<GoalNotMetException>(() => Cp.Fit(tensor, new RankChoice.WithinError(1e-9), new(Sweeps: 3))).Message
        );
    }
}
