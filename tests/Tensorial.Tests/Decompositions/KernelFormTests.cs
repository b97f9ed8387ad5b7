using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Tests.Decompositions;

public class KernelFormTests
{
    [Theory]
    [InlineData("rcp", 2, "acR,bdR,efR->abcdef")]
    [InlineData("rtucker", 2, "ABCDef,aA,bB,cC,dD->abcdef")]
    [InlineData("rtt", 2, "acA,AbdB,Bef->abcdef")]
    [InlineData("rtr", 2, "AacB,BbdC,CefA->abcdef")]
    public void A_reshaped_format_is_an_equation_over_the_parts_of_modes(string name, int order, string equation) =>
        Assert.Equal(equation.Replace('R', 'A'), Form(name, [12, 10, 3, 3], order).Tensor.Equation.ToString());

    /// <summary>Parameters by the formulas of the literature (O = 4·6, I = 2·5, 3×3).</summary>
    [Theory]
    [InlineData("rcp", new[] { 7 }, 7 * (4 * 2 + 6 * 5 + 9))]
    [InlineData("rtt", new[] { 2, 3 }, 4 * 2 * 2 + 2 * 6 * 5 * 3 + 3 * 9)]
    [InlineData("rtr", new[] { 2, 3, 4 }, 2 * 8 * 3 + 3 * 30 * 4 + 4 * 9 * 2)]
    [InlineData("rtucker", new[] { 2, 3, 1, 4 }, 4 * 2 + 6 * 3 + 2 + 5 * 4 + 2 * 3 * 1 * 4 * 9)]
    public void Parameters_follow(string name, int[] ranks, int parameters) =>
        Assert.Equal(parameters, Form(name, [24, 10, 3, 3], 2).Parameters(ranks));

    /// <summary>O = 24, I = 10, 3×2: N (I r + r s h w + s O) for block terms, a matrix a mode and a core a pair for the tree.</summary>
    [Theory]
    [InlineData("bt", new[] { 3, 4 }, 2 * (10 * 3 + 3 * 4 * 6 + 4 * 24))]
    [InlineData("bt:5", new[] { 3, 4 }, 5 * (10 * 3 + 3 * 4 * 6 + 4 * 24))]
    [InlineData("ht", new[] { 3, 4, 2, 1, 5 }, 10 * 3 + 24 * 4 + 3 * 2 + 2 * 1 + 2 * 1 * 5 + 3 * 4 * 5)]
    public void Sums_and_trees_of_tucker_have_the_parameters_of_their_parts(string name, int[] ranks, int parameters)
    {
        KernelForm form = KernelForm.From(KernelFormat.Parse(name), [24, 10, 3, 2]);
        Assert.Equal(parameters, form.Parameters(ranks));
        Assert.Equal(ranks.Length, form.MaxRanks.Length);
    }

    /// <summary>Each term is a Tucker-2 kernel by itself: a plain loop over all indices says what they add up to.</summary>
    [Fact]
    public void Block_terms_add_up()
    {
        KernelForm form = KernelForm.From(KernelFormat.Parse("bt:3"), [4, 3, 2, 2]);
        TensorFactors<double> drawn = InitialFactors.Draw(form, [2, 2], 1, new(1));
        (Tensor<double> v, Tensor<double> g, Tensor<double> u) = (drawn.Factors[0], drawn.Factors[1], drawn.Factors[2]);
        Tensor<double> made = drawn.Reconstruct();
        for (int at = 0; at < made.Shape.ElementCount; at++)
        {
            (int o, int i, int h, int w) = (at / 12, at / 4 % 3, at / 2 % 2, at % 2);
            double sum = 0;
            for (int n = 0; n < 3; n++)
            for (int r = 0; r < 2; r++)
            for (int s = 0; s < 2; s++)
                sum += v.Values[(n * 2 + r) * 3 + i] * g.Values[(((n * 2 + s) * 2 + r) * 2 + h) * 2 + w] * u.Values[(o * 3 + n) * 2 + s];
            Assert.Equal(sum, made.Values[at], 1e-12);
        }
    }

