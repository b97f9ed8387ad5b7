using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// Singular values by plane rotations that make the columns of A orthogonal, pair after pair (Hestenes 1958; Demmel and Veselić, SIAM J. Matrix Anal. Appl. 13, 1992).
/// Slow for large matrices, but nothing is more accurate.
/// </summary>
internal static class OneSidedJacobi
{
    private const int MaximalSweeps = 60;

    /// <summary>The thin decomposition of a matrix [m, n], m ≥ n, of moderate scale.</summary>
    public static Svd<T> Thin<T>(Tensor<T> a) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int m, int n) = Matrix.Extents(a);
        // Row j of these is column j of A and of V.
        Tensor<T> columns = Matrix.Transpose(a), v = Matrix.Identity<T>(n);
        for (int sweep = 0; Sweep(columns.Values, m, v.Values, n); sweep++)
            if (sweep == MaximalSweeps) throw new NumericalException($"Jacobi rotations did not converge on a {m}×{n} matrix in {MaximalSweeps} sweeps.");

        T[] norms = new T[n];
        for (int j = 0; j < n; j++) norms[j] = TensorPrimitives.Norm<T>(columns.Values.Slice(j * m, m));
        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(j => norms[j])];

        Tensor<T> u = new([n, m]), vt = new([n, n]);
        for (int k = 0; k < n; k++)
        {
            Span<T> column = columns.Values.Slice(order[k] * m, m);
            if (norms[order[k]] > T.Zero) TensorPrimitives.Divide(column, norms[order[k]], u.Values.Slice(k * m, m));
            else Complete(u.Values, m, k);
            v.Values.Slice(order[k] * n, n).CopyTo(vt.Values[(k * n)..]);
        }
        return new(Matrix.Transpose(u), [.. order.Select(j => norms[j])], vt);
    }

    /// <summary>Rotates every pair of rows once; true while there was one to rotate.</summary>
    private static bool Sweep<T>(Span<T> columns, int m, Span<T> v, int n) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T tolerance = (T.BitIncrement(T.One) - T.One) * T.Sqrt(T.CreateChecked(m));
        T negligible = tolerance * tolerance * TensorPrimitives.SumOfSquares<T>(columns);
        bool rotated = false;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++)
            {
                Span<T> x = columns.Slice(p * m, m), y = columns.Slice(q * m, m);
                T xx = TensorPrimitives.Dot<T>(x, x), yy = TensorPrimitives.Dot<T>(y, y), xy = TensorPrimitives.Dot<T>(x, y);
                if (T.Abs(xy) <= tolerance * T.Sqrt(xx) * T.Sqrt(yy) || T.Abs(xy) <= negligible) continue;
                rotated = true;
                T zeta = (yy - xx) / (xy + xy);
                T tangent = (zeta < T.Zero ? -T.One : T.One) / (T.Abs(zeta) + T.Hypot(T.One, zeta));
                T cosine = T.One / T.Hypot(T.One, tangent), sine = cosine * tangent;
                Rotate(x, y, cosine, sine);
                Rotate(v.Slice(p * n, n), v.Slice(q * n, n), cosine, sine);
            }
        return rotated;
    }

    private static void Rotate<T>(Span<T> x, Span<T> y, T cosine, T sine) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < x.Length; i++) (x[i], y[i]) = (cosine * x[i] - sine * y[i], sine * x[i] + cosine * y[i]);
    }

    /// <summary>Fills row <paramref name="k"/> with a unit vector orthogonal to the rows before it.</summary>
    private static void Complete<T>(Span<T> u, int m, int k) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<T> row = u.Slice(k * m, m);
        for (int start = 0; start < m; start++)
        {
            row.Clear();
            row[start] = T.One;
            for (int pass = 0; pass < 2; pass++)
                for (int i = 0; i < k; i++)
                {
                    Span<T> other = u.Slice(i * m, m);
                    TensorPrimitives.MultiplyAdd(other, -TensorPrimitives.Dot<T>(other, row), row, row);
                }
            T norm = TensorPrimitives.Norm<T>(row);
            // Some axis keeps at least sqrt((m - k) / m) of its length.
            if (norm * norm * T.CreateChecked(m + m) < T.CreateChecked(m - k)) continue;
            TensorPrimitives.Divide(row, norm, row);
            return;
        }
    }
}
