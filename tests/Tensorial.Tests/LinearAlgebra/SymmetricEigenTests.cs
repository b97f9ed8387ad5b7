using System.Numerics;
using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.LinearAlgebra;

public class SymmetricEigenTests
{
    /// <summary>The square matrices of the table, made symmetric as A + Aᵀ.</summary>
    public static TheoryData<string> Names =>
        [.. Matrices.Table.Where(row => row.Value() is { Shape: [int m, int n] } && m == n).Select(row => row.Key)];

    [Theory, MemberData(nameof(Names))]
    public void Vectors_are_orthonormal_and_diagonalise_the_matrix(string name) => Check(Symmetric(name), 2e-15);

    [Theory, MemberData(nameof(Names))]
    public void The_same_holds_in_single_precision(string name) => Check(Symmetric(name).To<float>(), 1e-6);

    [Fact]
    public void A_matrix_that_is_not_square_is_refused() =>
        Assert.Contains("3×2", Assert.Throws<ShapeException>(() => SymmetricEigen.Of(new Tensor<double>([3, 2]))).Message);

    private static Tensor<double> Symmetric(string name)
    {
        Tensor<double> a = Matrices.Table[name](),
            t = a.Transposed();
        return Matrices.From(a.Shape[0], a.Shape[0], (i, j) => a.Values[i * a.Shape[0] + j] + t.Values[i * a.Shape[0] + j]);
    }

    private static void Check<T>(Tensor<T> a, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int n = a.Shape[0];
        SymmetricEigen<T> eigen = SymmetricEigen.Of(a);
        double bound = epsilon * Math.Sqrt(Math.Max(1, n)) * 10;
        Assert.Equal(eigen.Values.Order(), eigen.Values);
        Tensor<double> v = eigen.Vectors.ToDouble();
        Assert.InRange(Matrices.Skewness(v), 0, bound);
        Tensor<double> scaled = Matrices.From(n, n, (i, j) => v.Values[i * n + j] * double.CreateChecked(eigen.Values[j]));
        Assert.InRange(Matrices.Distance(a.ToDouble(), Matrices.Product(scaled, v.Transposed())), 0, bound * Math.Max(1, n));
    }
}
