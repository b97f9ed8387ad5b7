using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>What all tiles of one convolution have in common. Distances count floats.</summary>
internal struct TileShape
{
    /// <summary>Input channels summed, in blocks of 16 that lie <see cref="BlockPitch"/> apart.</summary>
    public int Channels;
    public int BlockPitch;

    public int KernelHeight;
    public int KernelWidth;

    /// <summary>From a tap to the one below it, and to the one right of it.</summary>
    public int TapDown;
    public int TapRight;

    /// <summary>From an output pixel's input to its right neighbour's, where no <see cref="IStep"/> knows it.</summary>
    public int Step;

    /// <summary>From the weights of one input channel to those of the next.</summary>
    public int WeightPitch;

    /// <summary>From a tile's first vector to its second, in the output and in the residual.</summary>
    public int OutputNext;
    public int ResidualNext;

    /// <summary>Bounds of the results; infinite where there are none.</summary>
    public bool Clips;
    public float Low;
    public float High;
}

/// <summary>
/// The innermost part of a convolution: some neighbouring pixels of an output row by one or two vectors of channels, summed over all taps
/// and input channels in registers. Pixels, step and flavour are types, so that each combination becomes straight-line code.
/// </summary>
internal static unsafe class ConvolutionTile
{
    /// <summary>y = clip(bias + residual + Σ x w), for the pixels at x (its top left tap, first channel) and beyond.</summary>
    /// <param name="residual">Null where there is none.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TLanes, TVector, TPixels, TStep, TFlavour>(
        TileShape* shape,
        float* x,
        float* w,
        float* bias,
        float* residual,
        float* y
    )
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
        where TPixels : struct, ICount
        where TStep : struct, IStep
        where TFlavour : struct, IFlavour
    {
        int step = TStep.Pixels > 0 ? TStep.Pixels * BlockedLayout.Lanes : shape->Step;
        int weightPitch = shape->WeightPitch;
        TVector s,
            w0,
            w1 = default,
            b0 = TLanes.Load(bias),
            b1 = TFlavour.Vectors > 1 ? TLanes.Load(bias + TLanes.Count) : default;
        TVector a0 = b0,
            a1 = b0,
            a2 = b0,
            a3 = b0,
            a4 = b0,
            a5 = b0,
            a6 = b0,
            a7 = b0,
            a8 = b0,
            a9 = b0,
            a10 = b0,
            a11 = b0,
            a12 = b0,
            a13 = b0;
        TVector c0 = b1,
            c1 = b1,
            c2 = b1,
            c3 = b1,
            c4 = b1,
            c5 = b1,
            c6 = b1,
            c7 = b1,
            c8 = b1,
            c9 = b1,
            c10 = b1,
            c11 = b1,
            c12 = b1,
            c13 = b1;

        if (residual != null)
        {
            if (TPixels.Count > 0)
                a0 = TLanes.Add(a0, TLanes.Load(residual + 0 * BlockedLayout.Lanes));
            if (TPixels.Count > 1)
                a1 = TLanes.Add(a1, TLanes.Load(residual + 1 * BlockedLayout.Lanes));
            if (TPixels.Count > 2)
                a2 = TLanes.Add(a2, TLanes.Load(residual + 2 * BlockedLayout.Lanes));
            if (TPixels.Count > 3)
                a3 = TLanes.Add(a3, TLanes.Load(residual + 3 * BlockedLayout.Lanes));
            if (TPixels.Count > 4)
                a4 = TLanes.Add(a4, TLanes.Load(residual + 4 * BlockedLayout.Lanes));
            if (TPixels.Count > 5)
                a5 = TLanes.Add(a5, TLanes.Load(residual + 5 * BlockedLayout.Lanes));
            if (TPixels.Count > 6)
                a6 = TLanes.Add(a6, TLanes.Load(residual + 6 * BlockedLayout.Lanes));
            if (TPixels.Count > 7)
                a7 = TLanes.Add(a7, TLanes.Load(residual + 7 * BlockedLayout.Lanes));
            if (TPixels.Count > 8)
                a8 = TLanes.Add(a8, TLanes.Load(residual + 8 * BlockedLayout.Lanes));
            if (TPixels.Count > 9)
                a9 = TLanes.Add(a9, TLanes.Load(residual + 9 * BlockedLayout.Lanes));
            if (TPixels.Count > 10)
                a10 = TLanes.Add(a10, TLanes.Load(residual + 10 * BlockedLayout.Lanes));
            if (TPixels.Count > 11)
                a11 = TLanes.Add(a11, TLanes.Load(residual + 11 * BlockedLayout.Lanes));
            if (TPixels.Count > 12)
                a12 = TLanes.Add(a12, TLanes.Load(residual + 12 * BlockedLayout.Lanes));
            if (TPixels.Count > 13)
                a13 = TLanes.Add(a13, TLanes.Load(residual + 13 * BlockedLayout.Lanes));
            residual += shape->ResidualNext;
            if (TFlavour.Vectors > 1 && TPixels.Count > 0)
                c0 = TLanes.Add(c0, TLanes.Load(residual + 0 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 1)
                c1 = TLanes.Add(c1, TLanes.Load(residual + 1 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 2)
                c2 = TLanes.Add(c2, TLanes.Load(residual + 2 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 3)
                c3 = TLanes.Add(c3, TLanes.Load(residual + 3 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 4)
                c4 = TLanes.Add(c4, TLanes.Load(residual + 4 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 5)
                c5 = TLanes.Add(c5, TLanes.Load(residual + 5 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 6)
                c6 = TLanes.Add(c6, TLanes.Load(residual + 6 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 7)
                c7 = TLanes.Add(c7, TLanes.Load(residual + 7 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 8)
                c8 = TLanes.Add(c8, TLanes.Load(residual + 8 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 9)
                c9 = TLanes.Add(c9, TLanes.Load(residual + 9 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 10)
                c10 = TLanes.Add(c10, TLanes.Load(residual + 10 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 11)
                c11 = TLanes.Add(c11, TLanes.Load(residual + 11 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 12)
                c12 = TLanes.Add(c12, TLanes.Load(residual + 12 * BlockedLayout.Lanes));
            if (TFlavour.Vectors > 1 && TPixels.Count > 13)
                c13 = TLanes.Add(c13, TLanes.Load(residual + 13 * BlockedLayout.Lanes));
        }

        for (int channels = shape->Channels; channels > 0; channels -= BlockedLayout.Lanes, x += shape->BlockPitch)
        {
            float* row = x;
            int depth = TFlavour.IsDepthwise ? 1 : Math.Min(channels, BlockedLayout.Lanes);
            for (int h = shape->KernelHeight; h > 0; h--, row += shape->TapDown)
            {
                float* tap = row;
                for (int v = shape->KernelWidth; v > 0; v--, tap += shape->TapRight)
                {
                    float* end = tap + depth;
                    for (float* at = tap; at < end; at++, w += weightPitch)
                    {
                        w0 = TLanes.Load(w);
                        if (TFlavour.Vectors > 1)
                            w1 = TLanes.Load(w + TLanes.Count);
                        if (TPixels.Count > 0)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 0 * step);
                            a0 = TLanes.MultiplyAdd(s, w0, a0);
                            if (TFlavour.Vectors > 1)
                                c0 = TLanes.MultiplyAdd(s, w1, c0);
                        }
                        if (TPixels.Count > 1)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 1 * step);
                            a1 = TLanes.MultiplyAdd(s, w0, a1);
                            if (TFlavour.Vectors > 1)
                                c1 = TLanes.MultiplyAdd(s, w1, c1);
                        }
                        if (TPixels.Count > 2)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 2 * step);
                            a2 = TLanes.MultiplyAdd(s, w0, a2);
                            if (TFlavour.Vectors > 1)
                                c2 = TLanes.MultiplyAdd(s, w1, c2);
                        }
                        if (TPixels.Count > 3)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 3 * step);
                            a3 = TLanes.MultiplyAdd(s, w0, a3);
                            if (TFlavour.Vectors > 1)
                                c3 = TLanes.MultiplyAdd(s, w1, c3);
                        }
                        if (TPixels.Count > 4)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 4 * step);
                            a4 = TLanes.MultiplyAdd(s, w0, a4);
                            if (TFlavour.Vectors > 1)
                                c4 = TLanes.MultiplyAdd(s, w1, c4);
                        }
                        if (TPixels.Count > 5)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 5 * step);
                            a5 = TLanes.MultiplyAdd(s, w0, a5);
                            if (TFlavour.Vectors > 1)
                                c5 = TLanes.MultiplyAdd(s, w1, c5);
                        }
                        if (TPixels.Count > 6)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 6 * step);
                            a6 = TLanes.MultiplyAdd(s, w0, a6);
                            if (TFlavour.Vectors > 1)
                                c6 = TLanes.MultiplyAdd(s, w1, c6);
                        }
                        if (TPixels.Count > 7)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 7 * step);
                            a7 = TLanes.MultiplyAdd(s, w0, a7);
                            if (TFlavour.Vectors > 1)
                                c7 = TLanes.MultiplyAdd(s, w1, c7);
                        }
                        if (TPixels.Count > 8)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 8 * step);
                            a8 = TLanes.MultiplyAdd(s, w0, a8);
                            if (TFlavour.Vectors > 1)
                                c8 = TLanes.MultiplyAdd(s, w1, c8);
                        }
                        if (TPixels.Count > 9)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 9 * step);
                            a9 = TLanes.MultiplyAdd(s, w0, a9);
                            if (TFlavour.Vectors > 1)
                                c9 = TLanes.MultiplyAdd(s, w1, c9);
                        }
                        if (TPixels.Count > 10)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 10 * step);
                            a10 = TLanes.MultiplyAdd(s, w0, a10);
                            if (TFlavour.Vectors > 1)
                                c10 = TLanes.MultiplyAdd(s, w1, c10);
                        }
                        if (TPixels.Count > 11)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 11 * step);
                            a11 = TLanes.MultiplyAdd(s, w0, a11);
                            if (TFlavour.Vectors > 1)
                                c11 = TLanes.MultiplyAdd(s, w1, c11);
                        }
                        if (TPixels.Count > 12)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 12 * step);
                            a12 = TLanes.MultiplyAdd(s, w0, a12);
                            if (TFlavour.Vectors > 1)
                                c12 = TLanes.MultiplyAdd(s, w1, c12);
                        }
                        if (TPixels.Count > 13)
                        {
                            s = Input<TLanes, TVector, TFlavour>(at + 13 * step);
                            a13 = TLanes.MultiplyAdd(s, w0, a13);
                            if (TFlavour.Vectors > 1)
                                c13 = TLanes.MultiplyAdd(s, w1, c13);
                        }
                    }
                }
            }
        }

        if (shape->Clips)
        {
            TVector low = TLanes.Broadcast(shape->Low),
                high = TLanes.Broadcast(shape->High);
            if (TPixels.Count > 0)
                a0 = TLanes.AtMost(high, TLanes.AtLeast(low, a0));
            if (TPixels.Count > 1)
                a1 = TLanes.AtMost(high, TLanes.AtLeast(low, a1));
            if (TPixels.Count > 2)
                a2 = TLanes.AtMost(high, TLanes.AtLeast(low, a2));
            if (TPixels.Count > 3)
                a3 = TLanes.AtMost(high, TLanes.AtLeast(low, a3));
            if (TPixels.Count > 4)
                a4 = TLanes.AtMost(high, TLanes.AtLeast(low, a4));
            if (TPixels.Count > 5)
                a5 = TLanes.AtMost(high, TLanes.AtLeast(low, a5));
            if (TPixels.Count > 6)
                a6 = TLanes.AtMost(high, TLanes.AtLeast(low, a6));
            if (TPixels.Count > 7)
                a7 = TLanes.AtMost(high, TLanes.AtLeast(low, a7));
            if (TPixels.Count > 8)
                a8 = TLanes.AtMost(high, TLanes.AtLeast(low, a8));
            if (TPixels.Count > 9)
                a9 = TLanes.AtMost(high, TLanes.AtLeast(low, a9));
            if (TPixels.Count > 10)
                a10 = TLanes.AtMost(high, TLanes.AtLeast(low, a10));
            if (TPixels.Count > 11)
                a11 = TLanes.AtMost(high, TLanes.AtLeast(low, a11));
            if (TPixels.Count > 12)
                a12 = TLanes.AtMost(high, TLanes.AtLeast(low, a12));
            if (TPixels.Count > 13)
                a13 = TLanes.AtMost(high, TLanes.AtLeast(low, a13));
            if (TFlavour.Vectors > 1 && TPixels.Count > 0)
                c0 = TLanes.AtMost(high, TLanes.AtLeast(low, c0));
            if (TFlavour.Vectors > 1 && TPixels.Count > 1)
                c1 = TLanes.AtMost(high, TLanes.AtLeast(low, c1));
            if (TFlavour.Vectors > 1 && TPixels.Count > 2)
                c2 = TLanes.AtMost(high, TLanes.AtLeast(low, c2));
            if (TFlavour.Vectors > 1 && TPixels.Count > 3)
                c3 = TLanes.AtMost(high, TLanes.AtLeast(low, c3));
            if (TFlavour.Vectors > 1 && TPixels.Count > 4)
                c4 = TLanes.AtMost(high, TLanes.AtLeast(low, c4));
            if (TFlavour.Vectors > 1 && TPixels.Count > 5)
                c5 = TLanes.AtMost(high, TLanes.AtLeast(low, c5));
            if (TFlavour.Vectors > 1 && TPixels.Count > 6)
                c6 = TLanes.AtMost(high, TLanes.AtLeast(low, c6));
            if (TFlavour.Vectors > 1 && TPixels.Count > 7)
                c7 = TLanes.AtMost(high, TLanes.AtLeast(low, c7));
            if (TFlavour.Vectors > 1 && TPixels.Count > 8)
                c8 = TLanes.AtMost(high, TLanes.AtLeast(low, c8));
            if (TFlavour.Vectors > 1 && TPixels.Count > 9)
                c9 = TLanes.AtMost(high, TLanes.AtLeast(low, c9));
            if (TFlavour.Vectors > 1 && TPixels.Count > 10)
                c10 = TLanes.AtMost(high, TLanes.AtLeast(low, c10));
            if (TFlavour.Vectors > 1 && TPixels.Count > 11)
                c11 = TLanes.AtMost(high, TLanes.AtLeast(low, c11));
            if (TFlavour.Vectors > 1 && TPixels.Count > 12)
                c12 = TLanes.AtMost(high, TLanes.AtLeast(low, c12));
            if (TFlavour.Vectors > 1 && TPixels.Count > 13)
                c13 = TLanes.AtMost(high, TLanes.AtLeast(low, c13));
        }

        if (TPixels.Count > 0)
            TLanes.Store(a0, y + 0 * BlockedLayout.Lanes);
        if (TPixels.Count > 1)
            TLanes.Store(a1, y + 1 * BlockedLayout.Lanes);
        if (TPixels.Count > 2)
            TLanes.Store(a2, y + 2 * BlockedLayout.Lanes);
        if (TPixels.Count > 3)
            TLanes.Store(a3, y + 3 * BlockedLayout.Lanes);
        if (TPixels.Count > 4)
            TLanes.Store(a4, y + 4 * BlockedLayout.Lanes);
        if (TPixels.Count > 5)
            TLanes.Store(a5, y + 5 * BlockedLayout.Lanes);
        if (TPixels.Count > 6)
            TLanes.Store(a6, y + 6 * BlockedLayout.Lanes);
        if (TPixels.Count > 7)
            TLanes.Store(a7, y + 7 * BlockedLayout.Lanes);
        if (TPixels.Count > 8)
            TLanes.Store(a8, y + 8 * BlockedLayout.Lanes);
        if (TPixels.Count > 9)
            TLanes.Store(a9, y + 9 * BlockedLayout.Lanes);
        if (TPixels.Count > 10)
            TLanes.Store(a10, y + 10 * BlockedLayout.Lanes);
        if (TPixels.Count > 11)
            TLanes.Store(a11, y + 11 * BlockedLayout.Lanes);
        if (TPixels.Count > 12)
            TLanes.Store(a12, y + 12 * BlockedLayout.Lanes);
        if (TPixels.Count > 13)
            TLanes.Store(a13, y + 13 * BlockedLayout.Lanes);
        if (TFlavour.Vectors == 1)
            return;
        y += shape->OutputNext;
        if (TPixels.Count > 0)
            TLanes.Store(c0, y + 0 * BlockedLayout.Lanes);
        if (TPixels.Count > 1)
            TLanes.Store(c1, y + 1 * BlockedLayout.Lanes);
        if (TPixels.Count > 2)
            TLanes.Store(c2, y + 2 * BlockedLayout.Lanes);
        if (TPixels.Count > 3)
            TLanes.Store(c3, y + 3 * BlockedLayout.Lanes);
        if (TPixels.Count > 4)
            TLanes.Store(c4, y + 4 * BlockedLayout.Lanes);
        if (TPixels.Count > 5)
            TLanes.Store(c5, y + 5 * BlockedLayout.Lanes);
        if (TPixels.Count > 6)
            TLanes.Store(c6, y + 6 * BlockedLayout.Lanes);
        if (TPixels.Count > 7)
            TLanes.Store(c7, y + 7 * BlockedLayout.Lanes);
        if (TPixels.Count > 8)
            TLanes.Store(c8, y + 8 * BlockedLayout.Lanes);
        if (TPixels.Count > 9)
            TLanes.Store(c9, y + 9 * BlockedLayout.Lanes);
        if (TPixels.Count > 10)
            TLanes.Store(c10, y + 10 * BlockedLayout.Lanes);
        if (TPixels.Count > 11)
            TLanes.Store(c11, y + 11 * BlockedLayout.Lanes);
        if (TPixels.Count > 12)
            TLanes.Store(c12, y + 12 * BlockedLayout.Lanes);
        if (TPixels.Count > 13)
            TLanes.Store(c13, y + 13 * BlockedLayout.Lanes);
    }

    /// <summary>One value for all lanes, or a value for each where every channel has its own kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Input<TLanes, TVector, TFlavour>(float* at)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
        where TFlavour : struct, IFlavour => TFlavour.IsDepthwise ? TLanes.Load(at) : TLanes.Spread(at);
}
