using Tensorial.Operations;

namespace Tensorial.Tests.Operations;

/// <summary>Every element-wise function against a formula in float64, in all floating-point types.</summary>
public class FunctionTests
{
    private static readonly (Operation Operation, Func<double, double> Formula)[] Functions =
    [
        (new Abs(), Math.Abs),
        (new Neg(), static x => -x),
        (new Relu(), static x => Math.Max(x, 0)),
        (new Sign(), static x => double.IsNaN(x) ? x : Math.Sign(x)),
        (new Exp(), Math.Exp),
        (new Log(), Math.Log),
        (new Sqrt(), Math.Sqrt),
        (new Reciprocal(), static x => 1 / x),
        (new Floor(), Math.Floor),
        (new Ceil(), Math.Ceiling),
        (new Round(), static x => Math.Round(x, MidpointRounding.ToEven)),
        (new Tanh(), Math.Tanh),
        (new Sigmoid(), static x => 1 / (1 + Math.Exp(-x))),
        (new Sin(), Math.Sin),
        (new Cos(), Math.Cos),
        (new Tan(), Math.Tan),
        (new Sinh(), Math.Sinh),
        (new Cosh(), Math.Cosh),
        (new Asin(), Math.Asin),
        (new Acos(), Math.Acos),
        (new Atan(), Math.Atan),
        (new Asinh(), Math.Asinh),
        (new Acosh(), Math.Acosh),
        (new Atanh(), Math.Atanh),
        (new Softplus(), static x => Math.Log(1 + Math.Exp(x))),
        (new Softsign(), static x => x / (1 + Math.Abs(x))),
        (new LeakyRelu(0.25f), static x => x < 0 ? 0.25 * x : x),
        (new ThresholdedRelu(0.5f), static x => x > 0.5 ? x : 0),
        (new Elu(0.5f), static x => x < 0 ? 0.5 * (Math.Exp(x) - 1) : x),
        (new Celu(2), static x => x < 0 ? 2 * (Math.Exp(x / 2) - 1) : x),
        (new Selu(1.5f, 2), static x => 2 * (x > 0 ? x : 1.5 * (Math.Exp(x) - 1))),
        (new HardSigmoid(0.25f), static x => Math.Clamp(0.25 * x + 0.5, 0, 1)),
        (new HardSwish(), static x => x * Math.Clamp(x / 6 + 0.5, 0, 1)),
        (new Swish(), static x => x / (1 + Math.Exp(-x))),
        (new Mish(), static x => x * Math.Tanh(Math.Log(1 + Math.Exp(x)))),
        (
            new Shrink(0.25f, 1),
            static x =>
                x < -1 ? x + 0.25
                : x > 1 ? x - 0.25
                : 0
        ),
        (new Gelu(true), static x => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))),
        (new Clip(-0.5f, 2), static x => double.IsNaN(x) ? x : Math.Clamp(x, -0.5, 2)),
    ];

    private static readonly double[] Points = [-6.5, -4, -2.5, -1, -0.5, -0.25, 0, 0.25, 0.5, 1, 1.5, 2.5, 4, 7.75, double.NaN];

    public static TheoryData<int> All() => [.. Enumerable.Range(0, Functions.Length)];

    [Theory]
    [MemberData(nameof(All))]
    public void A_function_follows_its_formula_in_every_type(int row)
    {
        (Operation operation, Func<double, double> formula) = Functions[row];
        foreach (
            (ElementType type, double tolerance) in ((ElementType, double)[])
                [(ElementType.Float64, 1e-13), (ElementType.Float32, 2e-6), (ElementType.Float16, 1e-3), (ElementType.BFloat16, 8e-3)]
        )
        {
            Tensor y = operation.Apply(new Tensor<double>([Points.Length], Points).To(type))[0];
            Assert.Equal(type, y.ElementType);
            ReadOnlySpan<double> values = y.To(ElementType.Float64).Of<double>().Values;
            for (int i = 0; i < Points.Length; i++)
            {
                double wanted = formula(Points[i]);
                Assert.True(
                    wanted.Equals(values[i]) || Math.Abs(wanted - values[i]) <= tolerance * Math.Max(1, Math.Abs(wanted)),
                    $"{operation} of {Points[i]} as {type} is {values[i]:R} instead of {wanted:R}."
                );
            }
        }
    }

    /// <summary>Values of the error function from Abramowitz and Stegun, table 7.1 and 7.3, and beyond.</summary>
    [Theory]
    [InlineData(0, 0), InlineData(0.5, 0.5204998778130465), InlineData(1, 0.8427007929497149), InlineData(2, 0.9953222650189527)]
    [InlineData(2.9999999, 0.9999779094890761), InlineData(3, 0.9999779095030014), InlineData(4, 0.9999999845827421), InlineData(7, 1)]
    public void The_error_function_is_accurate_to_rounding(double x, double wanted)
    {
        Tensor<double> y = new Erf().Apply(new Tensor<double>([2], new[] { x, -x }))[0].Of<double>();
        Assert.Equal(wanted, y.Values[0], 1e-15);
        Assert.Equal(-wanted, y.Values[1], 1e-15);
    }

    [Fact]
    public void Functions_of_integers_stay_integers()
    {
        Tensor<int> x = new([4], new[] { -3, 0, 2, int.MaxValue });
        Assert.Equal([0, 0, 2, int.MaxValue], new Relu().Apply(x)[0].Of<int>().Values);
        Assert.Equal([-1, 0, 1, 1], new Sign().Apply(x)[0].Of<int>().Values);
        Assert.Equal([-2, 0, 1, 1], new Clip(-2, 1).Apply(x)[0].Of<int>().Values);
    }

    [Fact]
    public void A_real_function_refuses_integers() => Assert.Throws<BadInputException>(() => new Exp().Apply(new Tensor<int>([2])));

    [Fact]
    public void Dividing_integers_by_zero_is_bad_input() =>
        Assert.Throws<BadInputException>(() => new Div().Apply(new Tensor<int>([2]), new Tensor<int>([2])));
}
