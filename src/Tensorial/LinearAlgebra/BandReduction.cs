using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// The first of two stages to the singular values of a large matrix [m, n], m ≥ n: orthogonal transformations from both sides leave an
/// upper triangular band (Großer and Lang, Parallel Computing 25, 1999). All work outside the panels is matrix products.
/// </summary>
/// <remarks>
/// With left panel V, T, right panel W, S, X = Tᵀ Vᵀ A and Y = (A - V X) W S, both sides are applied as one update, A ← A - [V Y] [X; Wᵀ]:
/// the trailing matrix is read for Vᵀ A and for A W, and written once.
/// </remarks>
internal static class BandReduction
{
    /// <summary>
    /// Diagonals above the main one. Wider panels make faster products here and a slower second stage, whose cost is in proportion.
    /// </summary>
    public static int Width<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => BlockReflector<T>.Width;

    /// <summary>
    /// Reduces a in place: what it holds afterwards within the band of its first n rows has A's singular values. Outside the band is
    /// scratch.
    /// </summary>
    public static void Reduce<T>(Span<T> a, int m, int n, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int width = Width<T>();
        BlockReflector<T> left = new(m, width, workers),
            right = new(n, width, workers);
        T[] products = new T[width * n],
            updateLeft = new T[m * 2 * width],
            updateRight = new T[2 * width * n];
        T[] small = new T[width * width],
            y = new T[m * width];
        for (int k = 0; k < n; k += width)
        {
            int b = Math.Min(width, n - k),
                columns = n - k - b,
                rows = m - k - b;
            left.Factor(a[(k * n + k)..], n, m - k, b);
            if (columns == 0)
                return;
            Span<T> row = a[(k * n + k + b)..],
                x = updateRight.AsSpan(0, b * columns);
            MatrixProduct.Multiply(b, columns, m - k, T.One, left.V, 1, left.Pitch, row, n, 1, T.Zero, products, columns, workers);
            MatrixProduct.Multiply<T>(
                b,
                columns,
                b,
                T.One,
                left.Triangle,
                1,
                left.Pitch,
                products,
                columns,
                1,
                T.Zero,
                x,
                columns,
                workers
            );
            // The b rows of the panel itself, which the right panel is made of.
            MatrixProduct.Multiply<T>(b, columns, b, -T.One, left.V, left.Pitch, 1, x, columns, 1, T.One, row, n, workers);
            right.FactorTransposed(row, n, columns, b);
            if (rows == 0)
                return;

            int c = right.Count,
                depth = b + c;
            ReadOnlySpan<T> below = left.V[(b * left.Pitch)..];
            Span<T> trailing = a[((k + b) * n + k + b)..];
            MatrixProduct.Multiply<T>(rows, c, columns, T.One, trailing, n, 1, right.V, right.Pitch, 1, T.Zero, y, c, workers);
            MatrixProduct.Multiply<T>(b, c, columns, T.One, x, columns, 1, right.V, right.Pitch, 1, T.Zero, small, c, workers);
            MatrixProduct.Multiply<T>(rows, c, b, -T.One, below, left.Pitch, 1, small, c, 1, T.One, y, c, workers);
            MatrixProduct.Multiply<T>(
                rows,
                c,
                c,
                T.One,
                y,
                c,
                1,
                right.Triangle,
                right.Pitch,
                1,
                T.Zero,
                updateLeft.AsSpan(b),
                depth,
                workers
            );
            for (int r = 0; r < rows; r++)
                below.Slice(r * left.Pitch, b).CopyTo(updateLeft.AsSpan(r * depth));
            Transposition.Copy(right.V, right.Pitch, columns, c, updateRight.AsSpan(b * columns), columns);
            MatrixProduct.Multiply<T>(
                rows,
                columns,
                depth,
                -T.One,
                updateLeft,
                depth,
                1,
                updateRight,
                columns,
                1,
                T.One,
                trailing,
                n,
                workers
            );
        }
    }
}
