using Tensorial.Analysis;

namespace Tensorial.Tests.Analysis;

public class RankRuleTests
{
    private static readonly CutSpectrum Spectrum = new("o|ihw", 4, 9, [4, 2, 1, 0]);

    [Theory]
    [InlineData("1", 1)]
    [InlineData("3", 3)]
    [InlineData("100", 4)]
    [InlineData("25%", 1)]
    [InlineData("1%", 1)]
    [InlineData("62.5%", 3)]
    [InlineData("100%", 4)]
    [InlineData("loss=0.5", 1)]
    [InlineData("loss=0.3", 2)]
    [InlineData("loss=0", 3)]
    public void A_rule_decides_the_rank(string text, int rank)
    {
        RankRule rule = RankRule.Parse(text);
        Assert.Equal(rank, rule.RankAt(Spectrum));
        Assert.Equal(rule, RankRule.Parse(rule.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("2.5")]
    [InlineData("0%")]
    [InlineData("101%")]
    [InlineData("nan%")]
    [InlineData("loss=1")]
    [InlineData("loss=-0.1")]
    [InlineData("loss=")]
    [InlineData("99999999999")]
    public void What_is_no_rank_is_refused(string text) => Assert.Throws<BadInputException>(() => RankRule.Parse(text));

    [Theory]
    [InlineData("o|ihw")]
    [InlineData("o|ihw:")]
    [InlineData(":3")]
    [InlineData("o|ihw:3,")]
    public void What_is_no_sequence_is_refused(string text) => Assert.Throws<BadInputException>(() => CutStep.ParseSequence(text));
}
