using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The innermost part of a kernel gradient: sums of outer products over the pixels of a strip, as many of them in registers as there are.
/// Where 16 channels are one vector, 8 input channels by two vectors of outputs, where a number that is spread out serves two
/// multiplications, or 16 by one; where they are two vectors of 256 bits, of which there are 16, up to 6 input channels by both
/// (<see cref="KernelGradientRows"/>); else 16 by one. Depthwise, one vector of channels.
/// </summary>
internal static unsafe class KernelGradientTile
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>sums[input][output] += Σ x[input] dy[output] for a block of inputs by one or two blocks of outputs.</summary>
    public static void Block<TWidth, TVector>(Strip strip, float* x, float* dy, int nextUpstream, int outputs, float* sums, int nextSums)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        if (outputs == 2 && TWidth.Count == Lanes)
        {
            Wide<TWidth, TVector>(strip, x, dy, nextUpstream, sums, nextSums);
            Wide<TWidth, TVector>(strip, x + Lanes / 2, dy, nextUpstream, sums + Lanes / 2 * Lanes, nextSums);
            return;
        }
        if (KernelGradientRows.Suit<TWidth, TVector>())
        {
            for (int block = 0; block < outputs; block++)
                KernelGradientRows.Add<TWidth, TVector>(strip, x, Lanes, dy + block * nextUpstream, Lanes, sums + block * nextSums);
            return;
        }
        for (int block = 0; block < outputs; block++)
        for (int lane = 0; lane < Lanes; lane += TWidth.Count)
            Tall<TWidth, TVector>(strip, x, dy + block * nextUpstream + lane, sums + block * nextSums + lane);
    }

    /// <summary>sums[input][output] += Σ x[input] dy[output] for 8 inputs by two vectors of outputs that lie apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Wide<TWidth, TVector>(Strip strip, float* x, float* dy, int nextUpstream, float* sums, int nextSums)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        float* more = sums + nextSums;
        TVector a0 = TWidth.Load(sums + 0 * Lanes),
            c0 = TWidth.Load(more + 0 * Lanes);
        TVector a1 = TWidth.Load(sums + 1 * Lanes),
            c1 = TWidth.Load(more + 1 * Lanes);
        TVector a2 = TWidth.Load(sums + 2 * Lanes),
            c2 = TWidth.Load(more + 2 * Lanes);
        TVector a3 = TWidth.Load(sums + 3 * Lanes),
            c3 = TWidth.Load(more + 3 * Lanes);
        TVector a4 = TWidth.Load(sums + 4 * Lanes),
            c4 = TWidth.Load(more + 4 * Lanes);
        TVector a5 = TWidth.Load(sums + 5 * Lanes),
            c5 = TWidth.Load(more + 5 * Lanes);
        TVector a6 = TWidth.Load(sums + 6 * Lanes),
            c6 = TWidth.Load(more + 6 * Lanes);
        TVector a7 = TWidth.Load(sums + 7 * Lanes),
            c7 = TWidth.Load(more + 7 * Lanes);
        for (int row = 0; row < strip.Rows; row++, x += strip.InputPitch, dy += strip.OutputPitch)
        {
            float* from = x,
                upstream = dy,
                other = dy + nextUpstream;
            for (int pixel = strip.Pixels; pixel > 0; pixel--, from += strip.InputStep, upstream += Lanes, other += Lanes)
            {
                TVector u = TWidth.Load(upstream),
                    v = TWidth.Load(other),
                    s;
                s = TWidth.Spread(from + 0);
                a0 = TWidth.MultiplyAdd(s, u, a0);
                c0 = TWidth.MultiplyAdd(s, v, c0);
                s = TWidth.Spread(from + 1);
                a1 = TWidth.MultiplyAdd(s, u, a1);
                c1 = TWidth.MultiplyAdd(s, v, c1);
                s = TWidth.Spread(from + 2);
                a2 = TWidth.MultiplyAdd(s, u, a2);
                c2 = TWidth.MultiplyAdd(s, v, c2);
                s = TWidth.Spread(from + 3);
                a3 = TWidth.MultiplyAdd(s, u, a3);
                c3 = TWidth.MultiplyAdd(s, v, c3);
                s = TWidth.Spread(from + 4);
                a4 = TWidth.MultiplyAdd(s, u, a4);
                c4 = TWidth.MultiplyAdd(s, v, c4);
                s = TWidth.Spread(from + 5);
                a5 = TWidth.MultiplyAdd(s, u, a5);
                c5 = TWidth.MultiplyAdd(s, v, c5);
                s = TWidth.Spread(from + 6);
                a6 = TWidth.MultiplyAdd(s, u, a6);
                c6 = TWidth.MultiplyAdd(s, v, c6);
                s = TWidth.Spread(from + 7);
                a7 = TWidth.MultiplyAdd(s, u, a7);
                c7 = TWidth.MultiplyAdd(s, v, c7);
            }
        }
        TWidth.Store(a0, sums + 0 * Lanes);
        TWidth.Store(c0, more + 0 * Lanes);
        TWidth.Store(a1, sums + 1 * Lanes);
        TWidth.Store(c1, more + 1 * Lanes);
        TWidth.Store(a2, sums + 2 * Lanes);
        TWidth.Store(c2, more + 2 * Lanes);
        TWidth.Store(a3, sums + 3 * Lanes);
        TWidth.Store(c3, more + 3 * Lanes);
        TWidth.Store(a4, sums + 4 * Lanes);
        TWidth.Store(c4, more + 4 * Lanes);
        TWidth.Store(a5, sums + 5 * Lanes);
        TWidth.Store(c5, more + 5 * Lanes);
        TWidth.Store(a6, sums + 6 * Lanes);
        TWidth.Store(c6, more + 6 * Lanes);
        TWidth.Store(a7, sums + 7 * Lanes);
        TWidth.Store(c7, more + 7 * Lanes);
    }

    /// <summary>sums[input][output] += Σ x[input] dy[output] for 16 inputs by one vector of outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tall<TWidth, TVector>(Strip strip, float* x, float* dy, float* sums)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        TVector a0 = TWidth.Load(sums + 0 * Lanes);
        TVector a1 = TWidth.Load(sums + 1 * Lanes);
        TVector a2 = TWidth.Load(sums + 2 * Lanes);
        TVector a3 = TWidth.Load(sums + 3 * Lanes);
        TVector a4 = TWidth.Load(sums + 4 * Lanes);
        TVector a5 = TWidth.Load(sums + 5 * Lanes);
        TVector a6 = TWidth.Load(sums + 6 * Lanes);
        TVector a7 = TWidth.Load(sums + 7 * Lanes);
        TVector a8 = TWidth.Load(sums + 8 * Lanes);
        TVector a9 = TWidth.Load(sums + 9 * Lanes);
        TVector a10 = TWidth.Load(sums + 10 * Lanes);
        TVector a11 = TWidth.Load(sums + 11 * Lanes);
        TVector a12 = TWidth.Load(sums + 12 * Lanes);
        TVector a13 = TWidth.Load(sums + 13 * Lanes);
        TVector a14 = TWidth.Load(sums + 14 * Lanes);
        TVector a15 = TWidth.Load(sums + 15 * Lanes);
        for (int row = 0; row < strip.Rows; row++, x += strip.InputPitch, dy += strip.OutputPitch)
        {
            float* from = x,
                upstream = dy;
            for (int pixel = strip.Pixels; pixel > 0; pixel--, from += strip.InputStep, upstream += Lanes)
            {
                TVector u = TWidth.Load(upstream);
                a0 = TWidth.MultiplyAdd(TWidth.Spread(from + 0), u, a0);
                a1 = TWidth.MultiplyAdd(TWidth.Spread(from + 1), u, a1);
                a2 = TWidth.MultiplyAdd(TWidth.Spread(from + 2), u, a2);
                a3 = TWidth.MultiplyAdd(TWidth.Spread(from + 3), u, a3);
                a4 = TWidth.MultiplyAdd(TWidth.Spread(from + 4), u, a4);
                a5 = TWidth.MultiplyAdd(TWidth.Spread(from + 5), u, a5);
                a6 = TWidth.MultiplyAdd(TWidth.Spread(from + 6), u, a6);
                a7 = TWidth.MultiplyAdd(TWidth.Spread(from + 7), u, a7);
                a8 = TWidth.MultiplyAdd(TWidth.Spread(from + 8), u, a8);
                a9 = TWidth.MultiplyAdd(TWidth.Spread(from + 9), u, a9);
                a10 = TWidth.MultiplyAdd(TWidth.Spread(from + 10), u, a10);
                a11 = TWidth.MultiplyAdd(TWidth.Spread(from + 11), u, a11);
                a12 = TWidth.MultiplyAdd(TWidth.Spread(from + 12), u, a12);
                a13 = TWidth.MultiplyAdd(TWidth.Spread(from + 13), u, a13);
                a14 = TWidth.MultiplyAdd(TWidth.Spread(from + 14), u, a14);
                a15 = TWidth.MultiplyAdd(TWidth.Spread(from + 15), u, a15);
            }
        }
        TWidth.Store(a0, sums + 0 * Lanes);
        TWidth.Store(a1, sums + 1 * Lanes);
        TWidth.Store(a2, sums + 2 * Lanes);
        TWidth.Store(a3, sums + 3 * Lanes);
        TWidth.Store(a4, sums + 4 * Lanes);
        TWidth.Store(a5, sums + 5 * Lanes);
        TWidth.Store(a6, sums + 6 * Lanes);
        TWidth.Store(a7, sums + 7 * Lanes);
        TWidth.Store(a8, sums + 8 * Lanes);
        TWidth.Store(a9, sums + 9 * Lanes);
        TWidth.Store(a10, sums + 10 * Lanes);
        TWidth.Store(a11, sums + 11 * Lanes);
        TWidth.Store(a12, sums + 12 * Lanes);
        TWidth.Store(a13, sums + 13 * Lanes);
        TWidth.Store(a14, sums + 14 * Lanes);
        TWidth.Store(a15, sums + 15 * Lanes);
    }

    /// <summary>sums[channel] += Σ x[channel] dy[channel] for one vector of channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Depthwise<TWidth, TVector>(Strip strip, float* x, float* dy, float* sums)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        TVector even = TWidth.Load(sums),
            odd = TWidth.Broadcast(0);
        for (int row = 0; row < strip.Rows; row++, x += strip.InputPitch, dy += strip.OutputPitch)
        {
            float* from = x,
                upstream = dy;
            int pixel = strip.Pixels;
            for (; pixel > 1; pixel -= 2, from += 2 * strip.InputStep, upstream += 2 * Lanes)
            {
                even = TWidth.MultiplyAdd(TWidth.Load(from), TWidth.Load(upstream), even);
                odd = TWidth.MultiplyAdd(TWidth.Load(from + strip.InputStep), TWidth.Load(upstream + Lanes), odd);
            }
            if (pixel > 0)
                even = TWidth.MultiplyAdd(TWidth.Load(from), TWidth.Load(upstream), even);
        }
        TWidth.Store(TWidth.Add(even, odd), sums);
    }

    /// <summary>The same for three taps: sums, sums + 16 and sums + 32. Six sums hide the latency of the multiply-add.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DepthwiseTriple<TWidth, TVector>(Strip strip, float* x0, float* x1, float* x2, float* dy, float* sums)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        TVector zero = TWidth.Broadcast(0),
            even0 = TWidth.Load(sums),
            even1 = TWidth.Load(sums + Lanes),
            even2 = TWidth.Load(sums + 2 * Lanes),
            odd0 = zero,
            odd1 = zero,
            odd2 = zero;
        int step = strip.InputStep;
        for (int row = 0; row < strip.Rows; row++, dy += strip.OutputPitch)
        {
            float* upstream = dy;
            nint at = (nint)row * strip.InputPitch;
            int pixel = strip.Pixels;
            for (; pixel > 1; pixel -= 2, at += 2 * step, upstream += 2 * Lanes)
            {
                TVector u = TWidth.Load(upstream),
                    v = TWidth.Load(upstream + Lanes);
                even0 = TWidth.MultiplyAdd(TWidth.Load(x0 + at), u, even0);
                even1 = TWidth.MultiplyAdd(TWidth.Load(x1 + at), u, even1);
                even2 = TWidth.MultiplyAdd(TWidth.Load(x2 + at), u, even2);
                odd0 = TWidth.MultiplyAdd(TWidth.Load(x0 + at + step), v, odd0);
                odd1 = TWidth.MultiplyAdd(TWidth.Load(x1 + at + step), v, odd1);
                odd2 = TWidth.MultiplyAdd(TWidth.Load(x2 + at + step), v, odd2);
            }
            if (pixel > 0)
            {
                TVector u = TWidth.Load(upstream);
                even0 = TWidth.MultiplyAdd(TWidth.Load(x0 + at), u, even0);
                even1 = TWidth.MultiplyAdd(TWidth.Load(x1 + at), u, even1);
                even2 = TWidth.MultiplyAdd(TWidth.Load(x2 + at), u, even2);
            }
        }
        TWidth.Store(TWidth.Add(even0, odd0), sums);
        TWidth.Store(TWidth.Add(even1, odd1), sums + Lanes);
        TWidth.Store(TWidth.Add(even2, odd2), sums + 2 * Lanes);
    }
}
