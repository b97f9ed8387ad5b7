using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The innermost part of a kernel gradient: sums of outer products over the pixels of a strip, 16 vectors of them in registers. Either 8
/// input channels by two vectors of outputs, where a number that is spread out serves two multiplications, or 16 by one; depthwise, one
/// vector of channels.
/// </summary>
internal static unsafe class KernelGradientTile
{
    private const int Lanes = BlockedLayout.Lanes;

    /// <summary>sums[input][output] += Σ x[input] dy[output] for a block of inputs by one or two blocks of outputs.</summary>
    public static void Block<TLanes, TVector>(Strip strip, float* x, float* dy, int nextUpstream, int outputs, float* sums, int nextSums)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
    {
        if (outputs == 2 && TLanes.Count == Lanes)
        {
            Wide<TLanes, TVector>(strip, x, dy, nextUpstream, sums, nextSums);
            Wide<TLanes, TVector>(strip, x + Lanes / 2, dy, nextUpstream, sums + Lanes / 2 * Lanes, nextSums);
            return;
        }
        for (int block = 0; block < outputs; block++)
        for (int lane = 0; lane < Lanes; lane += TLanes.Count)
            Tall<TLanes, TVector>(strip, x, dy + block * nextUpstream + lane, sums + block * nextSums + lane);
    }

    /// <summary>sums[input][output] += Σ x[input] dy[output] for 8 inputs by two vectors of outputs that lie apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Wide<TLanes, TVector>(Strip strip, float* x, float* dy, int nextUpstream, float* sums, int nextSums)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
    {
        float* more = sums + nextSums;
        TVector a0 = TLanes.Load(sums + 0 * Lanes),
            c0 = TLanes.Load(more + 0 * Lanes);
        TVector a1 = TLanes.Load(sums + 1 * Lanes),
            c1 = TLanes.Load(more + 1 * Lanes);
        TVector a2 = TLanes.Load(sums + 2 * Lanes),
            c2 = TLanes.Load(more + 2 * Lanes);
        TVector a3 = TLanes.Load(sums + 3 * Lanes),
            c3 = TLanes.Load(more + 3 * Lanes);
        TVector a4 = TLanes.Load(sums + 4 * Lanes),
            c4 = TLanes.Load(more + 4 * Lanes);
        TVector a5 = TLanes.Load(sums + 5 * Lanes),
            c5 = TLanes.Load(more + 5 * Lanes);
        TVector a6 = TLanes.Load(sums + 6 * Lanes),
            c6 = TLanes.Load(more + 6 * Lanes);
        TVector a7 = TLanes.Load(sums + 7 * Lanes),
            c7 = TLanes.Load(more + 7 * Lanes);
        for (int row = 0; row < strip.Rows; row++, x += strip.InputPitch, dy += strip.OutputPitch)
        {
            float* from = x,
                upstream = dy,
                other = dy + nextUpstream;
            for (int pixel = strip.Pixels; pixel > 0; pixel--, from += strip.InputStep, upstream += Lanes, other += Lanes)
            {
                TVector u = TLanes.Load(upstream),
                    v = TLanes.Load(other),
                    s;
                s = TLanes.Spread(from + 0);
                a0 = TLanes.MultiplyAdd(s, u, a0);
                c0 = TLanes.MultiplyAdd(s, v, c0);
                s = TLanes.Spread(from + 1);
                a1 = TLanes.MultiplyAdd(s, u, a1);
                c1 = TLanes.MultiplyAdd(s, v, c1);
                s = TLanes.Spread(from + 2);
                a2 = TLanes.MultiplyAdd(s, u, a2);
                c2 = TLanes.MultiplyAdd(s, v, c2);
                s = TLanes.Spread(from + 3);
                a3 = TLanes.MultiplyAdd(s, u, a3);
                c3 = TLanes.MultiplyAdd(s, v, c3);
                s = TLanes.Spread(from + 4);
                a4 = TLanes.MultiplyAdd(s, u, a4);
                c4 = TLanes.MultiplyAdd(s, v, c4);
                s = TLanes.Spread(from + 5);
                a5 = TLanes.MultiplyAdd(s, u, a5);
                c5 = TLanes.MultiplyAdd(s, v, c5);
                s = TLanes.Spread(from + 6);
                a6 = TLanes.MultiplyAdd(s, u, a6);
                c6 = TLanes.MultiplyAdd(s, v, c6);
                s = TLanes.Spread(from + 7);
                a7 = TLanes.MultiplyAdd(s, u, a7);
                c7 = TLanes.MultiplyAdd(s, v, c7);
            }
        }
        TLanes.Store(a0, sums + 0 * Lanes);
        TLanes.Store(c0, more + 0 * Lanes);
        TLanes.Store(a1, sums + 1 * Lanes);
        TLanes.Store(c1, more + 1 * Lanes);
        TLanes.Store(a2, sums + 2 * Lanes);
        TLanes.Store(c2, more + 2 * Lanes);
        TLanes.Store(a3, sums + 3 * Lanes);
        TLanes.Store(c3, more + 3 * Lanes);
        TLanes.Store(a4, sums + 4 * Lanes);
        TLanes.Store(c4, more + 4 * Lanes);
        TLanes.Store(a5, sums + 5 * Lanes);
        TLanes.Store(c5, more + 5 * Lanes);
        TLanes.Store(a6, sums + 6 * Lanes);
        TLanes.Store(c6, more + 6 * Lanes);
        TLanes.Store(a7, sums + 7 * Lanes);
        TLanes.Store(c7, more + 7 * Lanes);
    }

