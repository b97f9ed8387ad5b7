using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// A = U diag(s) Vᵀ with orthonormal columns in U [m, r] and orthonormal rows in Vᵀ [r, n]; s descends and is never negative.
/// </summary>
public sealed record Svd<T>(Tensor<T> U, T[] Values, Tensor<T> Vt)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>U diag(s) Vᵀ, [m, n].</summary>
    public Tensor<T> Product(Workers? workers = null)
    {
        (int m, int r, int n) = (U.Shape[0], Values.Length, Vt.Shape[1]);
        Tensor<T> scaled = U.Clone(),
            product = new([m, n]);
        for (int i = 0; i < m * r; i++)
            scaled.Values[i] *= Values[i % r];
        if (product.Values.Length > 0 && r > 0)
            MatrixProduct.Multiply<T>(
                m,
                n,
                r,
                T.One,
                scaled.Values,
                r,
                1,
                Vt.Values,
                n,
                1,
                T.Zero,
                product.Values,
                n,
                workers ?? Workers.Serial
            );
        return product;
    }
}

/// <summary>The singular value decomposition of a matrix [m, n], in float or double.</summary>
/// <remarks>
/// Values, and the products of the factors, are exact for a matrix that differs from A by some machine epsilons times its largest singular
/// value. Any scale is accepted, and empty matrices. The same bits come out whenever the number of threads is the same.
/// </remarks>
public static class Svd
{
    /// <summary>All min(m, n) singular values, descending.</summary>
    /// <exception cref="ShapeException">The tensor is not a matrix.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static T[] Values<T>(Tensor<T> a, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int rows, int columns) = Matrix.Extents(a);
        return Values<T>(a.Values, rows, columns, workers);
    }

    /// <summary>All min(m, n) singular values, descending, of a matrix stored row after row. The matrix itself is left as it is.</summary>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static T[] Values<T>(ReadOnlySpan<T> rowMajor, int rows, int columns, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] work = new T[rows * columns];
        if (rows >= columns)
            rowMajor[..work.Length].CopyTo(work);
        else
            Transposition.Copy(rowMajor, columns, rows, columns, work, rows);
        int exponent = Scaling.Normalize<T>(work);
        double[] values = SingularValues.Of<T>(work, Math.Max(rows, columns), Math.Min(rows, columns), workers ?? Workers.Serial);
        T[] scaled = Array.ConvertAll(values, T.CreateTruncating);
        Scaling.Multiply<T>(scaled, exponent);
        return scaled;
    }

    /// <summary>The thin decomposition, r = min(m, n).</summary>
    /// <inheritdoc cref="Values{T}(Tensor{T}, Workers?)" path="/exception"/>
    public static Svd<T> Thin<T>(Tensor<T> a, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int rows, int columns) = Matrix.Extents(a);
        return Decompose(a, Math.Min(rows, columns), workers ?? Workers.Serial);
    }

    /// <summary>
    /// The first <paramref name="rank"/> triplets of the thin decomposition: the best approximation of that rank (Eckart–Young).
    /// </summary>
    /// <exception cref="BadInputException">The rank is negative or above min(m, n).</exception>
    /// <inheritdoc cref="Values{T}(Tensor{T}, Workers?)" path="/exception"/>
    public static Svd<T> Truncated<T>(Tensor<T> a, int rank, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int rows, int columns) = Matrix.Extents(a);
        if (rank < 0 || rank > Math.Min(rows, columns))
            throw new BadInputException($"Rank {rank} was asked of a {a.Shape} matrix; it can be 0 to {Math.Min(rows, columns)}.");
        return Decompose(a, rank, workers ?? Workers.Serial);
    }

    private static Svd<T> Decompose<T>(Tensor<T> a, int rank, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int rows, int columns) = Matrix.Extents(a);
        bool wide = rows < columns;
        Tensor<T> work = wide ? Matrix.Transpose(a) : a.Clone();
        int exponent = Scaling.Normalize(work.Values);
        (T[] left, T[] values, Tensor<T> right) = SingularVectors.Of(
            work.Values,
            Math.Max(rows, columns),
            Math.Min(rows, columns),
            rank,
            workers
        );
        Scaling.Multiply<T>(values, exponent);
        Tensor<T> u = new([Math.Max(rows, columns), rank], left);
        return wide ? new(Matrix.Transpose(right), values, Matrix.Transpose(u)) : new(u, values, right);
    }
}
