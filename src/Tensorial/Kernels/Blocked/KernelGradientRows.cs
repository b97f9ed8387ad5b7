using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// Kernel gradients where two vectors make a block of outputs and there are sixteen registers: sums of outer products of some input channels
/// by both vectors, or by the one that holds outputs, over the pixels of a strip.
/// </summary>
internal static unsafe class KernelGradientRows
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>Whether two vectors make a block of outputs.</summary>
    public static bool Suit<TWidth, TVector>()
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct => 2 * TWidth.Count == Lanes;

    /// <summary>
    /// sums[input][output] += Σ x[input] dy[output] for some inputs by the outputs of a block, in tiles of nearly equal height.
    /// </summary>
    public static void Add<TWidth, TVector>(Strip strip, float* x, int inputs, float* dy, int outputs, float* sums)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        bool isNarrow = outputs <= TWidth.Count;
        int most = isNarrow ? MostNarrow : MostWide,
            tiles = (inputs + most - 1) / most;
        for (int tile = 0; tile < tiles; tile++)
        {
            int first = inputs * tile / tiles,
                count = inputs * (tile + 1) / tiles - first;
            if (isNarrow)
                Narrow<TWidth, TVector>(strip, x + first, count, dy, sums + first * Lanes);
            else
                Wide<TWidth, TVector>(strip, x + first, count, dy, sums + first * Lanes);
        }
    }

    /// <summary>Inputs by two vectors of outputs: 12 sums, the two vectors and a number spread out are 15 registers.</summary>
    private const int MostWide = 6;

    /// <summary>Inputs by one vector of outputs: as many sums as hide the latency of the multiply-add.</summary>
    private const int MostNarrow = 8;

    private static void Wide<TWidth, TVector>(Strip strip, float* x, int inputs, float* dy, float* sums)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        switch (inputs)
        {
            case 1:
                Tile<TWidth, TVector, Count1, TwoVectors>(strip, x, dy, sums);
                break;
            case 2:
                Tile<TWidth, TVector, Count2, TwoVectors>(strip, x, dy, sums);
                break;
            case 3:
                Tile<TWidth, TVector, Count3, TwoVectors>(strip, x, dy, sums);
                break;
            case 4:
                Tile<TWidth, TVector, Count4, TwoVectors>(strip, x, dy, sums);
                break;
            case 5:
                Tile<TWidth, TVector, Count5, TwoVectors>(strip, x, dy, sums);
                break;
            case 6:
                Tile<TWidth, TVector, Count6, TwoVectors>(strip, x, dy, sums);
                break;
        }
    }

    private static void Narrow<TWidth, TVector>(Strip strip, float* x, int inputs, float* dy, float* sums)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        switch (inputs)
        {
            case 1:
                Tile<TWidth, TVector, Count1, OneVector>(strip, x, dy, sums);
                break;
            case 2:
                Tile<TWidth, TVector, Count2, OneVector>(strip, x, dy, sums);
                break;
            case 3:
                Tile<TWidth, TVector, Count3, OneVector>(strip, x, dy, sums);
                break;
            case 4:
                Tile<TWidth, TVector, Count4, OneVector>(strip, x, dy, sums);
                break;
            case 5:
                Tile<TWidth, TVector, Count5, OneVector>(strip, x, dy, sums);
                break;
            case 6:
                Tile<TWidth, TVector, Count6, OneVector>(strip, x, dy, sums);
                break;
            case 7:
                Tile<TWidth, TVector, Count7, OneVector>(strip, x, dy, sums);
                break;
            case 8:
                Tile<TWidth, TVector, Count8, OneVector>(strip, x, dy, sums);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TWidth, TVector, TCount, TFlavour>(Strip strip, float* x, float* dy, float* sums)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TCount : struct, ICount
        where TFlavour : struct, IFlavour
    {
        float* more = sums + TWidth.Count;
        TVector s,
            v = default;
        TVector a0 = default,
            a1 = default,
            a2 = default,
            a3 = default,
            a4 = default,
            a5 = default,
            a6 = default,
            a7 = default;
        TVector c0 = default,
            c1 = default,
            c2 = default,
            c3 = default,
            c4 = default,
            c5 = default,
            c6 = default,
            c7 = default;
        if (TCount.Count > 0)
        {
            a0 = TWidth.Load(sums + 0 * Lanes);
            if (TFlavour.Vectors > 1)
                c0 = TWidth.Load(more + 0 * Lanes);
        }
        if (TCount.Count > 1)
        {
            a1 = TWidth.Load(sums + 1 * Lanes);
            if (TFlavour.Vectors > 1)
                c1 = TWidth.Load(more + 1 * Lanes);
        }
        if (TCount.Count > 2)
        {
            a2 = TWidth.Load(sums + 2 * Lanes);
            if (TFlavour.Vectors > 1)
                c2 = TWidth.Load(more + 2 * Lanes);
        }
        if (TCount.Count > 3)
        {
            a3 = TWidth.Load(sums + 3 * Lanes);
            if (TFlavour.Vectors > 1)
                c3 = TWidth.Load(more + 3 * Lanes);
        }
        if (TCount.Count > 4)
        {
            a4 = TWidth.Load(sums + 4 * Lanes);
            if (TFlavour.Vectors > 1)
                c4 = TWidth.Load(more + 4 * Lanes);
        }
        if (TCount.Count > 5)
        {
            a5 = TWidth.Load(sums + 5 * Lanes);
            if (TFlavour.Vectors > 1)
                c5 = TWidth.Load(more + 5 * Lanes);
        }
        if (TCount.Count > 6)
        {
            a6 = TWidth.Load(sums + 6 * Lanes);
            if (TFlavour.Vectors > 1)
                c6 = TWidth.Load(more + 6 * Lanes);
        }
        if (TCount.Count > 7)
        {
            a7 = TWidth.Load(sums + 7 * Lanes);
            if (TFlavour.Vectors > 1)
                c7 = TWidth.Load(more + 7 * Lanes);
        }
        for (int row = strip.Rows; row > 0; row--, x += strip.InputPitch, dy += strip.OutputPitch)
        {
            float* from = x,
                upstream = dy;
            for (int pixel = strip.Pixels; pixel > 0; pixel--, from += strip.InputStep, upstream += Lanes)
            {
                TVector u = TWidth.Load(upstream);
                if (TFlavour.Vectors > 1)
                    v = TWidth.Load(upstream + TWidth.Count);
                if (TCount.Count > 0)
                {
                    s = TWidth.Spread(from + 0);
                    a0 = TWidth.MultiplyAdd(s, u, a0);
                    if (TFlavour.Vectors > 1)
                        c0 = TWidth.MultiplyAdd(s, v, c0);
                }
                if (TCount.Count > 1)
                {
                    s = TWidth.Spread(from + 1);
                    a1 = TWidth.MultiplyAdd(s, u, a1);
                    if (TFlavour.Vectors > 1)
                        c1 = TWidth.MultiplyAdd(s, v, c1);
                }
                if (TCount.Count > 2)
                {
                    s = TWidth.Spread(from + 2);
                    a2 = TWidth.MultiplyAdd(s, u, a2);
                    if (TFlavour.Vectors > 1)
                        c2 = TWidth.MultiplyAdd(s, v, c2);
                }
                if (TCount.Count > 3)
                {
                    s = TWidth.Spread(from + 3);
                    a3 = TWidth.MultiplyAdd(s, u, a3);
                    if (TFlavour.Vectors > 1)
                        c3 = TWidth.MultiplyAdd(s, v, c3);
                }
                if (TCount.Count > 4)
                {
                    s = TWidth.Spread(from + 4);
                    a4 = TWidth.MultiplyAdd(s, u, a4);
                    if (TFlavour.Vectors > 1)
                        c4 = TWidth.MultiplyAdd(s, v, c4);
                }
                if (TCount.Count > 5)
                {
                    s = TWidth.Spread(from + 5);
                    a5 = TWidth.MultiplyAdd(s, u, a5);
                    if (TFlavour.Vectors > 1)
                        c5 = TWidth.MultiplyAdd(s, v, c5);
                }
                if (TCount.Count > 6)
                {
                    s = TWidth.Spread(from + 6);
                    a6 = TWidth.MultiplyAdd(s, u, a6);
                    if (TFlavour.Vectors > 1)
                        c6 = TWidth.MultiplyAdd(s, v, c6);
                }
                if (TCount.Count > 7)
                {
                    s = TWidth.Spread(from + 7);
                    a7 = TWidth.MultiplyAdd(s, u, a7);
                    if (TFlavour.Vectors > 1)
                        c7 = TWidth.MultiplyAdd(s, v, c7);
                }
            }
        }
        if (TCount.Count > 0)
        {
            TWidth.Store(a0, sums + 0 * Lanes);
            if (TFlavour.Vectors > 1)
                TWidth.Store(c0, more + 0 * Lanes);
        }
        if (TCount.Count > 1)
        {
            TWidth.Store(a1, sums + 1 * Lanes);
            if (TFlavour.Vectors > 1)
                TWidth.Store(c1, more + 1 * Lanes);
        }
        if (TCount.Count > 2)
        {
            TWidth.Store(a2, sums + 2 * Lanes);
            if (TFlavour.Vectors > 1)
                TWidth.Store(c2, more + 2 * Lanes);
        }
        if (TCount.Count > 3)
        {
            TWidth.Store(a3, sums + 3 * Lanes);
            if (TFlavour.Vectors > 1)
                TWidth.Store(c3, more + 3 * Lanes);
        }
        if (TCount.Count > 4)
        {
            TWidth.Store(a4, sums + 4 * Lanes);
            if (TFlavour.Vectors > 1)
                TWidth.Store(c4, more + 4 * Lanes);
        }
        if (TCount.Count > 5)
        {
            TWidth.Store(a5, sums + 5 * Lanes);
            if (TFlavour.Vectors > 1)
                TWidth.Store(c5, more + 5 * Lanes);
        }
        if (TCount.Count > 6)
        {
            TWidth.Store(a6, sums + 6 * Lanes);
            if (TFlavour.Vectors > 1)
                TWidth.Store(c6, more + 6 * Lanes);
        }
        if (TCount.Count > 7)
        {
            TWidth.Store(a7, sums + 7 * Lanes);
            if (TFlavour.Vectors > 1)
                TWidth.Store(c7, more + 7 * Lanes);
        }
    }
}
