using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Tensorial.Kernels;

/// <summary>Rows of a register tile, as a type.</summary>
internal interface IRows
{
    static abstract int Count { get; }
}

internal readonly struct Rows1 : IRows
{
    public static int Count => 1;
}

internal readonly struct Rows2 : IRows
{
    public static int Count => 2;
}

internal readonly struct Rows3 : IRows
{
    public static int Count => 3;
}

internal readonly struct Rows4 : IRows
{
    public static int Count => 4;
}

internal readonly struct Rows5 : IRows
{
    public static int Count => 5;
}

internal readonly struct Rows6 : IRows
{
    public static int Count => 6;
}

internal readonly struct Rows7 : IRows
{
    public static int Count => 7;
}

internal readonly struct Rows8 : IRows
{
    public static int Count => 8;
}

internal readonly struct Rows9 : IRows
{
    public static int Count => 9;
}

internal readonly struct Rows10 : IRows
{
    public static int Count => 10;
}

internal readonly struct Rows11 : IRows
{
    public static int Count => 11;
}

internal readonly struct Rows12 : IRows
{
    public static int Count => 12;
}

internal readonly struct Rows13 : IRows
{
    public static int Count => 13;
}

internal readonly struct Rows14 : IRows
{
    public static int Count => 14;
}

/// <summary>Vectors across a register tile, as a type.</summary>
internal interface IAcross
{
    static abstract int Vectors { get; }
}

internal readonly struct OneAcross : IAcross
{
    public static int Vectors => 1;
}

internal readonly struct TwoAcross : IAcross
{
    public static int Vectors => 2;
}

