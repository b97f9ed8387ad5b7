using Tensorial.Analysis;

namespace Tensorial.Tests.Analysis;

public class CutSpectrumTests
{
    /// <summary>Spectra whose measures are known in closed form.</summary>
    public static TheoryData<double[], double, double, double, double> Known =>
        new()
        {
            { [1, 1, 1, 1], Math.Log(4), 4, 4, 0 },
            { [3, 0, 0], 0, 1, 1, 1 },
            { [0, 0, 0], 0, 0, 0, 0 },
            { [2, 1], -(0.8 * Math.Log(0.8) + 0.2 * Math.Log(0.2)), Math.Exp(-(0.8 * Math.Log(0.8) + 0.2 * Math.Log(0.2))), 1 / 0.68, 0.6 },
            { [1e200, 1e200], Math.Log(2), 2, 2, 0 },
            { [1e-200, 1e-200], Math.Log(2), 2, 2, 0 },
        };

    [Theory]
    [MemberData(nameof(Known))]
    public void Measures_follow_their_formulas(double[] values, double entropy, double effectiveRank, double participation, double gap)
    {
        CutSpectrum spectrum = new("o|i", values.Length, values.Length, [.. values]);
        Assert.Equal(entropy, spectrum.Entropy, 1e-12);
        Assert.Equal(effectiveRank, spectrum.EffectiveRank, 1e-12);
        Assert.Equal(participation, spectrum.ParticipationRatio, 1e-12);
        Assert.Equal(gap, spectrum.SchmidtGap, 1e-12);
        Assert.InRange(spectrum.NormalisedEntropy, 0, 1);
    }

    [Theory]
    [InlineData(1.0, 0)]
    [InlineData(0.9, 1)]
    [InlineData(0.5, 1)]
    [InlineData(0.3, 2)]
    [InlineData(0.01, 3)]
    [InlineData(0.0, 3)]
    public void The_rank_for_a_norm_loss_is_the_smallest_within_it(double loss, int rank)
    {
        CutSpectrum spectrum = new("o|ihw", 4, 9, [4, 2, 1, 0]);
        Assert.Equal(rank, spectrum.RankFor(loss));
        Assert.True(spectrum.NormLoss(rank) <= loss);
        if (rank > 0)
            Assert.True(spectrum.NormLoss(rank - 1) > loss);
    }

    [Fact]
    public void The_three_norm_losses_agree_with_each_other()
    {
        CutSpectrum spectrum = new("o|ihw", 3, 9, [3, 2, 1]);
        Assert.Equal(Math.Sqrt(5.0 / 14), spectrum.NormLoss(1), 1e-15);
        Assert.Equal(9.0 / 14, spectrum.RetainedEnergy(1), 1e-15);
        Assert.Equal(1 - Math.Sqrt(9.0 / 14), spectrum.RelativeNormLoss(1), 1e-15);
    }

    [Theory]
    [InlineData(64, 576, 57)]
    [InlineData(3, 12288, 2)]
    [InlineData(4096, 9, 8)]
    [InlineData(192, 192, 96)]
    public void Break_even_is_where_the_factors_weigh_as_much_as_the_kernel(int rows, int columns, int rank) =>
        Assert.Equal(rank, new CutSpectrum("a|b", rows, columns, []).BreakEvenRank);

    [Theory]
    [InlineData(new double[] { 3, 2, 1, 0 })]
    [InlineData(new double[] { 1e-200, 1e-201 })]
    [InlineData(new double[] { 0, 0 })]
    [InlineData(new double[] { })]
    public void Norm_losses_at_once_are_those_one_by_one(double[] values)
    {
        CutSpectrum spectrum = new("o|i", values.Length, values.Length, [.. values]);
        Assert.Equal(Enumerable.Range(0, values.Length + 1).Select(spectrum.NormLoss), spectrum.NormLossByRank());
    }
}