    /// <summary>sums[input][output] += Σ x[input] dy[output] for 16 inputs by one vector of outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tall<TLanes, TVector>(Strip strip, float* x, float* dy, float* sums)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
    {
        TVector a0 = TLanes.Load(sums + 0 * Lanes);
        TVector a1 = TLanes.Load(sums + 1 * Lanes);
        TVector a2 = TLanes.Load(sums + 2 * Lanes);
        TVector a3 = TLanes.Load(sums + 3 * Lanes);
        TVector a4 = TLanes.Load(sums + 4 * Lanes);
        TVector a5 = TLanes.Load(sums + 5 * Lanes);
        TVector a6 = TLanes.Load(sums + 6 * Lanes);
        TVector a7 = TLanes.Load(sums + 7 * Lanes);
        TVector a8 = TLanes.Load(sums + 8 * Lanes);
        TVector a9 = TLanes.Load(sums + 9 * Lanes);
        TVector a10 = TLanes.Load(sums + 10 * Lanes);
        TVector a11 = TLanes.Load(sums + 11 * Lanes);
        TVector a12 = TLanes.Load(sums + 12 * Lanes);
        TVector a13 = TLanes.Load(sums + 13 * Lanes);
        TVector a14 = TLanes.Load(sums + 14 * Lanes);
        TVector a15 = TLanes.Load(sums + 15 * Lanes);
        for (int row = 0; row < strip.Rows; row++, x += strip.InputPitch, dy += strip.OutputPitch)
        {
            float* from = x,
                upstream = dy;
            for (int pixel = strip.Pixels; pixel > 0; pixel--, from += strip.InputStep, upstream += Lanes)
            {
                TVector u = TLanes.Load(upstream);
                a0 = TLanes.MultiplyAdd(TLanes.Spread(from + 0), u, a0);
                a1 = TLanes.MultiplyAdd(TLanes.Spread(from + 1), u, a1);
                a2 = TLanes.MultiplyAdd(TLanes.Spread(from + 2), u, a2);
                a3 = TLanes.MultiplyAdd(TLanes.Spread(from + 3), u, a3);
                a4 = TLanes.MultiplyAdd(TLanes.Spread(from + 4), u, a4);
                a5 = TLanes.MultiplyAdd(TLanes.Spread(from + 5), u, a5);
                a6 = TLanes.MultiplyAdd(TLanes.Spread(from + 6), u, a6);
                a7 = TLanes.MultiplyAdd(TLanes.Spread(from + 7), u, a7);
                a8 = TLanes.MultiplyAdd(TLanes.Spread(from + 8), u, a8);
                a9 = TLanes.MultiplyAdd(TLanes.Spread(from + 9), u, a9);
                a10 = TLanes.MultiplyAdd(TLanes.Spread(from + 10), u, a10);
                a11 = TLanes.MultiplyAdd(TLanes.Spread(from + 11), u, a11);
                a12 = TLanes.MultiplyAdd(TLanes.Spread(from + 12), u, a12);
                a13 = TLanes.MultiplyAdd(TLanes.Spread(from + 13), u, a13);
                a14 = TLanes.MultiplyAdd(TLanes.Spread(from + 14), u, a14);
                a15 = TLanes.MultiplyAdd(TLanes.Spread(from + 15), u, a15);
            }
        }
        TLanes.Store(a0, sums + 0 * Lanes);
        TLanes.Store(a1, sums + 1 * Lanes);
        TLanes.Store(a2, sums + 2 * Lanes);
        TLanes.Store(a3, sums + 3 * Lanes);
        TLanes.Store(a4, sums + 4 * Lanes);
        TLanes.Store(a5, sums + 5 * Lanes);
        TLanes.Store(a6, sums + 6 * Lanes);
        TLanes.Store(a7, sums + 7 * Lanes);
        TLanes.Store(a8, sums + 8 * Lanes);
        TLanes.Store(a9, sums + 9 * Lanes);
        TLanes.Store(a10, sums + 10 * Lanes);
        TLanes.Store(a11, sums + 11 * Lanes);
        TLanes.Store(a12, sums + 12 * Lanes);
        TLanes.Store(a13, sums + 13 * Lanes);
        TLanes.Store(a14, sums + 14 * Lanes);
        TLanes.Store(a15, sums + 15 * Lanes);
    }

    /// <summary>sums[channel] += Σ x[channel] dy[channel] for one vector of channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Depthwise<TLanes, TVector>(Strip strip, float* x, float* dy, float* sums)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
    {
        TVector even = TLanes.Load(sums),
            odd = TLanes.Broadcast(0);
        for (int row = 0; row < strip.Rows; row++, x += strip.InputPitch, dy += strip.OutputPitch)
        {
            float* from = x,
                upstream = dy;
            int pixel = strip.Pixels;
            for (; pixel > 1; pixel -= 2, from += 2 * strip.InputStep, upstream += 2 * Lanes)
            {
                even = TLanes.MultiplyAdd(TLanes.Load(from), TLanes.Load(upstream), even);
                odd = TLanes.MultiplyAdd(TLanes.Load(from + strip.InputStep), TLanes.Load(upstream + Lanes), odd);
            }
            if (pixel > 0)
                even = TLanes.MultiplyAdd(TLanes.Load(from), TLanes.Load(upstream), even);
        }
        TLanes.Store(TLanes.Add(even, odd), sums);
    }
}
