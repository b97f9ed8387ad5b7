using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>A = U diag(s) Vᵀ with orthonormal columns in U [m, r] and orthonormal rows in Vᵀ [r, n]; s descends and is never negative.</summary>
public sealed record Svd<T>(Tensor<T> U, T[] Values, Tensor<T> Vt) where T : unmanaged, IBinaryFloatingPointIeee754<T>;

/// <summary>The singular value decomposition of a matrix [m, n], in float or double.</summary>
/// <remarks>Errors are of the order of machine epsilon times the largest singular value. Any scale is accepted, and empty matrices.</remarks>
public static class Svd
{
    /// <summary>All min(m, n) singular values, descending.</summary>
    /// <exception cref="ShapeException">The tensor is not a matrix.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static T[] Values<T>(Tensor<T> a, Workers? workers = null) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int rows, int columns) = Matrix.Extents(a);
        return Values<T>(a.Values, rows, columns, workers);
    }

    /// <summary>All min(m, n) singular values, descending, of a matrix stored row after row. The matrix itself is left as it is.</summary>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static T[] Values<T>(ReadOnlySpan<T> rowMajor, int rows, int columns, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Thin(new Tensor<T>([rows, columns], rowMajor.ToArray()), workers).Values;

    /// <summary>The thin decomposition, r = min(m, n).</summary>
    /// <inheritdoc cref="Values{T}(Tensor{T}, Workers?)" path="/exception"/>
    public static Svd<T> Thin<T>(Tensor<T> a, Workers? workers = null) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int rows, int columns) = Matrix.Extents(a);
        if (rows < columns)
        {
            Svd<T> transposed = Thin(Matrix.Transpose(a), workers);
            return new(Matrix.Transpose(transposed.Vt), transposed.Values, Matrix.Transpose(transposed.U));
        }
        Tensor<T> scaled = a.Clone();
        int exponent = Scaling.Normalize(scaled.Values);
        Svd<T> svd = OneSidedJacobi.Thin(scaled);
        Scaling.Multiply<T>(svd.Values, exponent);
        return svd;
    }

    /// <summary>The first <paramref name="rank"/> triplets of the thin decomposition: the best approximation of that rank (Eckart–Young).</summary>
    /// <exception cref="BadInputException">The rank is negative or above min(m, n).</exception>
    /// <inheritdoc cref="Values{T}(Tensor{T}, Workers?)" path="/exception"/>
    public static Svd<T> Truncated<T>(Tensor<T> a, int rank, Workers? workers = null) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int rows, int columns) = Matrix.Extents(a);
        if (rank < 0 || rank > Math.Min(rows, columns))
            throw new BadInputException($"Rank {rank} was asked of a {a.Shape} matrix; it can be 0 to {Math.Min(rows, columns)}.");
        Svd<T> thin = Thin(a, workers);
        return new(Matrix.Columns(thin.U, rank), thin.Values[..rank], Matrix.Rows(thin.Vt, rank));
    }
}
