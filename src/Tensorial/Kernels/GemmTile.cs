using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tensorial.Kernels;

/// <summary>The register tile of the matrix product: rows of A against columns of B, all of its sums in registers.</summary>
/// <remarks>
/// Written over vectors of 64 bytes. A machine without them runs each as two or four narrower ones, and takes a smaller tile so
/// that the sums still fit its registers.
/// </remarks>
internal interface IGemmTile
{
    /// <summary>Rows of A.</summary>
    static abstract int Rows { get; }

    /// <summary>Columns of B, in vectors.</summary>
    static abstract int Vectors { get; }

    /// <summary>sums[Rows, Vectors] = Σ over depth of a[p, Rows] b[p, Vectors], both packed in this order.</summary>
    static abstract unsafe void Multiply<T>(int depth, T* a, T* b, T* sums) where T : unmanaged;
}

/// <summary>
/// 8 × 2 vectors of 512 bits: 16 sums, 2 of B and a broadcast of the 32 registers. Two fused units with four cycles of latency need 8
/// independent sums; ten loads a step for sixteen products stay under two loads a cycle.
/// </summary>
internal readonly struct WideTile : IGemmTile
{
    public static int Rows => 8;

    public static int Vectors => 2;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Multiply<T>(int depth, T* a, T* b, T* sums) where T : unmanaged
    {
        int width = Vector512<T>.Count;
        Vector512<T> s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
        Vector512<T> s40 = default, s41 = default, s50 = default, s51 = default, s60 = default, s61 = default, s70 = default, s71 = default;
        for (int p = 0; p < depth; p++, a += 8, b += 2 * width)
        {
            Vector512<T> b0 = Vector512.Load(b), b1 = Vector512.Load(b + width);
            Vector512<T> x = Vector512.Create(a[0]);
            s00 = Fused.MultiplyAdd(x, b0, s00); s01 = Fused.MultiplyAdd(x, b1, s01);
            x = Vector512.Create(a[1]);
            s10 = Fused.MultiplyAdd(x, b0, s10); s11 = Fused.MultiplyAdd(x, b1, s11);
            x = Vector512.Create(a[2]);
            s20 = Fused.MultiplyAdd(x, b0, s20); s21 = Fused.MultiplyAdd(x, b1, s21);
            x = Vector512.Create(a[3]);
            s30 = Fused.MultiplyAdd(x, b0, s30); s31 = Fused.MultiplyAdd(x, b1, s31);
            x = Vector512.Create(a[4]);
            s40 = Fused.MultiplyAdd(x, b0, s40); s41 = Fused.MultiplyAdd(x, b1, s41);
            x = Vector512.Create(a[5]);
            s50 = Fused.MultiplyAdd(x, b0, s50); s51 = Fused.MultiplyAdd(x, b1, s51);
            x = Vector512.Create(a[6]);
            s60 = Fused.MultiplyAdd(x, b0, s60); s61 = Fused.MultiplyAdd(x, b1, s61);
            x = Vector512.Create(a[7]);
            s70 = Fused.MultiplyAdd(x, b0, s70); s71 = Fused.MultiplyAdd(x, b1, s71);
        }
        s00.Store(sums); s01.Store(sums + width);
        s10.Store(sums + 2 * width); s11.Store(sums + 3 * width);
        s20.Store(sums + 4 * width); s21.Store(sums + 5 * width);
        s30.Store(sums + 6 * width); s31.Store(sums + 7 * width);
        s40.Store(sums + 8 * width); s41.Store(sums + 9 * width);
        s50.Store(sums + 10 * width); s51.Store(sums + 11 * width);
        s60.Store(sums + 12 * width); s61.Store(sums + 13 * width);
        s70.Store(sums + 14 * width); s71.Store(sums + 15 * width);
    }
}

/// <summary>6 × 1 vectors: twelve sums of 256 bits in sixteen registers (AVX2), twenty-four of 128 bits in thirty-two (Arm).</summary>
internal readonly struct NarrowTile : IGemmTile
{
    public static int Rows => 6;

    public static int Vectors => 1;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Multiply<T>(int depth, T* a, T* b, T* sums) where T : unmanaged
    {
        int width = Vector512<T>.Count;
        Vector512<T> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
        for (int p = 0; p < depth; p++, a += 6, b += width)
        {
            Vector512<T> y = Vector512.Load(b);
            s0 = Fused.MultiplyAdd(Vector512.Create(a[0]), y, s0);
            s1 = Fused.MultiplyAdd(Vector512.Create(a[1]), y, s1);
            s2 = Fused.MultiplyAdd(Vector512.Create(a[2]), y, s2);
            s3 = Fused.MultiplyAdd(Vector512.Create(a[3]), y, s3);
            s4 = Fused.MultiplyAdd(Vector512.Create(a[4]), y, s4);
            s5 = Fused.MultiplyAdd(Vector512.Create(a[5]), y, s5);
        }
        s0.Store(sums); s1.Store(sums + width); s2.Store(sums + 2 * width);
        s3.Store(sums + 3 * width); s4.Store(sums + 4 * width); s5.Store(sums + 5 * width);
    }
}

/// <summary>The fused product for float and double under one name.</summary>
internal static class Fused
{
    /// <summary>x y + addend, rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MultiplyAdd<T>(Vector512<T> x, Vector512<T> y, Vector512<T> addend) where T : unmanaged => typeof(T) == typeof(double)
        ? Vector512.FusedMultiplyAdd(x.AsDouble(), y.AsDouble(), addend.AsDouble()).As<double, T>()
        : Vector512.FusedMultiplyAdd(x.AsSingle(), y.AsSingle(), addend.AsSingle()).As<float, T>();
}
