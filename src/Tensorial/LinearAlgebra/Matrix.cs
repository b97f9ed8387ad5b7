using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>Tensors of two axes, seen as matrices.</summary>
internal static class Matrix
{
    /// <exception cref="ShapeException">The tensor is not a matrix.</exception>
    public static (int Rows, int Columns) Extents(Tensor a) =>
        a.Shape is [int rows, int columns]
            ? (rows, columns)
            : throw new ShapeException($"A matrix has two axes; a tensor of shape {a.Shape} has {a.Shape.Rank}.");

    public static Tensor<T> Transpose<T>(Tensor<T> a)
        where T : unmanaged
    {
        (int rows, int columns) = Extents(a);
        Tensor<T> transposed = new([columns, rows]);
        Transposition.Copy(a.Values, columns, rows, columns, transposed.Values, rows);
        return transposed;
    }
}
