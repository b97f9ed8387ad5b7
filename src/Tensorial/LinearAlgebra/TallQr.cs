using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// QR of matrices with many more rows than columns, by blocks of rows (Demmel, Grigori, Hoemmen, Langou, SIAM J. Sci. Comput. 34, 2012):
/// each block joins the triangle of those before it, while it is in the cache.
/// </summary>
internal static class TallQr
{
    // 512 rows of 32 doubles are 128 KiB: well inside a second-level cache.
    private const int BlockRows = 512;

    // Ranges of rows that different threads reduce; fixed, so that the result does not depend on the number of threads.
    private const int RangeRows = 1 << 15;

    /// <summary>Whether <see cref="R"/> is meant for so few columns.</summary>
    public static bool Suits<T>(int rows, int columns)
        where T : unmanaged => columns <= ReflectorPanel.MaximalWidth<T>() && rows > 2 * columns;

    /// <summary>R [n, n] of a [m, n], which is only read.</summary>
    public static T[] R<T>(ReadOnlySpan<T> a, int m, int n, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int ranges = (m + RangeRows - 1) / RangeRows;
        if (ranges <= 1)
            return Reduce(a, m, n);
        T[] triangles = new T[ranges * n * n];
        unsafe
        {
            fixed (T* pointer = a)
            {
                nint address = (nint)pointer;
                workers.For(
                    ranges,
                    range =>
                    {
                        int first = range * RangeRows,
                            count = Math.Min(RangeRows, m - first);
                        Reduce(new ReadOnlySpan<T>((T*)address + (long)first * n, count * n), count, n)
                            .CopyTo(triangles.AsSpan(range * n * n));
                    }
                );
            }
        }
        return Reduce<T>(triangles, ranges * n, n);
    }

    private static T[] Reduce<T>(ReadOnlySpan<T> a, int m, int n)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int pitch = Wide.Padded<T>(n),
            block = Math.Min(BlockRows, m);
        T[] panel = new T[(n + block) * pitch],
            tau = new T[n],
            r = new T[n * n];
        // The first block comes with a triangle of zeros.
        for (int first = 0; first < m; first += block)
        {
            int count = Math.Min(block, m - first);
            for (int i = 0; i < n; i++)
                panel.AsSpan(i * pitch, i).Clear();
            for (int i = 0; i < count; i++)
                a.Slice((first + i) * n, n).CopyTo(panel.AsSpan((n + i) * pitch));
            ReflectorPanel.Factor(panel, n + count, n, pitch, tau);
        }
        for (int i = 0; i < n; i++)
            panel.AsSpan(i * pitch + i, n - i).CopyTo(r.AsSpan(i * n + i));
        return r;
    }
}
