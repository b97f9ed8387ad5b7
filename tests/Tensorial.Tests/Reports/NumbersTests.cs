using Tensorial.Reports;

namespace Tensorial.Tests.Reports;

public class NumbersTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(9_999, "9,999")]
    [InlineData(464_154, "464 k")]
    [InlineData(999_499, "999 k")]
    [InlineData(999_500, "1.00 M")]
    [InlineData(69_123_456, "69.1 M")]
    [InlineData(-12_300, "−12.3 k")]
    [InlineData(20_000, "20 k")]
    [InlineData(4_089_284_608, "4.09 G")]
    [InlineData(long.MaxValue, "9,223,372 T")]
    public void Large_counts_keep_three_digits(long value, string text) => Assert.Equal(text, Plain(Numbers.Short(value)));

    [Theory]
    [InlineData(0.9263, 2, "92.63 %")]
    [InlineData(1, 0, "100 %")]
    [InlineData(-0.00001, 1, "0.0 %")]
    [InlineData(double.NaN, 1, "–")]
    public void Fractions_are_shown_in_percent(double value, int decimals, string text) =>
        Assert.Equal(text, Plain(Numbers.Percent(value, decimals)));

    [Theory]
    [InlineData(0.014, "+1.40")]
    [InlineData(-0.014, "−1.40")]
    [InlineData(0.00001, "0.00")]
    [InlineData(-0.00001, "0.00")]
    public void Differences_have_a_sign_unless_they_round_to_nothing(double value, string text) =>
        Assert.Equal(text, Numbers.Points(value));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1, "1.00")]
    [InlineData(0.012345, "0.0123")]
    [InlineData(12345.6, "12,346")]
    [InlineData(1.234e-7, "1.23e−7")]
    [InlineData(-1.5, "−1.50")]
    [InlineData(double.PositiveInfinity, "–")]
    public void Three_digits_say_enough(double value, string text) => Assert.Equal(text, Numbers.Significant(value));

    [Theory]
    [InlineData(0.42, "0.4 s")]
    [InlineData(125, "2 min 5 s")]
    [InlineData(12_000, "3 h 20 min")]
    public void Durations_are_short(double seconds, string text) => Assert.Equal(text, Plain(Numbers.Duration(seconds)));

    /// <summary>With ordinary spaces in place of those that do not break.</summary>
    private static string Plain(string text) => text.Replace('\u202f', ' ');
}
