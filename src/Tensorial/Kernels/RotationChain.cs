using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Tensorial.Kernels;

/// <summary>Chains of plane rotations of neighbouring rows: the row that two rotations share stays in registers between them.</summary>
internal static class RotationChain
{
    /// <summary>Columns that <see cref="Apply"/> takes at a time.</summary>
    public static int Columns<T>()
        where T : unmanaged => 4 * Vector512<T>.Count;

    /// <summary>
    /// For k = 0, 1, …: (row_k, row_k+1) ← (c_k row_k + s_k row_k+1, c_k row_k+1 - s_k row_k), on <see cref="Columns"/> columns from
    /// <paramref name="start"/> on. A negative pitch walks upwards.
    /// </summary>
    public static void Apply<T>(Span<T> rows, int start, int pitch, ReadOnlySpan<T> cosines, ReadOnlySpan<T> sines)
        where T : unmanaged, INumberBase<T>
    {
        long last = start + (long)pitch * cosines.Length;
        if (sines.Length < cosines.Length || Math.Min(start, last) < 0 || Math.Max(start, last) > rows.Length - Columns<T>())
            throw new ArgumentException($"{cosines.Length} rotations from {start} on, {pitch} apart, do not lie in {rows.Length} numbers.");
        nuint lanes = (nuint)Vector512<T>.Count;
        ref T row = ref Unsafe.Add(ref MemoryMarshal.GetReference(rows), start);
        Vector512<T> x0 = Vector512.LoadUnsafe(ref row),
            x1 = Vector512.LoadUnsafe(ref row, lanes);
        Vector512<T> x2 = Vector512.LoadUnsafe(ref row, 2 * lanes),
            x3 = Vector512.LoadUnsafe(ref row, 3 * lanes);
        for (int k = 0; k < cosines.Length; k++)
        {
            Vector512<T> c = Vector512.Create(cosines[k]),
                s = Vector512.Create(sines[k]);
            ref T next = ref Unsafe.Add(ref row, pitch);
            Vector512<T> y0 = Vector512.LoadUnsafe(ref next),
                y1 = Vector512.LoadUnsafe(ref next, lanes);
            Vector512<T> y2 = Vector512.LoadUnsafe(ref next, 2 * lanes),
                y3 = Vector512.LoadUnsafe(ref next, 3 * lanes);
            Wide.MultiplyAdd(s, y0, c * x0).StoreUnsafe(ref row);
            Wide.MultiplyAdd(s, y1, c * x1).StoreUnsafe(ref row, lanes);
            Wide.MultiplyAdd(s, y2, c * x2).StoreUnsafe(ref row, 2 * lanes);
            Wide.MultiplyAdd(s, y3, c * x3).StoreUnsafe(ref row, 3 * lanes);
            x0 = Wide.MultiplyAdd(c, y0, -(s * x0));
            x1 = Wide.MultiplyAdd(c, y1, -(s * x1));
            x2 = Wide.MultiplyAdd(c, y2, -(s * x2));
            x3 = Wide.MultiplyAdd(c, y3, -(s * x3));
            row = ref next;
        }
        x0.StoreUnsafe(ref row);
        x1.StoreUnsafe(ref row, lanes);
        x2.StoreUnsafe(ref row, 2 * lanes);
        x3.StoreUnsafe(ref row, 3 * lanes);
    }
}