    /// <summary>Channels of different extents throughout, so that no two parts can trade places unnoticed.</summary>
    [Theory]
    [InlineData("rcp", new[] { 3 }, 2, new[] { 15, 14, 3, 2 })]
    [InlineData("rtucker", new[] { 2, 3, 2, 3 }, 2, new[] { 15, 14, 3, 2 })]
    [InlineData("rtt", new[] { 2, 3 }, 2, new[] { 15, 14, 3, 2 })]
    [InlineData("rtr", new[] { 2, 2, 2 }, 2, new[] { 15, 14, 3, 2 })]
    [InlineData("rcp", new[] { 3 }, 3, new[] { 30, 24, 1, 1 })]
    [InlineData("rtt", new[] { 3, 4 }, 3, new[] { 30, 24, 1, 1 })]
    [InlineData("rtucker", new[] { 2, 2, 2, 2 }, 2, new[] { 15, 14, 1, 1 })]
    [InlineData("rcp", new[] { 2 }, 2, new[] { 15, 14, 1, 1 })]
    [InlineData("rcp", new[] { 3 }, 2, new[] { 13, 11, 3, 3 })]
    public void A_weight_built_from_known_factors_is_recovered(string name, int[] ranks, int order, int[] extents)
    {
        KernelForm format = Form(name, Shape.From(extents), order);
        Random random = new(1);
        Tensor<double>[] factors =
        [
            .. format.Tensor.FactorShapes(format.Folding.Folded, ranks).Select(shape => Fits.Normal<double>(shape, random)),
        ];
        Tensor<double> folded = Contraction.Evaluate<double>(format.Tensor.Equation, factors, Workers.Serial),
            weight = format.Folding.Unfold(folded);

        TensorFactors<double> fit = FoldedFit.Of(weight, format, RankChoice.From(ranks));

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
        TensorFactors<double> fit = FoldedFit.Of(weight, Form(name, weight.Shape, 2), new RankChoice.AtRate(0.4));

        Assert.InRange(fit.Rate, 0.2, 0.4);
        Assert.InRange(fit.RelativeError, 0.3, 0.95);
    }

    [Fact]
    public void Full_rank_reconstructs_padded_weights()
    {
        Tensor<double> weight = Some.Noise([13, 7, 3, 3], 3);
        foreach (string name in (string[])["rtucker", "rtt"])
        {
            KernelForm format = Form(name, weight.Shape, 2);
            ImmutableArray<int> ranks = format.Tensor.MaxRanks(format.Folding.Folded);
            Assert.InRange(FoldedFit.Of(weight, format, new RankChoice.Given(ranks)).RelativeError, 0, 1e-12);
        }
    }

    /// <summary>Each group is factored by itself: the factors are those of its kernel, next to each other.</summary>
    [Theory]
    [InlineData("tucker2"), InlineData("cp3"), InlineData("spatial-svd"), InlineData("tr")]
    public void Groups_are_factored_each_by_itself(string name)
    {
        Tensor<double> kernel = Some.Noise([6, 4, 3, 3], 4);
        KernelForm form = KernelForm.From(KernelFormat.Parse(name), kernel.Shape, 2);
        ImmutableArray<int> ranks = [.. form.MaxRanks.Select(static most => Math.Min(2, most))];
        double[] weights = [1, 2, 3, 0.5, 1, 2];

        TensorFactors<double> fit = KernelFactorization.Fit(new KernelStarts(kernel, new(null, weights), 2), form, ranks);

        Assert.Equal(form.Parameters(ranks.AsSpan()), fit.Parameters);
        double gap = 0,
            norm = 0;
        for (int group = 0; group < 2; group++)
        {
            Tensor<double> own = new([3, 4, 3, 3], kernel.Values.Slice(group * 108, 108).ToArray());
            KernelMetric metric = new(null, weights[(3 * group)..(3 * group + 3)]);
            TensorFactors<double> alone = KernelFactorization.Fit(own, form.Format, ranks, metric);
            Assert.Equal(
                alone.Reconstruct().Values.ToArray(),
                fit.Reconstruct().Values.Slice(group * 108, 108).ToArray(),
                static (a, b) => Math.Abs(a - b) < 1e-12
            );
            gap += Math.Pow(alone.RelativeError, 2) * metric.Square(own);
            norm += metric.Square(own);
        }
        Assert.Equal(Math.Sqrt(gap / norm), fit.RelativeError, 1e-9);
    }

    [Theory]
    [InlineData("rcp", new[] { 8 }), InlineData("cp", new[] { 8, 8 }), InlineData("tucker2", new[] { 8, 8, 3 })]
    public void Weights_of_other_orders_have_no_form(string name, int[] extents) =>
        Assert.Throws<ShapeException>(() => KernelForm.From(KernelFormat.Parse(name), Shape.From(extents)));

    [Theory]
    [InlineData("rcp", "rcp:3"), InlineData("rtt:2", "rtt:2"), InlineData("cp", "cp"), InlineData("bt", "bt:2"), InlineData("bt:8", "bt:8")]
    public void Names_say_how_channels_are_split(string text, string name) => Assert.Equal(name, KernelFormat.Parse(text).ToString());

    [Theory]
    [InlineData("parafac"), InlineData("cp:2"), InlineData("rcp:1"), InlineData("rcp:x"), InlineData("rcp:2:2"), InlineData("rcp:99")]
    [InlineData("bt:1"), InlineData("bt:1000"), InlineData("ht:2")]
    public void What_is_no_format_is_refused(string text) =>
        Assert.Contains(text, Assert.Throws<BadInputException>(() => KernelFormat.Parse(text)).Message);

    private static KernelForm Form(string name, Shape weight, int order) =>
        KernelForm.From(KernelFormat.Parse(name) with { Number = order }, weight);
}
