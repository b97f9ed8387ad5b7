using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// The second stage: from an upper triangular band to a bidiagonal. A reflection shortens a row to two entries, and the bulge that it makes
/// below the diagonal is chased down the band, block by block (Lang, SIAM J. Matrix Anal. Appl. 18, 1997). 8 n² width operations in all,
/// within a few cache-sized blocks.
/// </summary>
internal static class BulgeChasing
{
    /// <summary>
    /// The bidiagonal of the band that starts at a[0, 0], n rows at distance <paramref name="stride"/>, <paramref name="width"/> diagonals
    /// above the main one.
    /// </summary>
    public static (T[] Diagonal, T[] SuperDiagonal) Reduce<T>(ReadOnlySpan<T> a, int n, int stride, int width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        width = Wide.Padded<T>(width);
        // Entry (r, c) lies at r·pitch + c + width: rows overlap nowhere within -width < c - r < 2 width, which is as far as a bulge
        // reaches. Zeros follow the last row and column, so that blocks need not be cut short there.
        int pitch = 3 * width;
        T[] band = new T[(n + 3 * width) * (pitch + 1) + width];
        for (int r = 0; r < n; r++)
            a.Slice(r * stride + r, Math.Min(width + 1, n - r)).CopyTo(band.AsSpan(At(r, r)));

        Span<T> v = stackalloc T[width];
        for (int sweep = 0; sweep + 2 < n; sweep++)
        {
            int row = sweep,
                column = sweep + 1;
            while (true)
            {
                // Leaves row `row` nothing right of `column`, then column `column` nothing below the diagonal.
                T tau = TakeRow(band.AsSpan(At(row, column), width), v);
                if (tau != T.Zero)
                    BandReflection.FromRight(band.AsSpan(At(row + 1, column)), pitch, column + width - 1 - row, v, tau);
                tau = TakeColumn(band.AsSpan(At(column, column)), pitch, v);
                if (tau != T.Zero)
                    BandReflection.FromLeft(band.AsSpan(At(column, column + 1)), pitch, 2 * width, v, tau);
                row = column;
                column += width;
                if (column >= n - 1)
                    break;
            }
        }

        T[] diagonal = new T[n],
            superDiagonal = new T[Math.Max(0, n - 1)];
        for (int i = 0; i < n; i++)
            diagonal[i] = band[At(i, i)];
        for (int i = 0; i + 1 < n; i++)
            superDiagonal[i] = band[At(i, i + 1)];
        return (diagonal, superDiagonal);

        int At(int r, int c) => r * pitch + c + width;
    }

    private static T TakeRow<T>(Span<T> row, Span<T> v)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        row.CopyTo(v);
        T tau = Reflect(v, out T beta);
        row.Clear();
        row[0] = beta;
        return tau;
    }

    private static T TakeColumn<T>(Span<T> column, int pitch, Span<T> v)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < v.Length; i++)
            v[i] = column[i * pitch];
        T tau = Reflect(v, out T beta);
        for (int i = 0; i < v.Length; i++)
            column[i * pitch] = T.Zero;
        column[0] = beta;
        return tau;
    }

    /// <summary>Turns x into the v of the reflection that maps it to (beta, 0, …).</summary>
    private static T Reflect<T>(Span<T> x, out T beta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T tail = T.Zero;
        for (int i = 1; i < x.Length; i++)
            tail += x[i] * x[i];
        beta = x[0];
        // Nothing to annihilate; also at the end of the band, where all that follows is padding.
        if (tail == T.Zero)
            return T.Zero;
        (T tau, beta, T factor) = Reflector.From(x[0], tail + x[0] * x[0]);
        x[0] = T.One;
        for (int i = 1; i < x.Length; i++)
            x[i] *= factor;
        return tau;
    }
}
