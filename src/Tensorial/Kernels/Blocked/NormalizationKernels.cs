using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The loops of <see cref="BlockedNormalization"/>. Each takes a row of a plane through all vectors of its sixteen channels before the next row: a plane that is larger than the
/// cache comes from memory once, not once for each vector.
/// </summary>
internal static unsafe class NormalizationKernels
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    internal readonly struct Moments(float* x, BlockedLayout layout, float* pivot, double* sums) : IVectorKernel<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            float* totals = stackalloc float[2 * Lanes];
            for (int plane = 0; plane < layout.Images * layout.Blocks; plane++)
            {
                (int image, int block) = Math.DivRem(plane, layout.Blocks);
                new Span<float>(totals, 2 * Lanes).Clear();
                for (int row = 0; row < layout.Height; row++)
                for (int lane = 0; lane < Lanes; lane += TWidth.Count)
                {
                    TVector center = TWidth.Load(pivot + block * Lanes + lane),
                        s0 = TWidth.Load(totals + lane),
                        q0 = TWidth.Load(totals + Lanes + lane),
                        s1 = TWidth.Broadcast(0),
                        q1 = TWidth.Broadcast(0);
                    float* at = x + layout.Pixel(image, block, row, 0) + lane;
                    int pixel = layout.Width;
                    for (; pixel > 1; pixel -= 2, at += 2 * Lanes)
                    {
                        TVector u = TWidth.Subtract(TWidth.Load(at), center),
                            v = TWidth.Subtract(TWidth.Load(at + Lanes), center);
                        (s0, s1) = (TWidth.Add(s0, u), TWidth.Add(s1, v));
                        (q0, q1) = (TWidth.MultiplyAdd(u, u, q0), TWidth.MultiplyAdd(v, v, q1));
                    }
                    if (pixel > 0)
                    {
                        TVector last = TWidth.Subtract(TWidth.Load(at), center);
                        (s0, q0) = (TWidth.Add(s0, last), TWidth.MultiplyAdd(last, last, q0));
                    }
                    TWidth.Store(TWidth.Add(s0, s1), totals + lane);
                    TWidth.Store(TWidth.Add(q0, q1), totals + Lanes + lane);
                }
                AddTo(totals, sums + block * Lanes);
                AddTo(totals + Lanes, sums + (layout.Blocks + block) * Lanes);
            }
        }
    }

    internal readonly struct Apply(
        float* x,
        BlockedLayout layout,
        float* scale,
        float* shift,
        float* residual,
        BlockedLayout residualLayout,
        (float Low, float High) bounds,
        float* y,
        BlockedLayout outputLayout
    ) : IVectorKernel<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            TVector low = TWidth.Broadcast(bounds.Low),
                high = TWidth.Broadcast(bounds.High);
            int end = layout.Width * Lanes;
            for (int plane = 0; plane < layout.Images * layout.Blocks; plane++)
            {
                (int image, int block) = Math.DivRem(plane, layout.Blocks);
                for (int row = 0; row < layout.Height; row++)
                for (int lane = 0; lane < Lanes; lane += TWidth.Count)
                {
                    TVector a = TWidth.Load(scale + block * Lanes + lane),
                        b = TWidth.Load(shift + block * Lanes + lane);
                    float* from = x + layout.Pixel(image, block, row, 0) + lane,
                        to = y + outputLayout.Pixel(image, block, row, 0) + lane;
                    if (residual == null)
                    {
                        for (int at = 0; at < end; at += Lanes)
                            TWidth.Store(
                                TWidth.AtMost(high, TWidth.AtLeast(low, TWidth.MultiplyAdd(TWidth.Load(from + at), a, b))),
                                to + at
                            );
                        continue;
                    }
                    float* more = residual + residualLayout.Pixel(image, block, row, 0) + lane;
                    for (int at = 0; at < end; at += Lanes)
                    {
                        TVector sum = TWidth.Add(TWidth.MultiplyAdd(TWidth.Load(from + at), a, b), TWidth.Load(more + at));
                        TWidth.Store(TWidth.AtMost(high, TWidth.AtLeast(low, sum)), to + at);
                    }
                }
            }
        }
    }

    internal readonly struct GradientSums(
        float* dy,
        BlockedLayout layout,
        (float Low, float High) bounds,
        float* y,
        BlockedLayout resultLayout,
        float* x,
        BlockedLayout inputLayout,
        float* mean,
        double* sums
    ) : IVectorKernel<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            float* totals = stackalloc float[2 * Lanes];
            for (int plane = 0; plane < layout.Images * layout.Blocks; plane++)
            {
                (int image, int block) = Math.DivRem(plane, layout.Blocks);
                new Span<float>(totals, 2 * Lanes).Clear();
                for (int row = 0; row < layout.Height; row++)
                for (int lane = 0; lane < Lanes; lane += TWidth.Count)
                {
                    float* gradient = dy + layout.Pixel(image, block, row, 0) + lane;
                    if (y != null)
                        Mask<TWidth, TVector>(y + resultLayout.Pixel(image, block, row, 0) + lane, gradient);
                    if (x == null)
                        Sum<TWidth, TVector>(gradient, totals + lane);
                    else
                        Sums<TWidth, TVector>(
                            gradient,
                            x + inputLayout.Pixel(image, block, row, 0) + lane,
                            TWidth.Load(mean + block * Lanes + lane),
                            totals + lane
                        );
                }
                AddTo(totals, sums + block * Lanes);
                if (x != null)
                    AddTo(totals + Lanes, sums + (layout.Blocks + block) * Lanes);
            }
        }

        /// <summary>A row of the gradient becomes 0 where the result is at or beyond a bound.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Mask<TWidth, TVector>(float* result, float* gradient)
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            int end = layout.Width * Lanes;
            if (bounds is { Low: 0, High: float.PositiveInfinity })
            {
                for (int at = 0; at < end; at += Lanes)
                    TWidth.Store(TWidth.WherePositive(TWidth.Load(result + at), TWidth.Load(gradient + at)), gradient + at);
                return;
            }
            TVector low = TWidth.Broadcast(bounds.Low),
                high = TWidth.Broadcast(bounds.High);
            for (int at = 0; at < end; at += Lanes)
                TWidth.Store(Within<TWidth, TVector>(low, high, TWidth.Load(result + at), TWidth.Load(gradient + at)), gradient + at);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Sum<TWidth, TVector>(float* gradient, float* total)
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            TVector sum = TWidth.Load(total);
            for (int at = 0, end = layout.Width * Lanes; at < end; at += Lanes)
                sum = TWidth.Add(sum, TWidth.Load(gradient + at));
            TWidth.Store(sum, total);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Sums<TWidth, TVector>(float* gradient, float* source, TVector center, float* total)
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            TVector sum = TWidth.Load(total),
                along = TWidth.Load(total + Lanes);
            for (int at = 0, end = layout.Width * Lanes; at < end; at += Lanes)
            {
                TVector value = TWidth.Load(gradient + at);
                sum = TWidth.Add(sum, value);
                along = TWidth.MultiplyAdd(value, TWidth.Subtract(TWidth.Load(source + at), center), along);
            }
            TWidth.Store(sum, total);
            TWidth.Store(along, total + Lanes);
        }
    }

    internal readonly struct Gradient(
        float* dy,
        BlockedLayout layout,
        float* x,
        BlockedLayout inputLayout,
        float* a,
        float* b,
        float* c,
        float* dx,
        BlockedLayout gradientLayout
    ) : IVectorKernel<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            int end = layout.Width * Lanes;
            for (int plane = 0; plane < layout.Images * layout.Blocks; plane++)
            {
                (int image, int block) = Math.DivRem(plane, layout.Blocks);
                for (int row = 0; row < layout.Height; row++)
                for (int lane = 0; lane < Lanes; lane += TWidth.Count)
                {
                    int channel = block * Lanes + lane;
                    TVector first = TWidth.Load(a + channel),
                        second = TWidth.Load(b + channel),
                        third = TWidth.Load(c + channel);
                    float* gradient = dy + layout.Pixel(image, block, row, 0) + lane,
                        source = x + inputLayout.Pixel(image, block, row, 0) + lane,
                        to = dx + gradientLayout.Pixel(image, block, row, 0) + lane;
                    for (int at = 0; at < end; at += Lanes)
                        TWidth.Store(
                            TWidth.MultiplyAdd(
                                TWidth.Load(gradient + at),
                                first,
                                TWidth.MultiplyAdd(TWidth.Load(source + at), second, third)
                            ),
                            to + at
                        );
                }
            }
        }
    }

    /// <summary>The value where another lies within both bounds, 0 elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Within<TWidth, TVector>(TVector low, TVector high, TVector other, TVector value)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct =>
        TWidth.WherePositive(TWidth.Subtract(high, other), TWidth.WherePositive(TWidth.Subtract(other, low), value));

    private static void AddTo(float* totals, double* sums)
    {
        Bounds.Check(sums, Lanes);
        for (int i = 0; i < Lanes; i++)
            sums[i] += totals[i];
    }
}
