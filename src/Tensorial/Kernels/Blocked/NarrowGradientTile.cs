using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// Kernel gradients of few input channels: sums of outer products of any (tap, channel) pairs with one vector of outputs, up to 14 of them
/// in registers, so that a block of 16 of which few are channels costs what its channels cost.
/// </summary>
internal static unsafe class NarrowGradientTile
{
    /// <summary>Pairs that a tile sums at most.</summary>
    public const int Most = 14;

    /// <summary>sums[to[k]] += Σ x[from[k]] dy over the pixels of a strip, for every pair k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TWidth, TVector, TCount>(Strip* strip, float* x, nint* from, float* dy, float* sums, nint* to)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TCount : struct, ICount
    {
        TVector zero = TWidth.Broadcast(0),
            a0 = zero,
            a1 = zero,
            a2 = zero,
            a3 = zero,
            a4 = zero,
            a5 = zero,
            a6 = zero;
        TVector a7 = zero,
            a8 = zero,
            a9 = zero,
            a10 = zero,
            a11 = zero,
            a12 = zero,
            a13 = zero;
        for (int row = 0; row < strip->Rows; row++, x += strip->InputPitch, dy += strip->OutputPitch)
        {
            float* at = x,
                upstream = dy,
                end = dy + strip->Pixels * BlockedLayout.ChannelBlock;
            for (; upstream < end; at += strip->InputStep, upstream += BlockedLayout.ChannelBlock)
            {
                TVector u = TWidth.Load(upstream);
                if (TCount.Count > 0)
                    a0 = TWidth.MultiplyAdd(TWidth.Spread(at + from[0]), u, a0);
                if (TCount.Count > 1)
                    a1 = TWidth.MultiplyAdd(TWidth.Spread(at + from[1]), u, a1);
                if (TCount.Count > 2)
                    a2 = TWidth.MultiplyAdd(TWidth.Spread(at + from[2]), u, a2);
                if (TCount.Count > 3)
                    a3 = TWidth.MultiplyAdd(TWidth.Spread(at + from[3]), u, a3);
                if (TCount.Count > 4)
                    a4 = TWidth.MultiplyAdd(TWidth.Spread(at + from[4]), u, a4);
                if (TCount.Count > 5)
                    a5 = TWidth.MultiplyAdd(TWidth.Spread(at + from[5]), u, a5);
                if (TCount.Count > 6)
                    a6 = TWidth.MultiplyAdd(TWidth.Spread(at + from[6]), u, a6);
                if (TCount.Count > 7)
                    a7 = TWidth.MultiplyAdd(TWidth.Spread(at + from[7]), u, a7);
                if (TCount.Count > 8)
                    a8 = TWidth.MultiplyAdd(TWidth.Spread(at + from[8]), u, a8);
                if (TCount.Count > 9)
                    a9 = TWidth.MultiplyAdd(TWidth.Spread(at + from[9]), u, a9);
                if (TCount.Count > 10)
                    a10 = TWidth.MultiplyAdd(TWidth.Spread(at + from[10]), u, a10);
                if (TCount.Count > 11)
                    a11 = TWidth.MultiplyAdd(TWidth.Spread(at + from[11]), u, a11);
                if (TCount.Count > 12)
                    a12 = TWidth.MultiplyAdd(TWidth.Spread(at + from[12]), u, a12);
                if (TCount.Count > 13)
                    a13 = TWidth.MultiplyAdd(TWidth.Spread(at + from[13]), u, a13);
            }
        }
        if (TCount.Count > 0)
            Add<TWidth, TVector>(a0, sums + to[0]);
        if (TCount.Count > 1)
            Add<TWidth, TVector>(a1, sums + to[1]);
        if (TCount.Count > 2)
            Add<TWidth, TVector>(a2, sums + to[2]);
        if (TCount.Count > 3)
            Add<TWidth, TVector>(a3, sums + to[3]);
        if (TCount.Count > 4)
            Add<TWidth, TVector>(a4, sums + to[4]);
        if (TCount.Count > 5)
            Add<TWidth, TVector>(a5, sums + to[5]);
        if (TCount.Count > 6)
            Add<TWidth, TVector>(a6, sums + to[6]);
        if (TCount.Count > 7)
            Add<TWidth, TVector>(a7, sums + to[7]);
        if (TCount.Count > 8)
            Add<TWidth, TVector>(a8, sums + to[8]);
        if (TCount.Count > 9)
            Add<TWidth, TVector>(a9, sums + to[9]);
        if (TCount.Count > 10)
            Add<TWidth, TVector>(a10, sums + to[10]);
        if (TCount.Count > 11)
            Add<TWidth, TVector>(a11, sums + to[11]);
        if (TCount.Count > 12)
            Add<TWidth, TVector>(a12, sums + to[12]);
        if (TCount.Count > 13)
            Add<TWidth, TVector>(a13, sums + to[13]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TWidth, TVector>(TVector value, float* sum)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct => TWidth.Store(TWidth.Add(TWidth.Load(sum), value), sum);

    /// <summary>The code of a tile of so many pairs.</summary>
    public static delegate* <Strip*, float*, nint*, float*, float*, nint*, void> Find<TWidth, TVector>(int pairs)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct =>
        pairs switch
        {
            1 => &Run<TWidth, TVector, Count1>,
            2 => &Run<TWidth, TVector, Count2>,
            3 => &Run<TWidth, TVector, Count3>,
            4 => &Run<TWidth, TVector, Count4>,
            5 => &Run<TWidth, TVector, Count5>,
            6 => &Run<TWidth, TVector, Count6>,
            7 => &Run<TWidth, TVector, Count7>,
            8 => &Run<TWidth, TVector, Count8>,
            9 => &Run<TWidth, TVector, Count9>,
            10 => &Run<TWidth, TVector, Count10>,
            11 => &Run<TWidth, TVector, Count11>,
            12 => &Run<TWidth, TVector, Count12>,
            13 => &Run<TWidth, TVector, Count13>,
            _ => &Run<TWidth, TVector, Count14>,
        };
}
