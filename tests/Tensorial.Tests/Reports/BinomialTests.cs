using Tensorial.Reports;

namespace Tensorial.Tests.Reports;

/// <summary>Intervals of accuracies.</summary>
public sealed class BinomialTests
{
    /// <summary>Against published values (R. G. Newcombe, Statistics in Medicine 17, 1998, table I, method 3).</summary>
    [Theory]
    [InlineData(81, 263, 0.2553, 0.3662)]
    [InlineData(15, 148, 0.0624, 0.1605)]
    [InlineData(0, 20, 0.0000, 0.1611)]
    [InlineData(1, 29, 0.0061, 0.1718)]
    public void Intervals_are_those_of_the_literature(int right, int samples, double low, double high)
    {
        (double from, double to) = Binomial.Interval((double)right / samples, samples);
        Assert.Equal(low, from, 5e-5);
        Assert.Equal(high, to, 5e-5);
    }
}
