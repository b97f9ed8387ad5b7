using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>QR of a matrix in place, panel by panel, with everything outside the panels in matrix products.</summary>
internal static class HouseholderQr
{
    /// <summary>
    /// Leaves R on and above the diagonal of a [rows, columns], the reflections' vectors below it, and returns their scalars.
    /// </summary>
    public static T[] Factor<T>(Span<T> a, int rows, int columns, int stride, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int count = Math.Min(rows, columns),
            width = BlockReflector<T>.Width;
        T[] tau = new T[count];
        BlockReflector<T> block = new(rows, Math.Min(width, count), workers);
        for (int k = 0; k < count; k += width)
        {
            int b = Math.Min(width, count - k);
            block.Factor(a[(k * stride + k)..], stride, rows - k, b).CopyTo(tau.AsSpan(k));
            if (k + b < columns)
                block.ApplyTransposed(a[(k * stride + k + b)..], stride, columns - k - b);
        }
        return tau;
    }

    /// <summary>
    /// q [rows, columns] becomes the first columns of H_1 H_2 … H_count, from the vectors below the diagonal of <paramref name="a"/>. Needs
    /// count ≤ columns.
    /// </summary>
    public static void FormQ<T>(ReadOnlySpan<T> a, int stride, int rows, ReadOnlySpan<T> tau, Span<T> q, int columns, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int count = tau.Length,
            width = BlockReflector<T>.Width;
        q[..(rows * columns)].Clear();
        for (int i = 0; i < Math.Min(rows, columns); i++)
            q[i * columns + i] = T.One;
        if (count == 0)
            return;
        BlockReflector<T> block = new(rows, Math.Min(width, count), workers);
        for (int k = (count - 1) / width * width; k >= 0; k -= width)
        {
            int b = Math.Min(width, count - k);
            block.Recall(a[(k * stride + k)..], stride, rows - k, tau.Slice(k, b));
            // Rows and columns before k are still those of the identity.
            block.Apply(q[(k * columns + k)..], columns, columns - k);
        }
    }

    /// <summary>
    /// [1 0; 0 Q] of order n, from vectors stored along rows: that of H_k in row k of <paramref name="a"/>, from column k + 2 on (a 1
    /// stands in column k + 1).
    /// </summary>
    public static T[] FormBordered<T>(ReadOnlySpan<T> a, int stride, int n, ReadOnlySpan<T> tau, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] bordered = new T[n * n];
        if (n > 0)
            bordered[0] = T.One;
        int inner = n - 1;
        if (inner < 1)
            return bordered;
        T[] vectors = new T[inner * inner],
            q = new T[inner * inner];
        Transposition.Copy(a[1..], stride, inner, inner, vectors, inner);
        FormQ(vectors, inner, inner, tau, q, inner, workers);
        for (int i = 0; i < inner; i++)
            q.AsSpan(i * inner, inner).CopyTo(bordered.AsSpan((i + 1) * n + 1));
        return bordered;
    }

    /// <summary>Q C, with the reflections of a factored matrix [rows, count] and C [rows, columns], in place.</summary>
    public static void ApplyQ<T>(ReadOnlySpan<T> a, int stride, int rows, ReadOnlySpan<T> tau, Span<T> c, int columns, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int count = tau.Length,
            width = BlockReflector<T>.Width;
        if (count == 0)
            return;
        BlockReflector<T> block = new(rows, Math.Min(width, count), workers);
        for (int k = (count - 1) / width * width; k >= 0; k -= width)
        {
            block.Recall(a[(k * stride + k)..], stride, rows - k, tau.Slice(k, Math.Min(width, count - k)));
            block.Apply(c[(k * columns)..], columns, columns);
        }
    }
}
