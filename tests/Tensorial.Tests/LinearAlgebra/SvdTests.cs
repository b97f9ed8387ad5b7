using System.Numerics;
using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.LinearAlgebra;

public class SvdTests
{
    public static TheoryData<string> Names => Matrices.Names;

    [Theory, MemberData(nameof(Names))]
    public void Thin_factors_are_orthonormal_and_multiply_to_the_matrix(string name) => CheckThin(Matrices.Table[name](), 2e-15);

    [Theory, MemberData(nameof(Names))]
    public void Thin_holds_in_single_precision(string name)
    {
        // 1e300 and 1e-300 do not exist as floats.
        Tensor<float> a = Matrices.Table[name]().To<float>();
        if (a.Values.ToArray().All(float.IsFinite))
            CheckThin(a, 1e-6);
    }

    [Theory, MemberData(nameof(Names))]
    public void Values_alone_are_those_of_the_thin_decomposition(string name)
    {
        Tensor<double> a = Matrices.Table[name]();
        AssertClose(Svd.Thin(a).Values, Svd.Values(a), 1e-14);
    }

    [Theory, MemberData(nameof(Names))]
    public void Values_do_not_change_under_transposition(string name)
    {
        Tensor<double> a = Matrices.Table[name]();
        AssertClose(Svd.Values(a), Svd.Values(a.Transposed()), 1e-14);
    }

    /// <summary>||A - A_r||² is the sum of the squares left out: Eckart and Young's optimum is attained.</summary>
    [Theory]
    [InlineData("tall 70×64", 10)]
    [InlineData("wide 40×300", 39)]
    [InlineData("Hilbert 30", 3)]
    [InlineData("square 33", 0)]
    [InlineData("rank 5 of 80×60", 5)]
    public void Truncation_leaves_out_exactly_the_tail(string name, int rank)
    {
        Tensor<double> a = Matrices.Table[name]();
        Svd<double> svd = Svd.Truncated(a, rank);
        Shape left = [a.Shape[0], rank],
            right = [rank, a.Shape[1]];
        Assert.Equal(left, svd.U.Shape);
        Assert.Equal(right, svd.Vt.Shape);
        double error = 0,
            tail = Svd.Values(a).Skip(rank).Sum(s => s * s);
        Tensor<double> product = Product(svd);
        for (int i = 0; i < a.Values.Length; i++)
            error += Math.Pow(a.Values[i] - product.Values[i], 2);
        Assert.Equal(Math.Sqrt(tail), Math.Sqrt(error), 1e-13 * Svd.Values(a)[0]);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    public void Values_that_are_not_finite_are_refused(double bad)
    {
        Tensor<double> a = Matrices.Random(5, 4, 1);
        a.Values[7] = bad;
        Assert.Contains("position 7", Assert.Throws<NumericalException>(() => Svd.Values(a)).Message);
        Assert.Throws<NumericalException>(() => Svd.Thin(a));
    }

    [Fact]
    public void Only_matrices_are_accepted()
    {
        Assert.Throws<ShapeException>(() => Svd.Values(new Tensor<double>([2, 3, 4])));
        Assert.Throws<BadInputException>(() => Svd.Truncated(new Tensor<double>([2, 3]), 3));
    }

    private static void CheckThin<T>(Tensor<T> a, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> before = a.Clone();
        Svd<T> svd = Svd.Thin(a);
        Assert.Equal(before.Values, a.Values);
        int r = Math.Min(a.Shape[0], a.Shape[1]);
        double bound = epsilon * Math.Sqrt(Math.Max(1, r)) * 10;
        Assert.Equal(r, svd.Values.Length);
        Assert.Equal(svd.Values.OrderDescending(), svd.Values);
        Assert.All(svd.Values, s => Assert.True(s >= T.Zero));
        Assert.InRange(Matrices.Skewness(svd.U.ToDouble()), 0, bound);
        Assert.InRange(Matrices.Skewness(svd.Vt.ToDouble().Transposed()), 0, bound);
        double size = Math.Sqrt(Math.Max(1, a.Shape.ElementCount));
        Assert.InRange(Matrices.Distance(a.ToDouble(), Product(svd)), 0, bound * size + Matrices.Grain(a.ToDouble()));
    }

    private static Tensor<double> Product<T>(Svd<T> svd)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<double> scaled = svd.U.ToDouble();
        for (int i = 0; i < scaled.Values.Length; i++)
            scaled.Values[i] *= double.CreateChecked(svd.Values[i % svd.Values.Length]);
        return Matrices.Product(scaled, svd.Vt.ToDouble());
    }

    private static void AssertClose(double[] expected, double[] actual, double relativeToLargest)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(
                expected[i],
                actual[i],
                Math.Max(relativeToLargest * expected[0] * Math.Sqrt(expected.Length), double.Epsilon * 8)
            );
    }
}
