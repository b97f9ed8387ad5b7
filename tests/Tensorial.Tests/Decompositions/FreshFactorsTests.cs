using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Decompositions;

namespace Tensorial.Tests.Decompositions;

public class FreshFactorsTests
{
    public static TheoryData<string> Formats() => [.. KernelFormat.All.Select(static format => format.ToString()), "rcp:2", "rtr:2"];

    /// <summary>Products of few normal numbers have heavy tails, so that the mean is taken over many draws.</summary>
    [Theory, MemberData(nameof(Formats))]
    public void The_weight_they_make_is_as_wide_as_asked(string format)
    {
        KernelForm form = KernelForm.From(KernelFormat.Parse(format), [32, 24, 3, 3]);
        ImmutableArray<int> ranks = form.RanksAt(0.3);
        Random random = new(5);
        const int draws = 60;
        double squares = 0,
            sums = 0;
        for (int draw = 0; draw < draws; draw++)
        {
            Tensor<double> weight = InitialFactors.Draw(form, ranks, 0.1, random).Reconstruct();
            squares += TensorPrimitives.SumOfSquares<double>(weight.Values) / weight.Shape.ElementCount / draws;
            sums += TensorPrimitives.Sum<double>(weight.Values) / weight.Shape.ElementCount / draws;
        }

        Assert.InRange(Math.Sqrt(squares), 0.09, 0.11);
        Assert.InRange(Math.Abs(sums), 0, 0.003);
    }

    [Theory, MemberData(nameof(Formats))]
    public void All_factors_are_expected_to_have_one_norm(string format)
    {
        KernelForm form = KernelForm.From(KernelFormat.Parse(format), [48, 32, 3, 3]);
        TensorFactors<double> factors = InitialFactors.Draw(form, form.RanksAt(0.5), 0.05, new(6));

        double[] norms = [.. factors.Factors.Select(static factor => Math.Sqrt(TensorPrimitives.SumOfSquares<double>(factor.Values)))];
        // Factors of few numbers scatter.
        Assert.All(
            factors.Factors.Zip(norms),
            pair => Assert.InRange(pair.Second / norms.Max(), pair.First.Shape.ElementCount > 100 ? 0.7 : 0.2, 1)
        );
    }

    [Fact]
    public void Groups_are_drawn_each_by_itself()
    {
        KernelForm form = KernelForm.From(KernelFormat.Tucker2, [16, 4, 3, 3], groups: 4);
        Tensor<double> weight = InitialFactors.Draw(form, form.RanksAt(0.6), 0.2, new(7)).Reconstruct();
        Assert.Equal(16 * 4 * 9, weight.Shape.ElementCount);
        Assert.InRange(Math.Sqrt(TensorPrimitives.SumOfSquares<double>(weight.Values) / weight.Shape.ElementCount), 0.1, 0.3);
    }

    [Fact]
    public void Ranks_that_do_not_fit_are_refused()
    {
        KernelForm form = KernelForm.From(KernelFormat.Tucker2, [8, 8, 3, 3]);
        Assert.Contains("2 ranks", Assert.Throws<BadInputException>(() => InitialFactors.Draw(form, [3], 0.1, new(0))).Message);
    }

    [Fact]
    public void Balanced_factors_make_the_same_tensor_and_have_one_norm()
    {
        KernelForm form = KernelForm.From(KernelFormat.TensorTrain, [12, 10, 3, 3]);
        TensorFactors<double> factors = KernelFactorization.Fit(Some.Noise([12, 10, 3, 3], 3), form.Format, form.RanksAt(0.4));
        TensorFactors<double> balanced = factors.Balanced();

        Assert.InRange(Some.Distance(factors.Reconstruct(), balanced.Reconstruct()), 0, 1e-12);
        double[] norms = [.. balanced.Factors.Select(static factor => Math.Sqrt(TensorPrimitives.SumOfSquares<double>(factor.Values)))];
        Assert.All(norms, norm => Assert.Equal(norms[0], norm, 1e-9));
    }

    [Theory]
    [InlineData("cp")]
    [InlineData("cp3")]
    [InlineData("tucker2")]
    [InlineData("tr")]
    public void Every_slice_of_a_bond_has_one_norm_in_all_factors_that_share_it(string format)
    {
        KernelForm form = KernelForm.From(KernelFormat.Parse(format), [12, 10, 3, 3]);
        TensorFactors<double> factors = KernelFactorization.Fit(Some.Noise([12, 10, 3, 3], 3), form.Format, form.RanksAt(0.4)),
            balanced = factors.Balanced();

        Assert.InRange(Some.Distance(factors.Reconstruct(), balanced.Reconstruct()), 0, 1e-12);
        foreach (char bond in form.Tensor.Bonds)
        {
            double[][] norms =
            [
                .. balanced
                    .Factors.Zip(form.Tensor.Equation.Inputs)
                    .Where(pair => pair.Second.Contains(bond))
                    .Select(pair => SliceNorms(pair.First, pair.Second.IndexOf(bond))),
            ];
            // Bonds pull at each other where a factor has several; a sum of terms has one.
            double most = form.Tensor.Bonds.Length == 1 ? 1 + 1e-9 : 1.1;
            foreach (double[] others in norms.Skip(1))
                Assert.All(norms[0].Zip(others), pair => Assert.InRange(pair.First / pair.Second, 1 / most, most));
        }
    }

    private static double[] SliceNorms(Tensor<double> factor, int axis)
    {
        double[] squares = new double[factor.Shape[axis]];
        int inner = factor.Shape.ElementCountOf(axis + 1, factor.Shape.Rank);
        for (int at = 0; at < factor.Shape.ElementCount; at++)
            squares[at / inner % squares.Length] += factor.Values[at] * factor.Values[at];
        return Array.ConvertAll(squares, Math.Sqrt);
    }
}
