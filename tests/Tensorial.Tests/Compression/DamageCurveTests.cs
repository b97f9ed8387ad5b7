using Tensorial.Compression;

namespace Tensorial.Tests.Compression;

public class DamageCurveTests
{
    [Fact]
    public void A_curve_that_bends_is_found_among_noise()
    {
        Random random = new(1);
        double Truth(double error) => Math.Exp(1 + 2.2 * Math.Log(error) + 0.1 * Math.Pow(Math.Log(error), 2));
        (double, double)[] measured =
        [
            .. Enumerable
                .Range(1, 40)
                .Select(k => k / 41.0)
                .Select(error => (error, Truth(error) * Math.Exp(0.2 * (random.NextDouble() - 0.5)))),
        ];
        SensitivityCurve curve = new(measured);
        foreach (double error in (double[])[0.05, 0.2, 0.5, 0.9])
            Assert.Equal(1, curve.At(error) / Truth(error), 0.12);
    }

    [Fact]
    public void Beyond_the_measurements_it_goes_on_straight_and_never_down()
    {
        // Bends down at the far end.
        SensitivityCurve curve = new([(0.1, 0.01), (0.2, 0.05), (0.4, 0.08), (0.8, 0.05)]);
        Assert.True(curve.At(0.99) >= curve.At(0.8));
        Assert.True(curve.At(0.01) < curve.At(0.1));
    }

    [Theory]
    [InlineData(new double[0]), InlineData(new[] { 0.3 }), InlineData(new[] { 0.2, 0.4 }), InlineData(new[] { 0.3, 0.3, 0.3 })]
    public void Few_measurements_do(double[] errors)
    {
        SensitivityCurve curve = new([.. errors.Select(static error => (error, error * error))]);
        Assert.All(errors, error => Assert.Equal(error * error, curve.At(error), 1e-9));
        Assert.Equal(4, curve.At(0.2) / curve.At(0.1), 1e-6);
    }
}
