using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>Gradients of pooling, added to what is there, on one thread.</summary>
internal static unsafe class PoolingGradient
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>dx of each window's largest value, the first of equals, += dy.</summary>
    public static void AddMaximum(
        in PlaneWindow window,
        ReadOnlySpan<float> x,
        BlockedLayout inputLayout,
        ReadOnlySpan<float> y,
        BlockedLayout outputLayout,
        ReadOnlySpan<float> dy,
        BlockedLayout upstreamLayout,
        Span<float> dx,
        BlockedLayout gradientLayout,
        VectorWidth? width = null
    )
    {
        inputLayout.Holds(x);
        outputLayout.Holds(y);
        upstreamLayout.Holds(dy);
        gradientLayout.Holds(dx);
        fixed (
            float* source = x,
                result = y,
                upstream = dy,
                to = dx
        )
            using (Bounds.Know(source, x.Length, result, y.Length, upstream, dy.Length, to, dx.Length))
                (width ?? VectorWidths.Best).Run<PoolingGradientKernel, float>(
                    new(Summary.Maximum, window, source, inputLayout, result, outputLayout, upstream, upstreamLayout, to, gradientLayout)
                );
    }

    /// <summary>dx of each window's values += dy over their number.</summary>
    public static void AddAverage(
        in PlaneWindow window,
        AverageOver over,
        ReadOnlySpan<float> dy,
        BlockedLayout upstreamLayout,
        Span<float> dx,
        BlockedLayout gradientLayout,
        VectorWidth? width = null
    )
    {
        Summary summary = over == AverageOver.Input ? Summary.MeanOverInput : Summary.MeanOverPadding;
        upstreamLayout.Holds(dy);
        gradientLayout.Holds(dx);
        fixed (
            float* upstream = dy,
                to = dx
        )
            using (Bounds.Know(upstream, dy.Length, to, dx.Length))
                (width ?? VectorWidths.Best).Run<PoolingGradientKernel, float>(
                    new(summary, window, null, gradientLayout, null, upstreamLayout, upstream, upstreamLayout, to, gradientLayout)
                );
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
                for (int pixel = 0; pixel < layout.Width; pixel++, at += Lanes)
                    dx[at] += value;
            }
        }
    }

    private readonly struct PoolingGradientKernel(
        Summary summary,
        PlaneWindow window,
        float* x,
        BlockedLayout inputLayout,
        float* y,
        BlockedLayout outputLayout,
        float* dy,
        BlockedLayout upstreamLayout,
        float* dx,
        BlockedLayout gradientLayout
    ) : IVectorKernel<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            PoolingKernel.Taps[] across = PoolingKernel.Taps.Across(window, gradientLayout, upstreamLayout.Width);
            for (int plane = 0; plane < upstreamLayout.Images * upstreamLayout.Blocks; plane++)
            {
                (int image, int block) = Math.DivRem(plane, upstreamLayout.Blocks);
                for (int row = 0; row < upstreamLayout.Height; row++)
                for (int lane = 0; lane < Lanes; lane += TWidth.Count)
                {
                    PoolingKernel.Taps down = PoolingKernel.Taps.Down(window, gradientLayout, row);
                    float* to = dx + gradientLayout.Pixel(image, block, down.Start, 0) + lane,
                        upstream = dy + upstreamLayout.Pixel(image, block, row, 0) + lane;
                    if (summary == Summary.Maximum)
                        Maxima<TWidth, TVector>(
                            across,
                            down.Count,
                            x + inputLayout.Pixel(image, block, down.Start, 0) + lane,
                            y + outputLayout.Pixel(image, block, row, 0) + lane,
                            upstream,
                            to
                        );
                    else
                        Means<TWidth, TVector>(across, down, upstream, to);
                }
            }
        }

        /// <summary>One row of windows: the upstream gradient goes to the first of the largest values.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Maxima<TWidth, TVector>(
            PoolingKernel.Taps[] across,
            int rows,
            float* source,
            float* result,
            float* upstream,
            float* to
        )
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            int sourcePitch = window.DilationY * inputLayout.RowPitch,
                pitch = window.DilationY * gradientLayout.RowPitch,
                step = window.DilationX * Lanes;
            foreach (PoolingKernel.Taps right in across)
            {
                TVector left = TWidth.Load(upstream),
                    largest = TWidth.Load(result);
                float* from = source + right.Start * Lanes,
                    target = to + right.Start * Lanes;
                for (int h = rows; h > 0; h--, from += sourcePitch, target += pitch)
                for (int at = 0, end = right.Count * step; at < end; at += step)
                {
                    TVector share = TWidth.WhereEqual(TWidth.Load(from + at), largest, left);
                    left = TWidth.Subtract(left, share); // the next of equals finds nothing left
                    TWidth.Store(TWidth.Add(TWidth.Load(target + at), share), target + at);
                }
                upstream += Lanes;
                result += Lanes;
            }
        }

        /// <summary>One row of windows: every value gets the same share.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Means<TWidth, TVector>(PoolingKernel.Taps[] across, PoolingKernel.Taps down, float* upstream, float* to)
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            int pitch = window.DilationY * gradientLayout.RowPitch,
                step = window.DilationX * Lanes;
            foreach (PoolingKernel.Taps right in across)
            {
                int count = summary == Summary.MeanOverPadding ? down.InPadding * right.InPadding : down.Count * right.Count;
                TVector share = TWidth.Multiply(TWidth.Load(upstream), TWidth.Broadcast(1f / count));
                float* target = to + right.Start * Lanes;
                for (int h = down.Count; h > 0; h--, target += pitch)
                for (int at = 0, end = right.Count * step; at < end; at += step)
                    TWidth.Store(TWidth.Add(TWidth.Load(target + at), share), target + at);
                upstream += Lanes;
            }
        }
    }
}