/// <summary>
/// The inner loop of the matrix product. Sums are locals, not an array, so that the compiler keeps them in registers; conditions on types
/// are decided when it makes the copy for them, so that each copy is straight-line code.
/// </summary>
internal static unsafe class GemmTile
{
    /// <summary>
    /// c[row, j] = alpha Σ a[p, row] b[p, j] + beta c[row, j], the sum over depth p. Two fused units with four cycles of latency need eight
    /// sums in flight; from four rows on there are, and loads stay below the two a cycle that processors have.
    /// </summary>
    /// <param name="depth">Terms of a sum.</param>
    /// <param name="a">The rows' numbers for one depth side by side, one depth every <paramref name="stepA"/> numbers.</param>
    /// <param name="b">The columns' numbers for one depth side by side, one depth every <paramref name="stepB"/> numbers.</param>
    /// <param name="c">The first of the tile's numbers, one row every <paramref name="stepC"/> numbers.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TWidth, TVector, T, TRows, TAcross>(
        nint depth,
        T* a,
        nint stepA,
        T* b,
        nint stepB,
        T* c,
        nint stepC,
        T alpha,
        T beta
    )
        where TWidth : struct, IVectorWidth<TVector, T>
        where TVector : struct
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TRows : struct, IRows
        where TAcross : struct, IAcross
    {
        TVector zero = TWidth.Broadcast(T.Zero),
            x,
            y,
            z = zero;
        TVector s0 = zero,
            s1 = zero,
            s2 = zero,
            s3 = zero,
            s4 = zero,
            s5 = zero,
            s6 = zero,
            s7 = zero,
            s8 = zero,
            s9 = zero,
            s10 = zero,
            s11 = zero,
            s12 = zero,
            s13 = zero;
        TVector t0 = zero,
            t1 = zero,
            t2 = zero,
            t3 = zero,
            t4 = zero,
            t5 = zero,
            t6 = zero,
            t7 = zero,
            t8 = zero,
            t9 = zero,
            t10 = zero,
            t11 = zero,
            t12 = zero,
            t13 = zero;
        if (Sse.IsSupported)
        {
            // The rows of c lie far apart, out of the hardware's sight; they arrive while the sums are made.
            T* line = c;
            for (int row = 0; row < TRows.Count; row++, line += stepC)
            {
                Sse.Prefetch0(line);
                if (TAcross.Vectors > 1)
                    Sse.Prefetch0(line + TWidth.Count);
            }
        }
        for (; depth > 0; depth--, a += stepA, b += stepB)
        {
            y = TWidth.Load(b);
            if (TAcross.Vectors > 1)
                z = TWidth.Load(b + TWidth.Count);
            if (TRows.Count > 0)
            {
                x = TWidth.Spread(a + 0);
                s0 = TWidth.MultiplyAdd(x, y, s0);
                if (TAcross.Vectors > 1)
                    t0 = TWidth.MultiplyAdd(x, z, t0);
            }
            if (TRows.Count > 1)
            {
                x = TWidth.Spread(a + 1);
                s1 = TWidth.MultiplyAdd(x, y, s1);
                if (TAcross.Vectors > 1)
                    t1 = TWidth.MultiplyAdd(x, z, t1);
            }
            if (TRows.Count > 2)
            {
                x = TWidth.Spread(a + 2);
                s2 = TWidth.MultiplyAdd(x, y, s2);
                if (TAcross.Vectors > 1)
                    t2 = TWidth.MultiplyAdd(x, z, t2);
            }
            if (TRows.Count > 3)
            {
                x = TWidth.Spread(a + 3);
                s3 = TWidth.MultiplyAdd(x, y, s3);
                if (TAcross.Vectors > 1)
                    t3 = TWidth.MultiplyAdd(x, z, t3);
            }
            if (TRows.Count > 4)
            {
                x = TWidth.Spread(a + 4);
                s4 = TWidth.MultiplyAdd(x, y, s4);
                if (TAcross.Vectors > 1)
                    t4 = TWidth.MultiplyAdd(x, z, t4);
            }
            if (TRows.Count > 5)
            {
                x = TWidth.Spread(a + 5);
                s5 = TWidth.MultiplyAdd(x, y, s5);
                if (TAcross.Vectors > 1)
                    t5 = TWidth.MultiplyAdd(x, z, t5);
            }
            if (TRows.Count > 6)
            {
                x = TWidth.Spread(a + 6);
                s6 = TWidth.MultiplyAdd(x, y, s6);
                if (TAcross.Vectors > 1)
                    t6 = TWidth.MultiplyAdd(x, z, t6);
            }
            if (TRows.Count > 7)
            {
                x = TWidth.Spread(a + 7);
                s7 = TWidth.MultiplyAdd(x, y, s7);
                if (TAcross.Vectors > 1)
                    t7 = TWidth.MultiplyAdd(x, z, t7);
            }
            if (TRows.Count > 8)
            {
                x = TWidth.Spread(a + 8);
                s8 = TWidth.MultiplyAdd(x, y, s8);
                if (TAcross.Vectors > 1)
                    t8 = TWidth.MultiplyAdd(x, z, t8);
            }
            if (TRows.Count > 9)
            {
                x = TWidth.Spread(a + 9);
                s9 = TWidth.MultiplyAdd(x, y, s9);
                if (TAcross.Vectors > 1)
                    t9 = TWidth.MultiplyAdd(x, z, t9);
            }
            if (TRows.Count > 10)
            {
                x = TWidth.Spread(a + 10);
                s10 = TWidth.MultiplyAdd(x, y, s10);
                if (TAcross.Vectors > 1)
                    t10 = TWidth.MultiplyAdd(x, z, t10);
            }
            if (TRows.Count > 11)
            {
                x = TWidth.Spread(a + 11);
                s11 = TWidth.MultiplyAdd(x, y, s11);
                if (TAcross.Vectors > 1)
                    t11 = TWidth.MultiplyAdd(x, z, t11);
            }
            if (TRows.Count > 12)
            {
                x = TWidth.Spread(a + 12);
                s12 = TWidth.MultiplyAdd(x, y, s12);
                if (TAcross.Vectors > 1)
                    t12 = TWidth.MultiplyAdd(x, z, t12);
            }
            if (TRows.Count > 13)
            {
                x = TWidth.Spread(a + 13);
                s13 = TWidth.MultiplyAdd(x, y, s13);
                if (TAcross.Vectors > 1)
                    t13 = TWidth.MultiplyAdd(x, z, t13);
            }
        }
        x = TWidth.Broadcast(alpha);
        y = TWidth.Broadcast(beta);
        if (TRows.Count > 0)
            Store<TWidth, TVector, T, TAcross>(s0, t0, x, y, beta, c + 0 * stepC);
        if (TRows.Count > 1)
            Store<TWidth, TVector, T, TAcross>(s1, t1, x, y, beta, c + 1 * stepC);
        if (TRows.Count > 2)
            Store<TWidth, TVector, T, TAcross>(s2, t2, x, y, beta, c + 2 * stepC);
        if (TRows.Count > 3)
            Store<TWidth, TVector, T, TAcross>(s3, t3, x, y, beta, c + 3 * stepC);
        if (TRows.Count > 4)
            Store<TWidth, TVector, T, TAcross>(s4, t4, x, y, beta, c + 4 * stepC);
        if (TRows.Count > 5)
            Store<TWidth, TVector, T, TAcross>(s5, t5, x, y, beta, c + 5 * stepC);
        if (TRows.Count > 6)
            Store<TWidth, TVector, T, TAcross>(s6, t6, x, y, beta, c + 6 * stepC);
        if (TRows.Count > 7)
            Store<TWidth, TVector, T, TAcross>(s7, t7, x, y, beta, c + 7 * stepC);
        if (TRows.Count > 8)
            Store<TWidth, TVector, T, TAcross>(s8, t8, x, y, beta, c + 8 * stepC);
        if (TRows.Count > 9)
            Store<TWidth, TVector, T, TAcross>(s9, t9, x, y, beta, c + 9 * stepC);
        if (TRows.Count > 10)
            Store<TWidth, TVector, T, TAcross>(s10, t10, x, y, beta, c + 10 * stepC);
        if (TRows.Count > 11)
            Store<TWidth, TVector, T, TAcross>(s11, t11, x, y, beta, c + 11 * stepC);
        if (TRows.Count > 12)
            Store<TWidth, TVector, T, TAcross>(s12, t12, x, y, beta, c + 12 * stepC);
        if (TRows.Count > 13)
            Store<TWidth, TVector, T, TAcross>(s13, t13, x, y, beta, c + 13 * stepC);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TWidth, TVector, T, TAcross>(TVector left, TVector right, TVector alphas, TVector betas, T beta, T* c)
        where TWidth : struct, IVectorWidth<TVector, T>
        where TVector : struct
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TAcross : struct, IAcross
    {
        left = TWidth.Multiply(alphas, left);
        right = TWidth.Multiply(alphas, right);
        if (beta != T.Zero)
        {
            left = TWidth.MultiplyAdd(betas, TWidth.Load(c), left);
            if (TAcross.Vectors > 1)
                right = TWidth.MultiplyAdd(betas, TWidth.Load(c + TWidth.Count), right);
        }
        TWidth.Store(left, c);
        if (TAcross.Vectors > 1)
            TWidth.Store(right, c + TWidth.Count);
    }
}
