using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Tensorial.Kernels;

/// <summary>
/// The two walks over a matrix that one step of a two-sided reduction needs, four rows at a time. Row pitch, columns and row count are
/// multiples of the vector and of four: callers pad with zeros, which stay zeros.
/// </summary>
internal static class RankTwoPass
{
    /// <summary>Rows that are walked together, so that the vectors that all rows share are read once for them.</summary>
    public const int Rows = 4;

    /// <summary>Refuses operands that are shorter than the walk: from here on references are trusted.</summary>
    private static void Need(int length, long needed, string name)
    {
        if (length < needed)
            throw new ArgumentException($"The walk takes {needed} numbers, not {length}.", name);
    }

    private static void Need(int rows, int pitch, int columns, int matrix)
    {
        if (rows % Rows != 0 || columns < 0 || pitch < columns)
            throw new ArgumentException($"{rows} rows of {columns} columns, {pitch} apart, are not padded as the walk needs them.");
        Need(matrix, rows == 0 ? 0 : (rows - 1L) * pitch + columns, nameof(matrix));
    }

    /// <summary>y = A x</summary>
    public static void Products<T>(ReadOnlySpan<T> a, int pitch, int columns, ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged
    {
        Need(y.Length, pitch, columns, a.Length);
        Need(x.Length, columns, nameof(x));
        nuint lanes = (nuint)Vector512<T>.Count,
            end = (nuint)columns;
        ref T x0 = ref MemoryMarshal.GetReference(x);
        for (int r = 0; r < y.Length; r += Rows)
        {
            ref T a0 = ref Unsafe.Add(ref MemoryMarshal.GetReference(a), r * pitch),
                a1 = ref Unsafe.Add(ref a0, pitch);
            ref T a2 = ref Unsafe.Add(ref a1, pitch),
                a3 = ref Unsafe.Add(ref a2, pitch);
            Vector512<T> s0 = default,
                s1 = default,
                s2 = default,
                s3 = default;
            for (nuint c = 0; c < end; c += lanes)
            {
                Vector512<T> v = Vector512.LoadUnsafe(ref x0, c);
                s0 = Wide.MultiplyAdd(v, Vector512.LoadUnsafe(ref a0, c), s0);
                s1 = Wide.MultiplyAdd(v, Vector512.LoadUnsafe(ref a1, c), s1);
                s2 = Wide.MultiplyAdd(v, Vector512.LoadUnsafe(ref a2, c), s2);
                s3 = Wide.MultiplyAdd(v, Vector512.LoadUnsafe(ref a3, c), s3);
            }
            y[r] = Vector512.Sum(s0);
            y[r + 1] = Vector512.Sum(s1);
            y[r + 2] = Vector512.Sum(s2);
            y[r + 3] = Vector512.Sum(s3);
        }
    }

    /// <summary>
    /// A ← A - v wᵀ - z uᵀ, and for the updated rows sums += A[r, pivot] A[r, :]: what the next column's reflection must know, gathered in
    /// the same walk.
    /// </summary>
    public static void UpdateAndSum<T>(
        Span<T> a,
        int pitch,
        int columns,
        ReadOnlySpan<T> v,
        ReadOnlySpan<T> w,
        ReadOnlySpan<T> z,
        ReadOnlySpan<T> u,
        int pivot,
        Span<T> sums
    )
        where T : unmanaged, INumberBase<T>
    {
        Need(v.Length, pitch, columns, a.Length);
        Need(Math.Min(w.Length, u.Length), columns, nameof(w));
        Need(sums.Length, columns, nameof(sums));
        Need(z.Length, v.Length, nameof(z));
        nuint lanes = (nuint)Vector512<T>.Count,
            end = (nuint)columns;
        ref T w0 = ref MemoryMarshal.GetReference(w),
            u0 = ref MemoryMarshal.GetReference(u),
            t0 = ref MemoryMarshal.GetReference(sums);
        for (int r = 0; r < v.Length; r += Rows)
        {
            ref T a0 = ref Unsafe.Add(ref MemoryMarshal.GetReference(a), r * pitch),
                a1 = ref Unsafe.Add(ref a0, pitch);
            ref T a2 = ref Unsafe.Add(ref a1, pitch),
                a3 = ref Unsafe.Add(ref a2, pitch);
            Vector512<T> v0 = Vector512.Create(-v[r]),
                v1 = Vector512.Create(-v[r + 1]),
                v2 = Vector512.Create(-v[r + 2]),
                v3 = Vector512.Create(-v[r + 3]);
            Vector512<T> z0 = Vector512.Create(-z[r]),
                z1 = Vector512.Create(-z[r + 1]),
                z2 = Vector512.Create(-z[r + 2]),
                z3 = Vector512.Create(-z[r + 3]);
            Vector512<T> p0 = Vector512.Create(Updated(Unsafe.Add(ref a0, pivot), v[r], w[pivot], z[r], u[pivot]));
            Vector512<T> p1 = Vector512.Create(Updated(Unsafe.Add(ref a1, pivot), v[r + 1], w[pivot], z[r + 1], u[pivot]));
            Vector512<T> p2 = Vector512.Create(Updated(Unsafe.Add(ref a2, pivot), v[r + 2], w[pivot], z[r + 2], u[pivot]));
            Vector512<T> p3 = Vector512.Create(Updated(Unsafe.Add(ref a3, pivot), v[r + 3], w[pivot], z[r + 3], u[pivot]));
            for (nuint c = 0; c < end; c += lanes)
            {
                Vector512<T> wc = Vector512.LoadUnsafe(ref w0, c),
                    uc = Vector512.LoadUnsafe(ref u0, c);
                Vector512<T> x0 = Wide.MultiplyAdd(z0, uc, Wide.MultiplyAdd(v0, wc, Vector512.LoadUnsafe(ref a0, c)));
                Vector512<T> x1 = Wide.MultiplyAdd(z1, uc, Wide.MultiplyAdd(v1, wc, Vector512.LoadUnsafe(ref a1, c)));
                Vector512<T> x2 = Wide.MultiplyAdd(z2, uc, Wide.MultiplyAdd(v2, wc, Vector512.LoadUnsafe(ref a2, c)));
                Vector512<T> x3 = Wide.MultiplyAdd(z3, uc, Wide.MultiplyAdd(v3, wc, Vector512.LoadUnsafe(ref a3, c)));
                x0.StoreUnsafe(ref a0, c);
                x1.StoreUnsafe(ref a1, c);
                x2.StoreUnsafe(ref a2, c);
                x3.StoreUnsafe(ref a3, c);
                Vector512<T> even = Wide.MultiplyAdd(p2, x2, p0 * x0),
                    odd = Wide.MultiplyAdd(p3, x3, p1 * x1);
                (Vector512.LoadUnsafe(ref t0, c) + (even + odd)).StoreUnsafe(ref t0, c);
            }
        }
    }

    /// <summary>A ← A - v yᵀ - w xᵀ, then p = A z with the updated rows, in one walk.</summary>
    public static void UpdateAndMultiply<T>(
        Span<T> a,
        int pitch,
        int columns,
        ReadOnlySpan<T> v,
        ReadOnlySpan<T> y,
        ReadOnlySpan<T> w,
        ReadOnlySpan<T> x,
        ReadOnlySpan<T> z,
        Span<T> p
    )
        where T : unmanaged, INumberBase<T>
    {
        Need(v.Length, pitch, columns, a.Length);
        Need(Math.Min(x.Length, Math.Min(y.Length, z.Length)), columns, nameof(x));
        Need(Math.Min(w.Length, p.Length), v.Length, nameof(w));
        nuint lanes = (nuint)Vector512<T>.Count,
            end = (nuint)columns;
        ref T x0 = ref MemoryMarshal.GetReference(x),
            y0 = ref MemoryMarshal.GetReference(y),
            z0 = ref MemoryMarshal.GetReference(z);
        for (int r = 0; r < v.Length; r += Rows)
        {
            ref T a0 = ref Unsafe.Add(ref MemoryMarshal.GetReference(a), r * pitch),
                a1 = ref Unsafe.Add(ref a0, pitch);
            ref T a2 = ref Unsafe.Add(ref a1, pitch),
                a3 = ref Unsafe.Add(ref a2, pitch);
            Vector512<T> v0 = Vector512.Create(-v[r]),
                v1 = Vector512.Create(-v[r + 1]),
                v2 = Vector512.Create(-v[r + 2]),
                v3 = Vector512.Create(-v[r + 3]);
            Vector512<T> w0 = Vector512.Create(-w[r]),
                w1 = Vector512.Create(-w[r + 1]),
                w2 = Vector512.Create(-w[r + 2]),
                w3 = Vector512.Create(-w[r + 3]);
            Vector512<T> s0 = default,
                s1 = default,
                s2 = default,
                s3 = default;
            for (nuint c = 0; c < end; c += lanes)
            {
                Vector512<T> xc = Vector512.LoadUnsafe(ref x0, c),
                    yc = Vector512.LoadUnsafe(ref y0, c),
                    zc = Vector512.LoadUnsafe(ref z0, c);
                Vector512<T> b0 = Wide.MultiplyAdd(w0, xc, Wide.MultiplyAdd(v0, yc, Vector512.LoadUnsafe(ref a0, c)));
                Vector512<T> b1 = Wide.MultiplyAdd(w1, xc, Wide.MultiplyAdd(v1, yc, Vector512.LoadUnsafe(ref a1, c)));
                Vector512<T> b2 = Wide.MultiplyAdd(w2, xc, Wide.MultiplyAdd(v2, yc, Vector512.LoadUnsafe(ref a2, c)));
                Vector512<T> b3 = Wide.MultiplyAdd(w3, xc, Wide.MultiplyAdd(v3, yc, Vector512.LoadUnsafe(ref a3, c)));
                b0.StoreUnsafe(ref a0, c);
                b1.StoreUnsafe(ref a1, c);
                b2.StoreUnsafe(ref a2, c);
                b3.StoreUnsafe(ref a3, c);
                s0 = Wide.MultiplyAdd(b0, zc, s0);
                s1 = Wide.MultiplyAdd(b1, zc, s1);
                s2 = Wide.MultiplyAdd(b2, zc, s2);
                s3 = Wide.MultiplyAdd(b3, zc, s3);
            }
            p[r] = Vector512.Sum(s0);
            p[r + 1] = Vector512.Sum(s1);
            p[r + 2] = Vector512.Sum(s2);
            p[r + 3] = Vector512.Sum(s3);
        }
    }

    /// <summary>
    /// a - v w - z u, rounded exactly as the vectors are: where a column cancels, rounding is all that is left, and the sums must be those
    /// of what is stored.
    /// </summary>
    private static T Updated<T>(T a, T v, T w, T z, T u)
        where T : unmanaged, INumberBase<T> => T.MultiplyAddEstimate(-z, u, T.MultiplyAddEstimate(-v, w, a));
}
