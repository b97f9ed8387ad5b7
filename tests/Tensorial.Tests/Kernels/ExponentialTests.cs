using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Tests.Kernels;

/// <summary>exp and what is made of it against the functions of double precision.</summary>
public class ExponentialTests
{
    private delegate void Function(ReadOnlySpan<float> x, Span<float> y);

    /// <summary>Numbers of every size, close ones around 0, and the ends of what float32 holds; 1,003 are no whole number of vectors.</summary>
    private static float[] Numbers()
    {
        Random random = new(5);
        float[] edges = [0, -0f, 1e-30f, -1e-30f, 1e-4f, -1e-4f, 0.6249f, -0.625f, 88.7f, 88.72f, 88.73f, 200, -86, -87, -88, -104, -1000];
        return
        [
            .. edges,
            .. Enumerable
                .Range(0, 986)
                .Select(i =>
                    (random.NextSingle() - 0.5f)
                    * (
                        i % 3 == 0 ? 180
                        : i % 3 == 1 ? 12
                        : 0.4f
                    )
                ),
        ];
    }

    /// <param name="function">The kernel.</param>
    /// <param name="wanted">What it computes.</param>
    /// <param name="beside">What may be missing beside rounding, as a part of the number: where 1 - 1 is computed.</param>
    private static void Check(Function function, Func<double, double> wanted, double beside = 0)
    {
        float[] x = Numbers(),
            y = new float[x.Length];
        function(x, y);
        for (int i = 0; i < x.Length; i++)
        {
            double right = wanted(x[i]);
            // Twice the smallest number of full precision: what is below may be taken for 0, and x times that in x σ(x).
            double tolerance = 4e-7 * Math.Abs(right) + Math.Max(beside, 2.4e-38) * Math.Max(1, Math.Abs(x[i]));
            bool isClose = (float)right == y[i] || Math.Abs(right - y[i]) <= tolerance;
            Assert.True(isClose, $"f({x[i]:R}) is {y[i]:R} instead of {right:R}");
        }
        float[] inPlace = [.. x];
        function(inPlace, inPlace);
        Assert.Equal(y, inPlace);
        for (int i = 0; i < 40; i++)
        {
            // Alone a number gives what it gives among others.
            function(x.AsSpan(i, 1), inPlace);
            Assert.Equal(y[i], inPlace[0]);
        }
    }

    [Fact]
    public void Exp_is_exp() => Check(Exponential.Exp, Math.Exp);

    [Fact]
    public void Sigmoid_is_sigmoid() => Check(Exponential.Sigmoid, static x => 1 / (1 + Math.Exp(-x)));

    [Fact]
    public void Silu_is_silu() => Check(Exponential.Silu, static x => x / (1 + Math.Exp(-x)));

    [Fact]
    public void Tanh_is_tanh() => Check(Exponential.Tanh, Math.Tanh);

    [Fact]
    public void Erf_is_erf() => Check(Exponential.Erf, Erf);

    [Fact]
    public void Gelu_is_x_times_the_normal_distribution_function() => Check(Exponential.Gelu, static x => x * Below(x), 1e-7);

    [Fact]
    public void The_slope_of_gelu_is_that_of_its_formula() =>
        Check(Exponential.GeluSlope, static x => Below(x) + x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI), 1.5e-7);

    [Fact]
    public void Gelu_by_tanh_is_its_formula() => Check(Exponential.GeluTanh, static x => x * Gate(x), 1e-7);

    [Fact]
    public void The_slope_of_gelu_by_tanh_is_that_of_its_formula() =>
        Check(
            Exponential.GeluTanhSlope,
            static x => Gate(x) + x * Gate(x) * (1 - Gate(x)) * 2 * Math.Sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x),
            1.5e-7
        );

    /// <summary>Where powers of a number leave float32, slopes are 0 and 1 all the same.</summary>
    [Fact]
    public void Slopes_of_gelu_have_their_limits()
    {
        float[] x = [1e14f, -1e14f, 1e25f, -1e25f, float.PositiveInfinity, float.NegativeInfinity, float.NaN],
            y = new float[x.Length];
        foreach (Function slope in (Function[])[Exponential.GeluSlope, Exponential.GeluTanhSlope])
        {
            slope(x, y);
            Assert.Equal([1, 0, 1, 0, 1, 0, float.NaN], y.Select(static value => MathF.Round(value, 6)));
        }
    }

    private static double Erf(double x) => new Erf().Apply(new Tensor<double>([], new[] { x }))[0].Of<double>().Values[0];

    private static double Below(double x) => (1 + Erf(x / Math.Sqrt(2))) / 2;

    private static double Gate(double x) => (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))) / 2;

    [Fact]
    public void Values_that_are_no_numbers_stay_so_and_infinite_ones_go_to_the_limits()
    {
        float[] x = [float.NaN, float.PositiveInfinity, float.NegativeInfinity],
            y = new float[3];
        Exponential.Exp<float>(x, y);
        Assert.Equal([float.NaN, float.PositiveInfinity, 0], y);
        Exponential.Sigmoid<float>(x, y);
        Assert.Equal([float.NaN, 1, 0], y);
        Exponential.Tanh<float>(x, y);
        Assert.Equal([float.NaN, 1, -1], y);
        Exponential.Erf(x, y);
        Assert.Equal([float.NaN, 1, -1], y);
        Exponential.Silu(x, y);
        Assert.Equal([float.NaN, float.PositiveInfinity], y[..2]);
    }
}
