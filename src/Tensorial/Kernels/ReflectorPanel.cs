using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Tensorial.Kernels;

/// <summary>Householder QR of a narrow panel: up to four vectors of columns, any number of rows.</summary>
/// <remarks>
/// One pass over the rows a column, not two: while the reflection of column j updates a row, the products of the row with its own
/// entry of column j + 1 are summed, and these sums are all that the next reflection needs to know about the rows below.
/// </remarks>
internal static class ReflectorPanel
{
    // Rows summed in one go before the sums join the total: rounding grows with the longer of the two chains, not with all rows.
    private const int Chain = 256;

    /// <summary>The widest panel, in columns: what a row may take in registers.</summary>
    public static int MaximalWidth<T>()
        where T : unmanaged => 4 * Vector512<T>.Count;

    /// <summary>
    /// H_k … H_1 A = R with H_j = I - tau_j v_j v_jᵀ. Leaves R on and above the diagonal and v_j below it (the 1 on top is not stored).
    /// The row pitch is a whole number of vectors; columns past <paramref name="width"/> are padding.
    /// </summary>
    public static void Factor<T>(Span<T> panel, int rows, int width, int pitch, Span<T> tau)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int lanes = Vector512<T>.Count,
            steps = Math.Min(rows, width);
        Span<T> sums = stackalloc T[pitch],
            weights = stackalloc T[pitch],
            scales = stackalloc T[pitch];
        scales.Fill(T.One);
        if (steps > 0)
            Dispatch(panel, 0, rows, pitch, -1, 0, T.Zero, weights, sums);
        for (int j = 0; j < steps; j++)
        {
            Span<T> top = panel.Slice(j * pitch, pitch);
            (tau[j], T beta, scales[j]) = Reflector.From(top[j], sums[j]);
            for (int k = 0; k < pitch; k++)
                weights[k] = k <= j ? T.Zero : -tau[j] * (sums[k] - beta * top[k]) * scales[j];
            top[j] = beta;
            for (int k = j + 1; k < width; k++)
                top[k] += weights[k];
            if (j + 1 < width && j + 1 < rows)
                Dispatch(panel, j + 1, rows, pitch, j, j + 1, scales[j], weights, sums);
        }

        for (int r = 1; r < rows; r++)
        {
            Span<T> row = panel.Slice(r * pitch, pitch);
            if (r >= width)
                for (int k = 0; k < pitch; k += lanes)
                    (Vector512.Create<T>(row[k..]) * Vector512.Create<T>(scales[k..])).CopyTo(row[k..]);
            else
                for (int k = 0; k < r; k++)
                    row[k] *= scales[k];
        }
    }

    private static void Dispatch<T>(
        Span<T> panel,
        int first,
        int rows,
        int pitch,
        int column,
        int next,
        T scale,
        ReadOnlySpan<T> weights,
        Span<T> sums
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int lanes = Vector512<T>.Count,
            offset = next / lanes * lanes;
        sums.Clear();
        for (; first < rows; first += Chain)
        {
            int end = Math.Min(first + Chain, rows);
            switch ((pitch - offset) / lanes)
            {
                case 1:
                    Pass<T, One>(panel, first, end, pitch, offset, column, next, scale, weights, sums);
                    break;
                case 2:
                    Pass<T, Two>(panel, first, end, pitch, offset, column, next, scale, weights, sums);
                    break;
                case 3:
                    Pass<T, Three>(panel, first, end, pitch, offset, column, next, scale, weights, sums);
                    break;
                default:
                    Pass<T, Four>(panel, first, end, pitch, offset, column, next, scale, weights, sums);
                    break;
            }
        }
    }

    /// <summary>
    /// row += row[column] scale weights, then sums += row[next] row, over the vectors from <paramref name="offset"/> on;
    /// a negative column leaves the rows as they are.
    /// </summary>
    private static void Pass<T, TCount>(
        Span<T> panel,
        int first,
        int end,
        int pitch,
        int offset,
        int column,
        int next,
        T scale,
        ReadOnlySpan<T> weights,
        Span<T> sums
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TCount : ICount
    {
        nuint lanes = (nuint)Vector512<T>.Count;
        ref T w = ref Unsafe.Add(ref MemoryMarshal.GetReference(weights), offset),
            s = ref Unsafe.Add(ref MemoryMarshal.GetReference(sums), offset);
        Vector512<T> w0 = Vector512.LoadUnsafe(ref w),
            w1 = default,
            w2 = default,
            w3 = default,
            s0 = default,
            s1 = default,
            s2 = default,
            s3 = default;
        if (TCount.Value > 1)
            w1 = Vector512.LoadUnsafe(ref w, lanes);
        if (TCount.Value > 2)
            w2 = Vector512.LoadUnsafe(ref w, 2 * lanes);
        if (TCount.Value > 3)
            w3 = Vector512.LoadUnsafe(ref w, 3 * lanes);
        ref T row = ref Unsafe.Add(ref MemoryMarshal.GetReference(panel), first * pitch);
        for (int r = first; r < end; r++, row = ref Unsafe.Add(ref row, pitch))
        {
            Vector512<T> v = Vector512.Create(column < 0 ? T.Zero : Unsafe.Add(ref row, column) * scale);
            ref T x = ref Unsafe.Add(ref row, offset);
            Vector512<T> x0 = Wide.MultiplyAdd(v, w0, Vector512.LoadUnsafe(ref x)),
                x1 = default,
                x2 = default,
                x3 = default;
            x0.StoreUnsafe(ref x);
            if (TCount.Value > 1)
                (x1 = Wide.MultiplyAdd(v, w1, Vector512.LoadUnsafe(ref x, lanes))).StoreUnsafe(ref x, lanes);
            if (TCount.Value > 2)
                (x2 = Wide.MultiplyAdd(v, w2, Vector512.LoadUnsafe(ref x, 2 * lanes))).StoreUnsafe(ref x, 2 * lanes);
            if (TCount.Value > 3)
                (x3 = Wide.MultiplyAdd(v, w3, Vector512.LoadUnsafe(ref x, 3 * lanes))).StoreUnsafe(ref x, 3 * lanes);
            Vector512<T> pivot = Vector512.Create(Unsafe.Add(ref row, next));
            s0 = Wide.MultiplyAdd(pivot, x0, s0);
            if (TCount.Value > 1)
                s1 = Wide.MultiplyAdd(pivot, x1, s1);
            if (TCount.Value > 2)
                s2 = Wide.MultiplyAdd(pivot, x2, s2);
            if (TCount.Value > 3)
                s3 = Wide.MultiplyAdd(pivot, x3, s3);
        }
        (Vector512.LoadUnsafe(ref s) + s0).StoreUnsafe(ref s);
        if (TCount.Value > 1)
            (Vector512.LoadUnsafe(ref s, lanes) + s1).StoreUnsafe(ref s, lanes);
        if (TCount.Value > 2)
            (Vector512.LoadUnsafe(ref s, 2 * lanes) + s2).StoreUnsafe(ref s, 2 * lanes);
        if (TCount.Value > 3)
            (Vector512.LoadUnsafe(ref s, 3 * lanes) + s3).StoreUnsafe(ref s, 3 * lanes);
    }
}
