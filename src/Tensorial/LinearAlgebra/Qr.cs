using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>A = Q R with orthonormal columns in Q [m, r] and upper triangular R [r, n], r = min(m, n). The diagonal of R may have any sign.</summary>
public sealed record Qr<T>(Tensor<T> Q, Tensor<T> R) where T : unmanaged, IBinaryFloatingPointIeee754<T>;

/// <summary>The QR decomposition of a matrix [m, n] by Householder reflections, in float or double.</summary>
public static class Qr
{
    /// <summary>The thin decomposition.</summary>
    /// <exception cref="ShapeException">The tensor is not a matrix.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static Qr<T> Thin<T>(Tensor<T> a, Workers? workers = null) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int m, int n) = Matrix.Extents(a);
        int r = Math.Min(m, n);
        Tensor<T> columns = Matrix.Transpose(a), q = new([r, m]);
        int exponent = Scaling.Normalize(columns.Values);
        for (int k = 0; k < r; k++)
        {
            Span<T> v = columns.Values.Slice(k * m + k, m - k);
            T norm = TensorPrimitives.Norm<T>(v);
            T beta = v[0] > T.Zero ? -norm : norm;
            Span<T> reflector = q.Values.Slice(k * m + k, m - k);
            v.CopyTo(reflector);
            reflector[0] -= beta;
            T length = TensorPrimitives.Norm<T>(reflector);
            if (length > T.Zero) TensorPrimitives.Divide(reflector, length, reflector);
            for (int j = k; j < n; j++) Reflect(reflector, columns.Values.Slice(j * m + k, m - k));
        }
        Tensor<T> upper = new([r, n]);
        for (int i = 0; i < r; i++)
            for (int j = i; j < n; j++)
                upper.Values[i * n + j] = columns.Values[j * m + i];
        Scaling.Multiply(upper.Values, exponent);

        for (int k = r - 1; k >= 0; k--)
        {
            T[] reflector = q.Values.Slice(k * m + k, m - k).ToArray();
            q.Values.Slice(k * m, m).Clear();
            q.Values[k * m + k] = T.One;
            for (int j = k; j < r; j++) Reflect(reflector, q.Values.Slice(j * m + k, m - k));
        }
        return new(Matrix.Transpose(q), upper);
    }

    private static void Reflect<T>(ReadOnlySpan<T> unit, Span<T> x) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        TensorPrimitives.MultiplyAdd(unit, T.CreateChecked(-2) * TensorPrimitives.Dot(unit, x), x, x);
}
