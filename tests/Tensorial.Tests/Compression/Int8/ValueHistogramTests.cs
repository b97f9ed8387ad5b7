using Tensorial.Compression.Int8;

namespace Tensorial.Tests.Compression.Int8;

/// <summary>Ranges against brute force over the values themselves.</summary>
public class ValueHistogramTests
{
    public static TheoryData<double, double> Shapes() =>
        new()
        {
            { 0, 1 },
            { -0.5, 1 },
            { -3, 3 },
            { 1, 4 },
            { -4, -1 },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_least_error_is_no_larger_than_that_of_any_clipping(double low, double high)
    {
        float[] values = Values(low, high);
        double found = Error(values, Of(values).Scale(RangeMethod.Mse, 1));
        (double least, double most) = (values.Min(), values.Max());
        for (double part = 0.2; part <= 1; part += 0.05)
            Assert.True(found <= 1.02 * Error(values, ActivationScale.Over(part * least, part * most)), $"{part}");
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Percentiles_leave_out_what_they_may(double low, double high)
    {
        float[] values = Values(low, high);
        ActivationScale scale = Of(values).Scale(RangeMethod.Percentile, 0.99);
        (float least, float most) = (-scale.ZeroPoint * scale.Scale, (255 - scale.ZeroPoint) * scale.Scale);
        int outside = values.Count(value => value < least - scale.Scale || value > most + scale.Scale);
        Assert.InRange(outside, 0, values.Length / 100);
    }

    [Fact]
    public void Zero_is_exact_and_the_range_covered()
    {
        foreach ((double least, double most) in ((double, double)[])[(-1, 2), (0.5, 3), (-7, -2), (0, 0), (-1e-40, 1e-40), (-1e30, 1e30)])
        {
            ActivationScale scale = ActivationScale.Over(least, most);
            Assert.Equal(0, scale.Rounded(0));
            Assert.True(float.IsNormal(scale.Scale));
            Assert.InRange(scale.Rounded((float)most), most - scale.Scale, most + scale.Scale);
            Assert.InRange(scale.Rounded((float)least), least - scale.Scale, least + scale.Scale);
        }
    }

    private static ValueHistogram Of(float[] values)
    {
        ValueHistogram histogram = new("x");
        histogram.Widen(values);
        histogram.Count(values);
        return histogram;
    }

    /// <summary>Mostly in the middle of a range, with some far out.</summary>
    private static float[] Values(double low, double high)
    {
        Random random = new(3);
        return
        [
            .. Enumerable
                .Range(0, 20_000)
                .Select(k =>
                    (float)(
                        low
                        + (high - low) * (k % 500 == 0 ? random.NextDouble() * 2 : 0.5 + 0.1 * (random.NextDouble() - random.NextDouble()))
                    )
                ),
        ];
    }

    private static double Error(float[] values, ActivationScale scale) =>
        values.Sum(value => Math.Pow(scale.Rounded(value) - (double)value, 2));
}
