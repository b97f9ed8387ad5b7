using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Einsum;
using Tensorial.Kernels;

namespace Tensorial.Tests.Decompositions;

public class ReshapedTests
{
    [Theory]
    [InlineData("rcp", 2, "acR,bdR,efR->abcdef")]
    [InlineData("rtucker", 2, "ABCDef,aA,bB,cC,dD->abcdef")]
    [InlineData("rtt", 2, "acA,AbdB,Bef->abcdef")]
    [InlineData("rtr", 2, "AacB,BbdC,CefA->abcdef")]
    public void A_reshaped_format_is_an_equation_over_the_parts_of_modes(string name, int order, string equation) =>
        Assert.Equal(equation.Replace('R', 'A'), Reshaped.Of(name, [12, 10, 3, 3], order).Format.Equation.ToString());

    /// <summary>Parameters by the formulas of the literature (O = 4·6, I = 2·5, 3×3).</summary>
    [Theory]
    [InlineData("rcp", new[] { 7 }, 7 * (4 * 2 + 6 * 5 + 9))]
    [InlineData("rtt", new[] { 2, 3 }, 4 * 2 * 2 + 2 * 6 * 5 * 3 + 3 * 9)]
    [InlineData("rtr", new[] { 2, 3, 4 }, 2 * 8 * 3 + 3 * 30 * 4 + 4 * 9 * 2)]
    [InlineData("rtucker", new[] { 2, 3, 1, 4 }, 4 * 2 + 6 * 3 + 2 + 5 * 4 + 2 * 3 * 1 * 4 * 9)]
    public void Parameters_follow(string name, int[] ranks, int parameters) =>
        Assert.Equal(parameters, Reshaped.Of(name, [24, 10, 3, 3], 2).Parameters(ranks));

    /// <summary>Channels of different extents throughout, so that no two parts can trade places unnoticed.</summary>
    [Theory]
    [InlineData("rcp", new[] { 3 }, 2, new[] { 15, 14, 3, 2 })]
    [InlineData("rtucker", new[] { 2, 3, 2, 3 }, 2, new[] { 15, 14, 3, 2 })]
    [InlineData("rtt", new[] { 2, 3 }, 2, new[] { 15, 14, 3, 2 })]
    [InlineData("rtr", new[] { 2, 2, 2 }, 2, new[] { 15, 14, 3, 2 })]
    [InlineData("rcp", new[] { 3 }, 3, new[] { 30, 24 })]
    [InlineData("rtt", new[] { 3, 4 }, 3, new[] { 30, 24 })]
    [InlineData("rtucker", new[] { 2, 2, 2, 2 }, 2, new[] { 15, 14 })]
    [InlineData("rcp", new[] { 2 }, 2, new[] { 15, 14, 1, 1 })]
    [InlineData("rcp", new[] { 3 }, 2, new[] { 13, 11, 3, 3 })]
    public void A_weight_built_from_known_factors_is_recovered(string name, int[] ranks, int order, int[] extents)
    {
        Reshaped format = Reshaped.Of(name, Shape.Of(extents), order);
        Random random = new(1);
        Tensor<double>[] factors = [.. format.Format.FactorShapes(format.Folding.Folded, ranks).Select(shape => Fits.Normal<double>(shape, random))];
        Tensor<double> folded = Contraction.Evaluate<double>(format.Format.Equation, factors, Workers.Serial), weight = format.Folding.Unfold(folded);

        TensorFactors<double> fit = format.Fit(weight, RankChoice.Of(ranks));

        Assert.Equal(weight.Shape, fit.Shape);
        // Where channels are padded the zeros are no longer of that rank, and only half of it must be found.
        bool padded = format.Folding.Padded != weight.Shape;
        Assert.InRange(fit.RelativeError, 0, padded ? 0.9 : 2e-3);
        Assert.Equal(fit.RelativeError, Some.Distance(weight, fit.Reconstruct()), 1e-12);
    }

    [Theory]
    [InlineData("rcp")]
    [InlineData("rtucker")]
    [InlineData("rtt")]
    [InlineData("rtr")]
    public void A_rate_counts_the_weights_own_parameters(string name)
    {
        Tensor<double> weight = Some.Noise([13, 11, 3, 3], 2);
        TensorFactors<double> fit = Reshaped.Of(name, weight.Shape, 2).Fit(weight, new RankChoice.AtRate(0.4));

        Assert.InRange(fit.Rate, 0.2, 0.4);
        Assert.InRange(fit.RelativeError, 0.3, 0.95);
    }

    [Fact]
    public void Full_rank_reconstructs_padded_weights()
    {
        Tensor<double> weight = Some.Noise([13, 7, 3, 3], 3);
        foreach (string name in (string[])["rtucker", "rtt"])
        {
            Reshaped format = Reshaped.Of(name, weight.Shape, 2);
            ImmutableArray<int> ranks = format.Format.MaxRanks(format.Folding.Folded);
            Assert.InRange(format.Fit(weight, new RankChoice.Given(ranks)).RelativeError, 0, 1e-12);
        }
    }

    [Theory]
    [InlineData("cp", 2, new[] { 8, 8, 3, 3 })]
    [InlineData("rcp", 1, new[] { 8, 8 })]
    [InlineData("rcp", 2, new[] { 8 })]
    [InlineData("rcp", 0, new[] { 8, 8 })]
    public void What_has_no_reshaped_form_is_refused(string name, int order, int[] extents) =>
        Assert.ThrowsAny<BadInputException>(() => Reshaped.Of(name, Shape.Of(extents), order));
}
