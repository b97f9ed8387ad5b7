using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// A = Q R with orthonormal columns in Q [m, r] and upper triangular R [r, n], r = min(m, n). The diagonal of R may have any sign.
/// </summary>
public sealed record Qr<T>(Tensor<T> Q, Tensor<T> R)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>;

/// <summary>The QR decomposition of a matrix [m, n] by Householder reflections, in float or double.</summary>
public static class Qr
{
    /// <summary>The thin decomposition. Each column of Q R agrees with that of A to some machine epsilons of its own length.</summary>
    /// <exception cref="ShapeException">The tensor is not a matrix.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static Qr<T> Thin<T>(Tensor<T> a, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int m, int n) = Matrix.Extents(a);
        int r = Math.Min(m, n);
        Tensor<T> q = new([m, r]),
            upper = new([r, n]),
            work = a.Clone();
        int[] exponents = Scaling.NormalizeColumns(work.Values, n);
        T[] tau = HouseholderQr.Factor(work.Values, m, n, n, workers ?? Workers.Serial);
        for (int i = 0; i < r; i++)
        for (int j = i; j < n; j++)
            upper.Values[i * n + j] = Scaling.Multiply(work.Values[i * n + j], exponents[j]);
        HouseholderQr.FormQ<T>(work.Values, n, m, tau, q.Values, r, workers ?? Workers.Serial);
        return new(q, upper);
    }
}
