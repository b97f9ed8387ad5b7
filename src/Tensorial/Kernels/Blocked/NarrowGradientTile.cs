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
    public static void Run<TLanes, TVector, TCount>(Strip* strip, float* x, nint* from, float* dy, float* sums, nint* to)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
        where TCount : struct, ICount
    {
        TVector zero = TLanes.Broadcast(0),
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
                end = dy + strip->Pixels * BlockedLayout.Lanes;
            for (; upstream < end; at += strip->InputStep, upstream += BlockedLayout.Lanes)
            {
                TVector u = TLanes.Load(upstream);
                if (TCount.Count > 0)
                    a0 = TLanes.MultiplyAdd(TLanes.Spread(at + from[0]), u, a0);
                if (TCount.Count > 1)
                    a1 = TLanes.MultiplyAdd(TLanes.Spread(at + from[1]), u, a1);
                if (TCount.Count > 2)
                    a2 = TLanes.MultiplyAdd(TLanes.Spread(at + from[2]), u, a2);
                if (TCount.Count > 3)
                    a3 = TLanes.MultiplyAdd(TLanes.Spread(at + from[3]), u, a3);
                if (TCount.Count > 4)
                    a4 = TLanes.MultiplyAdd(TLanes.Spread(at + from[4]), u, a4);
                if (TCount.Count > 5)
                    a5 = TLanes.MultiplyAdd(TLanes.Spread(at + from[5]), u, a5);
                if (TCount.Count > 6)
                    a6 = TLanes.MultiplyAdd(TLanes.Spread(at + from[6]), u, a6);
                if (TCount.Count > 7)
                    a7 = TLanes.MultiplyAdd(TLanes.Spread(at + from[7]), u, a7);
                if (TCount.Count > 8)
                    a8 = TLanes.MultiplyAdd(TLanes.Spread(at + from[8]), u, a8);
                if (TCount.Count > 9)
                    a9 = TLanes.MultiplyAdd(TLanes.Spread(at + from[9]), u, a9);
                if (TCount.Count > 10)
                    a10 = TLanes.MultiplyAdd(TLanes.Spread(at + from[10]), u, a10);
                if (TCount.Count > 11)
                    a11 = TLanes.MultiplyAdd(TLanes.Spread(at + from[11]), u, a11);
                if (TCount.Count > 12)
                    a12 = TLanes.MultiplyAdd(TLanes.Spread(at + from[12]), u, a12);
                if (TCount.Count > 13)
                    a13 = TLanes.MultiplyAdd(TLanes.Spread(at + from[13]), u, a13);
            }
        }
        if (TCount.Count > 0)
            Add<TLanes, TVector>(a0, sums + to[0]);
        if (TCount.Count > 1)
            Add<TLanes, TVector>(a1, sums + to[1]);
        if (TCount.Count > 2)
            Add<TLanes, TVector>(a2, sums + to[2]);
        if (TCount.Count > 3)
            Add<TLanes, TVector>(a3, sums + to[3]);
        if (TCount.Count > 4)
            Add<TLanes, TVector>(a4, sums + to[4]);
        if (TCount.Count > 5)
            Add<TLanes, TVector>(a5, sums + to[5]);
        if (TCount.Count > 6)
            Add<TLanes, TVector>(a6, sums + to[6]);
        if (TCount.Count > 7)
            Add<TLanes, TVector>(a7, sums + to[7]);
        if (TCount.Count > 8)
            Add<TLanes, TVector>(a8, sums + to[8]);
        if (TCount.Count > 9)
            Add<TLanes, TVector>(a9, sums + to[9]);
        if (TCount.Count > 10)
            Add<TLanes, TVector>(a10, sums + to[10]);
        if (TCount.Count > 11)
            Add<TLanes, TVector>(a11, sums + to[11]);
        if (TCount.Count > 12)
            Add<TLanes, TVector>(a12, sums + to[12]);
        if (TCount.Count > 13)
            Add<TLanes, TVector>(a13, sums + to[13]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TLanes, TVector>(TVector value, float* sum)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct => TLanes.Store(TLanes.Add(TLanes.Load(sum), value), sum);

    /// <summary>The code of a tile of so many pairs.</summary>
    public static delegate* <Strip*, float*, nint*, float*, float*, nint*, void> Find<TLanes, TVector>(int pairs)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct =>
        pairs switch
        {
            1 => &Run<TLanes, TVector, Count1>,
            2 => &Run<TLanes, TVector, Count2>,
            3 => &Run<TLanes, TVector, Count3>,
            4 => &Run<TLanes, TVector, Count4>,
            5 => &Run<TLanes, TVector, Count5>,
            6 => &Run<TLanes, TVector, Count6>,
            7 => &Run<TLanes, TVector, Count7>,
            8 => &Run<TLanes, TVector, Count8>,
            9 => &Run<TLanes, TVector, Count9>,
            10 => &Run<TLanes, TVector, Count10>,
            11 => &Run<TLanes, TVector, Count11>,
            12 => &Run<TLanes, TVector, Count12>,
            13 => &Run<TLanes, TVector, Count13>,
            _ => &Run<TLanes, TVector, Count14>,
        };
}
