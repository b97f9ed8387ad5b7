using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The innermost part of a convolution: some pixels of the output, neighbours in a row or not, by one or two vectors of channels, summed over all taps
/// and input channels in registers. Pixels, step and flavour are types, so that each combination becomes straight-line code.
/// </summary>
internal static unsafe class ConvolutionTile
{
    /// <summary>y = clip(bias + residual + Σ x w), for the pixels at x (its top left tap, first channel) and beyond.</summary>
    /// <param name="residual">Null where there is none.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TWidth, TVector, TPixels, TStep, TFlavour>(
        TileShape* shape,
        float* x,
        float* w,
        float* bias,
        float* residual,
        float* y
    )
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TPixels : struct, ICount
        where TStep : struct, IStep
        where TFlavour : struct, IFlavour
    {
        int step = TStep.Pixels > 0 ? TStep.Pixels * BlockedLayout.ChannelBlock : shape->Step;
        nint x1 = TPixels.Count > 1 ? Place<TStep>(shape->InputPlaces, 1, step) : 0,
            x2 = TPixels.Count > 2 ? Place<TStep>(shape->InputPlaces, 2, step) : 0,
            x3 = TPixels.Count > 3 ? Place<TStep>(shape->InputPlaces, 3, step) : 0,
            x4 = TPixels.Count > 4 ? Place<TStep>(shape->InputPlaces, 4, step) : 0,
            x5 = TPixels.Count > 5 ? Place<TStep>(shape->InputPlaces, 5, step) : 0,
            x6 = TPixels.Count > 6 ? Place<TStep>(shape->InputPlaces, 6, step) : 0,
            x7 = TPixels.Count > 7 ? Place<TStep>(shape->InputPlaces, 7, step) : 0;
        nint weightPitch = shape->WeightPitch;
        TVector s,
            w0,
            w1 = default,
            b0 = TWidth.Load(bias),
            b1 = TFlavour.Vectors > 1 ? TWidth.Load(bias + TWidth.Count) : default;
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
                a0 = TWidth.Add(a0, TWidth.Load(residual));
            if (TPixels.Count > 1)
                a1 = TWidth.Add(a1, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 1, BlockedLayout.ChannelBlock)));
            if (TPixels.Count > 2)
                a2 = TWidth.Add(a2, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 2, BlockedLayout.ChannelBlock)));
            if (TPixels.Count > 3)
                a3 = TWidth.Add(a3, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 3, BlockedLayout.ChannelBlock)));
            if (TPixels.Count > 4)
                a4 = TWidth.Add(a4, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 4, BlockedLayout.ChannelBlock)));
            if (TPixels.Count > 5)
                a5 = TWidth.Add(a5, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 5, BlockedLayout.ChannelBlock)));
            if (TPixels.Count > 6)
                a6 = TWidth.Add(a6, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 6, BlockedLayout.ChannelBlock)));
            if (TPixels.Count > 7)
                a7 = TWidth.Add(a7, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 7, BlockedLayout.ChannelBlock)));
            if (TPixels.Count > 8)
                a8 = TWidth.Add(a8, TWidth.Load(residual + 8 * BlockedLayout.ChannelBlock));
            if (TPixels.Count > 9)
                a9 = TWidth.Add(a9, TWidth.Load(residual + 9 * BlockedLayout.ChannelBlock));
            if (TPixels.Count > 10)
                a10 = TWidth.Add(a10, TWidth.Load(residual + 10 * BlockedLayout.ChannelBlock));
            if (TPixels.Count > 11)
                a11 = TWidth.Add(a11, TWidth.Load(residual + 11 * BlockedLayout.ChannelBlock));
            if (TPixels.Count > 12)
                a12 = TWidth.Add(a12, TWidth.Load(residual + 12 * BlockedLayout.ChannelBlock));
            if (TPixels.Count > 13)
                a13 = TWidth.Add(a13, TWidth.Load(residual + 13 * BlockedLayout.ChannelBlock));
            residual += shape->ResidualNext;
            if (TFlavour.Vectors > 1 && TPixels.Count > 0)
                c0 = TWidth.Add(c0, TWidth.Load(residual));
            if (TFlavour.Vectors > 1 && TPixels.Count > 1)
                c1 = TWidth.Add(c1, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 1, BlockedLayout.ChannelBlock)));
            if (TFlavour.Vectors > 1 && TPixels.Count > 2)
                c2 = TWidth.Add(c2, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 2, BlockedLayout.ChannelBlock)));
            if (TFlavour.Vectors > 1 && TPixels.Count > 3)
                c3 = TWidth.Add(c3, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 3, BlockedLayout.ChannelBlock)));
            if (TFlavour.Vectors > 1 && TPixels.Count > 4)
                c4 = TWidth.Add(c4, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 4, BlockedLayout.ChannelBlock)));
            if (TFlavour.Vectors > 1 && TPixels.Count > 5)
                c5 = TWidth.Add(c5, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 5, BlockedLayout.ChannelBlock)));
            if (TFlavour.Vectors > 1 && TPixels.Count > 6)
                c6 = TWidth.Add(c6, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 6, BlockedLayout.ChannelBlock)));
            if (TFlavour.Vectors > 1 && TPixels.Count > 7)
                c7 = TWidth.Add(c7, TWidth.Load(residual + Place<TStep>(shape->ResidualPlaces, 7, BlockedLayout.ChannelBlock)));
            if (TFlavour.Vectors > 1 && TPixels.Count > 8)
                c8 = TWidth.Add(c8, TWidth.Load(residual + 8 * BlockedLayout.ChannelBlock));
            if (TFlavour.Vectors > 1 && TPixels.Count > 9)
                c9 = TWidth.Add(c9, TWidth.Load(residual + 9 * BlockedLayout.ChannelBlock));
            if (TFlavour.Vectors > 1 && TPixels.Count > 10)
                c10 = TWidth.Add(c10, TWidth.Load(residual + 10 * BlockedLayout.ChannelBlock));
            if (TFlavour.Vectors > 1 && TPixels.Count > 11)
                c11 = TWidth.Add(c11, TWidth.Load(residual + 11 * BlockedLayout.ChannelBlock));
            if (TFlavour.Vectors > 1 && TPixels.Count > 12)
                c12 = TWidth.Add(c12, TWidth.Load(residual + 12 * BlockedLayout.ChannelBlock));
            if (TFlavour.Vectors > 1 && TPixels.Count > 13)
                c13 = TWidth.Add(c13, TWidth.Load(residual + 13 * BlockedLayout.ChannelBlock));
        }

        for (int channels = shape->Channels; channels > 0; channels -= BlockedLayout.ChannelBlock, x += shape->BlockPitch)
        {
            float* row = x;
            int depth = TFlavour.IsDepthwise ? 1 : Math.Min(channels, BlockedLayout.ChannelBlock);
            for (int h = shape->KernelHeight; h > 0; h--, row += shape->TapDown)
            {
                float* tap = row;
                for (int v = shape->KernelWidth; v > 0; v--, tap += shape->TapRight)
                {
                    float* end = tap + depth;
                    // One value for all lanes, or a value for each where every channel has its own kernel; written out each time, as addresses
                    // that pass through another call take instructions of their own, of which a core shared by two threads has few to spare.
                    for (float* at = tap; at < end; at++, w += weightPitch)
                    {
                        w0 = TWidth.Load(w);
                        if (TFlavour.Vectors > 1)
                            w1 = TWidth.Load(w + TWidth.Count);
                        if (TPixels.Count > 0)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at) : TWidth.Spread(at);
                            a0 = TWidth.MultiplyAdd(s, w0, a0);
                            if (TFlavour.Vectors > 1)
                                c0 = TWidth.MultiplyAdd(s, w1, c0);
                        }
                        if (TPixels.Count > 1)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + x1) : TWidth.Spread(at + x1);
                            a1 = TWidth.MultiplyAdd(s, w0, a1);
                            if (TFlavour.Vectors > 1)
                                c1 = TWidth.MultiplyAdd(s, w1, c1);
                        }
                        if (TPixels.Count > 2)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + x2) : TWidth.Spread(at + x2);
                            a2 = TWidth.MultiplyAdd(s, w0, a2);
                            if (TFlavour.Vectors > 1)
                                c2 = TWidth.MultiplyAdd(s, w1, c2);
                        }
                        if (TPixels.Count > 3)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + x3) : TWidth.Spread(at + x3);
                            a3 = TWidth.MultiplyAdd(s, w0, a3);
                            if (TFlavour.Vectors > 1)
                                c3 = TWidth.MultiplyAdd(s, w1, c3);
                        }
                        if (TPixels.Count > 4)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + x4) : TWidth.Spread(at + x4);
                            a4 = TWidth.MultiplyAdd(s, w0, a4);
                            if (TFlavour.Vectors > 1)
                                c4 = TWidth.MultiplyAdd(s, w1, c4);
                        }
                        if (TPixels.Count > 5)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + x5) : TWidth.Spread(at + x5);
                            a5 = TWidth.MultiplyAdd(s, w0, a5);
                            if (TFlavour.Vectors > 1)
                                c5 = TWidth.MultiplyAdd(s, w1, c5);
                        }
                        if (TPixels.Count > 6)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + x6) : TWidth.Spread(at + x6);
                            a6 = TWidth.MultiplyAdd(s, w0, a6);
                            if (TFlavour.Vectors > 1)
                                c6 = TWidth.MultiplyAdd(s, w1, c6);
                        }
                        if (TPixels.Count > 7)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + x7) : TWidth.Spread(at + x7);
                            a7 = TWidth.MultiplyAdd(s, w0, a7);
                            if (TFlavour.Vectors > 1)
                                c7 = TWidth.MultiplyAdd(s, w1, c7);
                        }
                        if (TPixels.Count > 8)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + 8 * step) : TWidth.Spread(at + 8 * step);
                            a8 = TWidth.MultiplyAdd(s, w0, a8);
                            if (TFlavour.Vectors > 1)
                                c8 = TWidth.MultiplyAdd(s, w1, c8);
                        }
                        if (TPixels.Count > 9)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + 9 * step) : TWidth.Spread(at + 9 * step);
                            a9 = TWidth.MultiplyAdd(s, w0, a9);
                            if (TFlavour.Vectors > 1)
                                c9 = TWidth.MultiplyAdd(s, w1, c9);
                        }
                        if (TPixels.Count > 10)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + 10 * step) : TWidth.Spread(at + 10 * step);
                            a10 = TWidth.MultiplyAdd(s, w0, a10);
                            if (TFlavour.Vectors > 1)
                                c10 = TWidth.MultiplyAdd(s, w1, c10);
                        }
                        if (TPixels.Count > 11)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + 11 * step) : TWidth.Spread(at + 11 * step);
                            a11 = TWidth.MultiplyAdd(s, w0, a11);
                            if (TFlavour.Vectors > 1)
                                c11 = TWidth.MultiplyAdd(s, w1, c11);
                        }
                        if (TPixels.Count > 12)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + 12 * step) : TWidth.Spread(at + 12 * step);
                            a12 = TWidth.MultiplyAdd(s, w0, a12);
                            if (TFlavour.Vectors > 1)
                                c12 = TWidth.MultiplyAdd(s, w1, c12);
                        }
                        if (TPixels.Count > 13)
                        {
                            s = TFlavour.IsDepthwise ? TWidth.Load(at + 13 * step) : TWidth.Spread(at + 13 * step);
                            a13 = TWidth.MultiplyAdd(s, w0, a13);
                            if (TFlavour.Vectors > 1)
                                c13 = TWidth.MultiplyAdd(s, w1, c13);
                        }
                    }
                }
            }
        }

        if (shape->Clips)
        {
            TVector low = TWidth.Broadcast(shape->Low),
                high = TWidth.Broadcast(shape->High);
            if (TPixels.Count > 0)
                a0 = TWidth.AtMost(high, TWidth.AtLeast(low, a0));
            if (TPixels.Count > 1)
                a1 = TWidth.AtMost(high, TWidth.AtLeast(low, a1));
            if (TPixels.Count > 2)
                a2 = TWidth.AtMost(high, TWidth.AtLeast(low, a2));
            if (TPixels.Count > 3)
                a3 = TWidth.AtMost(high, TWidth.AtLeast(low, a3));
            if (TPixels.Count > 4)
                a4 = TWidth.AtMost(high, TWidth.AtLeast(low, a4));
            if (TPixels.Count > 5)
                a5 = TWidth.AtMost(high, TWidth.AtLeast(low, a5));
            if (TPixels.Count > 6)
                a6 = TWidth.AtMost(high, TWidth.AtLeast(low, a6));
            if (TPixels.Count > 7)
                a7 = TWidth.AtMost(high, TWidth.AtLeast(low, a7));
            if (TPixels.Count > 8)
                a8 = TWidth.AtMost(high, TWidth.AtLeast(low, a8));
            if (TPixels.Count > 9)
                a9 = TWidth.AtMost(high, TWidth.AtLeast(low, a9));
            if (TPixels.Count > 10)
                a10 = TWidth.AtMost(high, TWidth.AtLeast(low, a10));
            if (TPixels.Count > 11)
                a11 = TWidth.AtMost(high, TWidth.AtLeast(low, a11));
            if (TPixels.Count > 12)
                a12 = TWidth.AtMost(high, TWidth.AtLeast(low, a12));
            if (TPixels.Count > 13)
                a13 = TWidth.AtMost(high, TWidth.AtLeast(low, a13));
            if (TFlavour.Vectors > 1 && TPixels.Count > 0)
                c0 = TWidth.AtMost(high, TWidth.AtLeast(low, c0));
            if (TFlavour.Vectors > 1 && TPixels.Count > 1)
                c1 = TWidth.AtMost(high, TWidth.AtLeast(low, c1));
            if (TFlavour.Vectors > 1 && TPixels.Count > 2)
                c2 = TWidth.AtMost(high, TWidth.AtLeast(low, c2));
            if (TFlavour.Vectors > 1 && TPixels.Count > 3)
                c3 = TWidth.AtMost(high, TWidth.AtLeast(low, c3));
            if (TFlavour.Vectors > 1 && TPixels.Count > 4)
                c4 = TWidth.AtMost(high, TWidth.AtLeast(low, c4));
            if (TFlavour.Vectors > 1 && TPixels.Count > 5)
                c5 = TWidth.AtMost(high, TWidth.AtLeast(low, c5));
            if (TFlavour.Vectors > 1 && TPixels.Count > 6)
                c6 = TWidth.AtMost(high, TWidth.AtLeast(low, c6));
            if (TFlavour.Vectors > 1 && TPixels.Count > 7)
                c7 = TWidth.AtMost(high, TWidth.AtLeast(low, c7));
            if (TFlavour.Vectors > 1 && TPixels.Count > 8)
                c8 = TWidth.AtMost(high, TWidth.AtLeast(low, c8));
            if (TFlavour.Vectors > 1 && TPixels.Count > 9)
                c9 = TWidth.AtMost(high, TWidth.AtLeast(low, c9));
            if (TFlavour.Vectors > 1 && TPixels.Count > 10)
                c10 = TWidth.AtMost(high, TWidth.AtLeast(low, c10));
            if (TFlavour.Vectors > 1 && TPixels.Count > 11)
                c11 = TWidth.AtMost(high, TWidth.AtLeast(low, c11));
            if (TFlavour.Vectors > 1 && TPixels.Count > 12)
                c12 = TWidth.AtMost(high, TWidth.AtLeast(low, c12));
            if (TFlavour.Vectors > 1 && TPixels.Count > 13)
                c13 = TWidth.AtMost(high, TWidth.AtLeast(low, c13));
        }

        if (TPixels.Count > 0)
            TWidth.Store(a0, y);
        if (TPixels.Count > 1)
            TWidth.Store(a1, y + Place<TStep>(shape->OutputPlaces, 1, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 2)
            TWidth.Store(a2, y + Place<TStep>(shape->OutputPlaces, 2, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 3)
            TWidth.Store(a3, y + Place<TStep>(shape->OutputPlaces, 3, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 4)
            TWidth.Store(a4, y + Place<TStep>(shape->OutputPlaces, 4, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 5)
            TWidth.Store(a5, y + Place<TStep>(shape->OutputPlaces, 5, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 6)
            TWidth.Store(a6, y + Place<TStep>(shape->OutputPlaces, 6, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 7)
            TWidth.Store(a7, y + Place<TStep>(shape->OutputPlaces, 7, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 8)
            TWidth.Store(a8, y + 8 * BlockedLayout.ChannelBlock);
        if (TPixels.Count > 9)
            TWidth.Store(a9, y + 9 * BlockedLayout.ChannelBlock);
        if (TPixels.Count > 10)
            TWidth.Store(a10, y + 10 * BlockedLayout.ChannelBlock);
        if (TPixels.Count > 11)
            TWidth.Store(a11, y + 11 * BlockedLayout.ChannelBlock);
        if (TPixels.Count > 12)
            TWidth.Store(a12, y + 12 * BlockedLayout.ChannelBlock);
        if (TPixels.Count > 13)
            TWidth.Store(a13, y + 13 * BlockedLayout.ChannelBlock);
        if (TFlavour.Vectors == 1)
            return;
        y += shape->OutputNext;
        if (TPixels.Count > 0)
            TWidth.Store(c0, y);
        if (TPixels.Count > 1)
            TWidth.Store(c1, y + Place<TStep>(shape->OutputPlaces, 1, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 2)
            TWidth.Store(c2, y + Place<TStep>(shape->OutputPlaces, 2, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 3)
            TWidth.Store(c3, y + Place<TStep>(shape->OutputPlaces, 3, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 4)
            TWidth.Store(c4, y + Place<TStep>(shape->OutputPlaces, 4, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 5)
            TWidth.Store(c5, y + Place<TStep>(shape->OutputPlaces, 5, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 6)
            TWidth.Store(c6, y + Place<TStep>(shape->OutputPlaces, 6, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 7)
            TWidth.Store(c7, y + Place<TStep>(shape->OutputPlaces, 7, BlockedLayout.ChannelBlock));
        if (TPixels.Count > 8)
            TWidth.Store(c8, y + 8 * BlockedLayout.ChannelBlock);
        if (TPixels.Count > 9)
            TWidth.Store(c9, y + 9 * BlockedLayout.ChannelBlock);
        if (TPixels.Count > 10)
            TWidth.Store(c10, y + 10 * BlockedLayout.ChannelBlock);
        if (TPixels.Count > 11)
            TWidth.Store(c11, y + 11 * BlockedLayout.ChannelBlock);
        if (TPixels.Count > 12)
            TWidth.Store(c12, y + 12 * BlockedLayout.ChannelBlock);
        if (TPixels.Count > 13)
            TWidth.Store(c13, y + 13 * BlockedLayout.ChannelBlock);
    }

    /// <summary>Distance of a pixel from the tile's first: listed, or a step from one to the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Place<TStep>(nint* places, int pixel, int step)
        where TStep : struct, IStep => TStep.IsScattered ? places[pixel] : pixel * step;
}
