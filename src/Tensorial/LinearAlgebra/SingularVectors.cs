using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>Singular values with vectors, through a bidiagonal.</summary>
internal static class SingularVectors
{
    /// <summary>
    /// The first <paramref name="rank"/> triplets, values descending, of a matrix [m, n], m ≥ n, of moderate scale: U [m, rank], s, Vᵀ
    /// [rank, n]. The matrix is scratch.
    /// </summary>
    public static (T[] U, T[] Values, Tensor<T> Vt) Of<T>(Span<T> a, int m, int n, int rank, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (m <= 5 * n / 3)
            return OfBidiagonal<T>(new(a, m, n, n, workers), m, n, rank, workers);
        T[] tau = HouseholderQr.Factor(a, m, n, n, workers),
            r = new T[n * n];
        for (int i = 0; i < n; i++)
            a.Slice(i * n + i, n - i).CopyTo(r.AsSpan(i * n + i));
        (T[] inner, T[] values, Tensor<T> vt) = OfBidiagonal<T>(new(r, n, n, n, workers), n, n, rank, workers);
        T[] u = new T[m * rank];
        inner.CopyTo(u, 0);
        HouseholderQr.ApplyQ(a, n, m, tau, u, rank, workers);
        return (u, values, vt);
    }

    private static (T[] U, T[] Values, Tensor<T> Vt) OfBidiagonal<T>(Bidiagonalization<T> reduced, int m, int n, int rank, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RotatedRows<T> left = new(reduced.FormQ(), n, m, transpose: true, workers),
            right = new(reduced.FormP(), n, n, transpose: true, workers);
        double[] d = SingularValues.ToDouble(reduced.Diagonal);
        BidiagonalSvd<T>.Solve(d, SingularValues.ToDouble(reduced.SuperDiagonal), left, right);

        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => Math.Abs(d[i])).Take(rank)];
        T[] rows = new T[rank * m],
            u = new T[m * rank];
        Tensor<T> vt = new([rank, n]);
        for (int k = 0; k < rank; k++)
        {
            left.Row(order[k]).CopyTo(rows.AsSpan(k * m));
            Span<T> row = vt.Values.Slice(k * n, n);
            right.Row(order[k]).CopyTo(row);
            if (d[order[k]] < 0)
                System.Numerics.Tensors.TensorPrimitives.Negate(row, row);
        }
        Transposition.Copy<T>(rows, m, rank, m, u, rank);
        return (u, [.. order.Select(i => T.CreateTruncating(Math.Abs(d[i])))], vt);
    }
}
