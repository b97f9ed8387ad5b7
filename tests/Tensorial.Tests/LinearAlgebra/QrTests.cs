using System.Numerics;
using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.LinearAlgebra;

public class QrTests
{
    public static TheoryData<string> Names => Matrices.Names;

    [Theory, MemberData(nameof(Names))]
    public void Q_is_orthonormal_R_is_triangular_and_their_product_is_the_matrix(string name) => Check(Matrices.Table[name](), 2e-15);

    [Theory, MemberData(nameof(Names))]
    public void The_same_holds_in_single_precision(string name)
    {
        Tensor<float> a = Matrices.Table[name]().To<float>();
        if (a.Values.ToArray().All(float.IsFinite))
            Check(a, 1e-6);
    }

    private static void Check<T>(Tensor<T> a, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int m, int n) = (a.Shape[0], a.Shape[1]);
        Qr<T> qr = Qr.Thin(a);
        double bound = epsilon * Math.Sqrt(Math.Max(1, Math.Min(m, n))) * 10;
        Assert.InRange(Matrices.Skewness(qr.Q.ToDouble()), 0, bound);
        for (int i = 0; i < qr.R.Shape[0]; i++)
        for (int j = 0; j < Math.Min(i, n); j++)
            Assert.Equal(T.Zero, qr.R.Values[i * n + j]);
        Assert.InRange(
            Matrices.Distance(a.ToDouble(), Matrices.Product(qr.Q.ToDouble(), qr.R.ToDouble())),
            0,
            bound * Math.Sqrt(Math.Max(1, a.Shape.ElementCount)) + Matrices.Grain(a.ToDouble())
        );
    }
}
