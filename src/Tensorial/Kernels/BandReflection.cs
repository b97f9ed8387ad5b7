using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Tensorial.Kernels;

/// <summary>
/// One reflection I - tau v vᵀ applied to a small block of a band. The length of v on the right, and the block's columns on the left, are
/// whole vectors.
/// </summary>
internal static class BandReflection
{
    /// <summary>A ← A (I - tau v vᵀ) for a block of <paramref name="rows"/> rows; v has up to four vectors.</summary>
    public static void FromRight<T>(Span<T> a, int stride, int rows, ReadOnlySpan<T> v, T tau)
        where T : unmanaged, INumberBase<T>
    {
        Need(a.Length, rows == 0 ? 0 : (rows - 1L) * stride + v.Length, stride);
        if (v.Length % Vector512<T>.Count != 0 || v.Length / Vector512<T>.Count is < 1 or > 4)
            throw new ArgumentException($"A reflection of {v.Length} numbers is not one to four whole vectors.");
        switch (v.Length / Vector512<T>.Count)
        {
            case 1:
                FromRight<T, One>(a, stride, rows, v, tau);
                break;
            case 2:
                FromRight<T, Two>(a, stride, rows, v, tau);
                break;
            case 3:
                FromRight<T, Three>(a, stride, rows, v, tau);
                break;
            default:
                FromRight<T, Four>(a, stride, rows, v, tau);
                break;
        }
    }

    /// <summary>Refuses a block that does not lie in its memory: from here on references are trusted.</summary>
    private static void Need(int length, long needed, int stride)
    {
        if (length < needed || stride < 0)
            throw new ArgumentException($"The block takes {needed} numbers, {stride} from row to row, not {length}.");
    }

    private static void FromRight<T, TCount>(Span<T> a, int stride, int rows, ReadOnlySpan<T> v, T tau)
        where T : unmanaged, INumberBase<T>
        where TCount : ICount
    {
        nuint lanes = (nuint)Vector512<T>.Count;
        ref T source = ref MemoryMarshal.GetReference(v);
        Vector512<T> v0 = Vector512.LoadUnsafe(ref source),
            v1 = default,
            v2 = default,
            v3 = default;
        if (TCount.Value > 1)
            v1 = Vector512.LoadUnsafe(ref source, lanes);
        if (TCount.Value > 2)
            v2 = Vector512.LoadUnsafe(ref source, 2 * lanes);
        if (TCount.Value > 3)
            v3 = Vector512.LoadUnsafe(ref source, 3 * lanes);
        ref T row = ref MemoryMarshal.GetReference(a);
        for (int r = 0; r < rows; r++, row = ref Unsafe.Add(ref row, stride))
        {
            Vector512<T> x0 = Vector512.LoadUnsafe(ref row),
                x1 = default,
                x2 = default,
                x3 = default,
                dot = x0 * v0,
                more = default;
            if (TCount.Value > 1)
                more = (x1 = Vector512.LoadUnsafe(ref row, lanes)) * v1;
            if (TCount.Value > 2)
                dot = Wide.MultiplyAdd(x2 = Vector512.LoadUnsafe(ref row, 2 * lanes), v2, dot);
            if (TCount.Value > 3)
                more = Wide.MultiplyAdd(x3 = Vector512.LoadUnsafe(ref row, 3 * lanes), v3, more);
            Vector512<T> factor = Vector512.Create(-tau * Vector512.Sum(dot + more));
            Wide.MultiplyAdd(factor, v0, x0).StoreUnsafe(ref row);
            if (TCount.Value > 1)
                Wide.MultiplyAdd(factor, v1, x1).StoreUnsafe(ref row, lanes);
            if (TCount.Value > 2)
                Wide.MultiplyAdd(factor, v2, x2).StoreUnsafe(ref row, 2 * lanes);
            if (TCount.Value > 3)
                Wide.MultiplyAdd(factor, v3, x3).StoreUnsafe(ref row, 3 * lanes);
        }
    }

    /// <summary>A ← (I - tau v vᵀ) A for a block of v.Length rows, four vectors of columns at a time.</summary>
    public static void FromLeft<T>(Span<T> a, int stride, int columns, ReadOnlySpan<T> v, T tau)
        where T : unmanaged, INumberBase<T>
    {
        int lanes = Vector512<T>.Count,
            column = 0;
        Need(a.Length, v.Length == 0 ? 0 : (v.Length - 1L) * stride + (long)(columns + lanes - 1) / lanes * lanes, stride);
        for (; column + 4 * lanes <= columns; column += 4 * lanes)
            FromLeft<T, Four>(a[column..], stride, v, tau);
        for (; column < columns; column += lanes)
            FromLeft<T, One>(a[column..], stride, v, tau);
    }

    private static void FromLeft<T, TCount>(Span<T> a, int stride, ReadOnlySpan<T> v, T tau)
        where T : unmanaged, INumberBase<T>
        where TCount : ICount
    {
        nuint lanes = (nuint)Vector512<T>.Count;
        Vector512<T> w0 = default,
            w1 = default,
            w2 = default,
            w3 = default;
        ref T row = ref MemoryMarshal.GetReference(a);
        for (int r = 0; r < v.Length; r++, row = ref Unsafe.Add(ref row, stride))
        {
            Vector512<T> x = Vector512.Create(v[r]);
            w0 = Wide.MultiplyAdd(x, Vector512.LoadUnsafe(ref row), w0);
            if (TCount.Value > 1)
                w1 = Wide.MultiplyAdd(x, Vector512.LoadUnsafe(ref row, lanes), w1);
            if (TCount.Value > 1)
                w2 = Wide.MultiplyAdd(x, Vector512.LoadUnsafe(ref row, 2 * lanes), w2);
            if (TCount.Value > 1)
                w3 = Wide.MultiplyAdd(x, Vector512.LoadUnsafe(ref row, 3 * lanes), w3);
        }
        row = ref MemoryMarshal.GetReference(a);
        for (int r = 0; r < v.Length; r++, row = ref Unsafe.Add(ref row, stride))
        {
            Vector512<T> x = Vector512.Create(-tau * v[r]);
            Wide.MultiplyAdd(x, w0, Vector512.LoadUnsafe(ref row)).StoreUnsafe(ref row);
            if (TCount.Value > 1)
                Wide.MultiplyAdd(x, w1, Vector512.LoadUnsafe(ref row, lanes)).StoreUnsafe(ref row, lanes);
            if (TCount.Value > 1)
                Wide.MultiplyAdd(x, w2, Vector512.LoadUnsafe(ref row, 2 * lanes)).StoreUnsafe(ref row, 2 * lanes);
            if (TCount.Value > 1)
                Wide.MultiplyAdd(x, w3, Vector512.LoadUnsafe(ref row, 3 * lanes)).StoreUnsafe(ref row, 3 * lanes);
        }
    }
}
