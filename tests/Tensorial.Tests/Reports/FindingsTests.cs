using Tensorial.Analysis;
using Tensorial.Reports;

namespace Tensorial.Tests.Reports;

public class FindingsTests
{
    /// <summary>One 4 x 4 kernel with two cuts, whose numbers can be counted on fingers.</summary>
    private static readonly LayerAnalysis Small = new()
    {
        Name = "small",
        Node = "n",
        Operation = "Conv",
        Shape = [2, 2, 2, 2],
        Axes = ["o", "i", "h", "w"],
        Parameters = 16,
        Norm = 5,
        Cuts = [new("oi|hw", 4, 4, [4, 3, 0, 0]), new("o|ihw", 2, 8, [5, 0])],
    };

    private static Findings With(params ValueList<TruncationResult> truncations) =>
        new(MadeUp.Of([Small], withData: false) with { Baseline = new(1000, 0.9, 1, 0.3), Truncations = truncations });

    private static TruncationResult Measured(string layer, string cut, int rank, double normLoss, double top1, long parameters) =>
        new()
        {
            Layer = layer,
            Cut = cut,
            Rank = rank,
            Rule = "1",
            NormLoss = normLoss,
            Top1 = top1,
            Samples = 1000,
            Parameters = parameters,
        };

    [Theory]
    [InlineData(0.1, "o|ihw", 1, 10)]
    [InlineData(0.7, "oi|hw", 1, 8)]
    public void The_best_cut_keeps_the_fewest_parameters(double loss, string cut, int rank, long parameters)
    {
        LayerCut best = Findings.Best(Small, loss)!;
        Assert.Equal((cut, rank, parameters, 16 - parameters), (best.Cut.Cut, best.Rank, best.Parameters, best.Saved));
        Assert.Equal(parameters, With().BestParameters(loss));
    }

    [Fact]
    public void A_kernel_that_no_cut_makes_smaller_stays_dense()
    {
        LayerAnalysis full = Small with { Cuts = [new("oi|hw", 4, 4, [1, 1, 1, 1])] };
        Assert.Null(Findings.Best(full, 0.1));
        Findings findings = new(MadeUp.Of([full], withData: false));
        Assert.Equal(16, findings.BestParameters(0.1));
        Assert.Equal(16, findings.ParametersAlong("oi|hw", 0.1));
        Assert.Equal(16, findings.ParametersAlong("no such cut", 0.1));
    }

    [Fact]
    public void Accuracy_is_compared_in_images_not_in_rounded_fractions()
    {
        Findings findings = With();
        Assert.True(findings.IsWithin(Measured("small", "oi|hw", 1, 0.5, 0.89, 8), 0.01));
        Assert.False(findings.IsWithin(Measured("small", "oi|hw", 1, 0.5, 0.889, 8), 0.01));
        Assert.True(findings.IsWithin(Measured("small", "oi|hw", 1, 0.5, 0.95, 8), 0));
    }

    [Fact]
    public void The_farthest_norm_loss_ends_before_the_first_that_is_not_within()
    {
        Findings findings = With(
            Measured("small", "oi|hw", 4, 0, 0.9, 16),
            Measured("small", "oi|hw", 2, 0.3, 0.895, 16),
            Measured("small", "oi|hw", 1, 0.5, 0.8, 8),
            Measured("small", "oi|hw", 3, 0.6, 0.9, 16),
            Measured("small", "o|ihw", 1, 0.4, 0.5, 10)
        );
        Assert.Equal(0.3, findings.Farthest("small", "oi|hw", 0.01)!.NormLoss);
        Assert.Null(findings.Farthest("small", "o|ihw", 0.01));
        Assert.Equal(0.6, findings.Farthest("small", "oi|hw", 0.2)!.NormLoss);
    }

    [Fact]
    public void The_smallest_together_saves_and_is_within()
    {
        Findings findings = With(
            Measured("all", "oi|hw", 2, 0, 0.9, 16),
            Measured("all", "oi|hw", 1, 0.6, 0.5, 8),
            Measured("all", "o|ihw", 1, 0, 0.9, 10),
            Measured("all", "o|ihw,oi|hw", 1, 0, 0.9, 1)
        );
        Assert.Equal(10, findings.SmallestTogether(0.01)!.Parameters);
        Assert.Equal(8, findings.SmallestTogether(0.5)!.Parameters);
        Assert.Equal(10.0 / 16, findings.KeptFraction(findings.SmallestTogether(0.01)!));
        Assert.Single(findings.Sequences);
    }

    [Fact]
    public void Rank_fractions_are_means_over_the_kernels()
    {
        Findings findings = new(MadeUp.ResNet32());
        foreach (TruncationResult t in findings.TogetherAlongOne.Where(static t => t.Rule == "50%"))
            Assert.InRange(findings.RankFraction(t)!.Value, 0.33, 0.67);
        Assert.Null(findings.RankFraction(Measured("all", "o|ihw,oi|hw", 1, 0, 0.9, 1)));
    }

    [Fact]
    public void The_standard_error_is_that_of_a_share() =>
        Assert.Equal(0.3 / Math.Sqrt(1000), Findings.StandardError(new(1000, 0.9, 1, 0)), 1e-12);

    [Theory]
    [InlineData(true, "If each of its 32 kernels may lose")]
    [InlineData(false, "No images were given")]
    public void The_answer_comes_first(bool withData, string sentence)
    {
        Section summary = AnalysisPage.From(MadeUp.ResNet32(withData)).Sections[0];
        Assert.Contains(summary.Blocks.OfType<Paragraph>(), p => p.Text.ToString().StartsWith(sentence, StringComparison.Ordinal));
    }
}
