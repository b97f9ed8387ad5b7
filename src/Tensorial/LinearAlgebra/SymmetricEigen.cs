using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>A = V diag(λ) Vᵀ for a symmetric matrix [n, n]: λ ascends, the columns of V [n, n] are orthonormal.</summary>
public sealed record SymmetricEigen<T>(T[] Values, Tensor<T> Vectors)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>;

/// <summary>Eigenvalues and eigenvectors of symmetric matrices, in float or double.</summary>
public static class SymmetricEigen
{
    /// <summary>All eigenvalues and eigenvectors. Only the lower triangle is read.</summary>
    /// <exception cref="ShapeException">The tensor is not a square matrix.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static SymmetricEigen<T> Of<T>(Tensor<T> a, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int n, int columns) = Matrix.Extents(a);
        if (n != columns)
            throw new ShapeException($"Eigenvalues are those of a square matrix, not of a {a.Shape} one.");
        T[] work = a.Values.ToArray();
        for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            work[i * n + j] = work[j * n + i];
        int exponent = Scaling.Normalize<T>(work);

        Tridiagonalization<T> reduced = new(work, n, workers ?? Workers.Serial);
        RotatedRows<T> rows = new(reduced.FormQ(), n, n, transpose: true, workers ?? Workers.Serial);
        double[] d = SingularValues.ToDouble(reduced.Diagonal);
        TridiagonalEigen.Solve(d, SingularValues.ToDouble(reduced.OffDiagonal), rows);

        int[] order = [.. Enumerable.Range(0, n).OrderBy(i => d[i])];
        Tensor<T> vectors = new([n, n]);
        for (int k = 0; k < n; k++)
            rows.Row(order[k]).CopyTo(work.AsSpan(k * n));
        Transposition.Copy<T>(work, n, n, n, vectors.Values, n);
        T[] values = [.. order.Select(i => T.CreateTruncating(d[i]))];
        Scaling.Multiply<T>(values, exponent);
        return new(values, vectors);
    }
}
