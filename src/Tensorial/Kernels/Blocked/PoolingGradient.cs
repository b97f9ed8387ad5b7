using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>Gradients of pooling, added to what is there, on one thread.</summary>
internal static unsafe class PoolingGradient
{
    private const int Lanes = BlockedLayout.Lanes;

    /// <summary>dx of each window's largest value, the first of equals, += dy.</summary>
    public static void AddMaximum(
        in PlaneWindow window, ReadOnlySpan<float> x, BlockedLayout inputLayout, ReadOnlySpan<float> y, BlockedLayout outputLayout, ReadOnlySpan<float> dy,
        BlockedLayout upstreamLayout, Span<float> dx, BlockedLayout gradientLayout, LaneWidth? width = null)
    {
        fixed (float* source = x, result = y, upstream = dy, to = dx)
            (width ?? LaneWidths.Best).Run<Kernel, float>(
                new(Summary.Maximum, window, source, inputLayout, result, outputLayout, upstream, upstreamLayout, to, gradientLayout));
    }

    /// <summary>dx of each window's values += dy over their number.</summary>
    public static void AddAverage(
        in PlaneWindow window, AverageOver over, ReadOnlySpan<float> dy, BlockedLayout upstreamLayout, Span<float> dx, BlockedLayout gradientLayout, LaneWidth? width = null)
    {
        Summary summary = over == AverageOver.Input ? Summary.MeanOverInput : Summary.MeanOverPadding;
        fixed (float* upstream = dy, to = dx)
            (width ?? LaneWidths.Best).Run<Kernel, float>(
                new(summary, window, null, gradientLayout, null, upstreamLayout, upstream, upstreamLayout, to, gradientLayout));
    }

    /// <summary>dx += dy[image, channel] over the size of the plane, dy plain.</summary>
    public static void AddGlobalAverage(ReadOnlySpan<float> dy, Span<float> dx, BlockedLayout layout)
    {
        float share = 1f / (layout.Height * layout.Width);
        for (int image = 0; image < layout.Images; image++)
            for (int channel = 0; channel < layout.Channels; channel++)
            {
                float value = dy[image * layout.Channels + channel] * share;
                for (int row = 0; row < layout.Height; row++)
                {
                    int at = layout.Pixel(image, channel / Lanes, row, 0) + channel % Lanes;
                    for (int pixel = 0; pixel < layout.Width; pixel++, at += Lanes) dx[at] += value;
                }
            }
    }

    private readonly struct Kernel(
        Summary summary, PlaneWindow window, float* x, BlockedLayout inputLayout, float* y, BlockedLayout outputLayout, float* dy, BlockedLayout upstreamLayout,
        float* dx, BlockedLayout gradientLayout) : ILaneKernel<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TLanes, TVector>() where TLanes : struct, ILanes<TVector, float> where TVector : struct
        {
            for (int plane = 0; plane < upstreamLayout.Images * upstreamLayout.Blocks; plane++)
            {
                (int image, int block) = Math.DivRem(plane, upstreamLayout.Blocks);
                for (int row = 0; row < upstreamLayout.Height; row++)
                {
                    var down = PoolingKernel.Taps.At(row * window.StrideY - window.Padding.Top, window.Height, window.DilationY, gradientLayout.Height, window.Padding.Bottom);
                    for (int column = 0; column < upstreamLayout.Width; column++)
                    {
                        var right = PoolingKernel.Taps.At(
                            column * window.StrideX - window.Padding.Left, window.Width, window.DilationX, gradientLayout.Width, window.Padding.Right);
                        for (int lane = 0; lane < Lanes; lane += TLanes.Count) Spread<TLanes, TVector>(image, block, row, column, lane, down, right);
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Spread<TLanes, TVector>(int image, int block, int row, int column, int lane, PoolingKernel.Taps down, PoolingKernel.Taps right)
            where TLanes : struct, ILanes<TVector, float> where TVector : struct
        {
            TVector upstream = TLanes.Load(dy + upstreamLayout.Pixel(image, block, row, column) + lane);
            if (summary != Summary.Maximum)
            {
                int count = summary == Summary.MeanOverPadding ? down.InPadding * right.InPadding : down.Count * right.Count;
                upstream = TLanes.Multiply(upstream, TLanes.Broadcast(1f / count));
            }
            TVector largest = summary == Summary.Maximum ? TLanes.Load(y + outputLayout.Pixel(image, block, row, column) + lane) : default;
            for (int h = 0; h < down.Count; h++)
                for (int v = 0; v < right.Count; v++)
                {
                    (int r, int c) = (down.Start + h * window.DilationY, right.Start + v * window.DilationX);
                    float* to = dx + gradientLayout.Pixel(image, block, r, c) + lane;
                    TVector share = upstream;
                    if (summary == Summary.Maximum)
                    {
                        share = TLanes.WhereEqual(TLanes.Load(x + inputLayout.Pixel(image, block, r, c) + lane), largest, upstream);
                        upstream = TLanes.Subtract(upstream, share);    // the next of equals finds nothing left
                    }
                    TLanes.Store(TLanes.Add(TLanes.Load(to), share), to);
                }
        }
    }
}
