using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// Batch normalisation of blocked activations while training, in four passes of which each reads a plane once: sums over the batch, the
/// result; sums over the batch for the gradient, the gradient. All run over some images on one thread; sums go to lanes of their own.
/// </summary>
/// <remarks>
/// Parameters by channel are padded to whole blocks; what they hold beyond the channels reaches no result. A width other than the best is
/// for tests.
/// </remarks>
internal static unsafe class BlockedNormalization
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>sums[c] += Σ (x - pivot), sums[channels + c] += Σ (x - pivot)², channels padded to blocks.</summary>
    public static void AddMoments(
        ReadOnlySpan<float> x,
        BlockedLayout layout,
        ReadOnlySpan<float> pivot,
        Span<double> sums,
        VectorWidth? width = null
    )
    {
        layout.Holds(x);
        Padded(layout, pivot.Length, sums.Length / 2);
        fixed (
            float* source = x,
                center = pivot
        )
            using (Bounds.Know(source, x.Length, center, pivot.Length))
                fixed (double* to = sums)
                    using (Bounds.Know(to, sums.Length))
                        (width ?? VectorWidths.Best).Run<MomentsKernel, float>(new(source, layout, center, to));
    }

    /// <summary>y = scale x + shift + residual, held within the bounds of the activation.</summary>
    /// <param name="residual">A value of the same extents in its own layout, or empty.</param>
    /// <param name="activation">None, Relu or Clip.</param>
    public static void Apply(
        ReadOnlySpan<float> x,
        BlockedLayout layout,
        ReadOnlySpan<float> scale,
        ReadOnlySpan<float> shift,
        ReadOnlySpan<float> residual,
        BlockedLayout residualLayout,
        Activation activation,
        Span<float> y,
        BlockedLayout outputLayout,
        VectorWidth? width = null
    )
    {
        BlockedElementwise.SameExtents(layout, outputLayout);
        layout.Holds(x);
        outputLayout.Holds(y);
        if (!residual.IsEmpty)
        {
            BlockedElementwise.SameExtents(layout, residualLayout);
            residualLayout.Holds(residual);
        }
        Padded(layout, scale.Length, shift.Length);
        fixed (
            float* source = x,
                a = scale,
                b = shift,
                r = residual,
                target = y
        )
            using (Bounds.Know(source, x.Length, a, scale.Length, b, shift.Length, r, residual.Length, target, y.Length))
                (width ?? VectorWidths.Best).Run<ApplyKernel, float>(
                    new(source, layout, a, b, r, residualLayout, Limits(activation), target, outputLayout)
                );
    }

    /// <summary>
    /// dy becomes 0 where y is at or beyond a bound of the activation; then sums[c] += Σ dy and, unless x is empty, sums[channels + c] +=
    /// Σ dy (x - mean).
    /// </summary>
    /// <param name="activation">None, Relu or Clip.</param>
    /// <param name="y">The activation's result, or empty where there was none.</param>
    public static void AddGradientSums(
        Span<float> dy,
        BlockedLayout layout,
        Activation activation,
        ReadOnlySpan<float> y,
        BlockedLayout resultLayout,
        ReadOnlySpan<float> x,
        BlockedLayout inputLayout,
        ReadOnlySpan<float> mean,
        Span<double> sums,
        VectorWidth? width = null
    )
    {
        layout.Holds(dy);
        if (!y.IsEmpty)
        {
            BlockedElementwise.SameExtents(layout, resultLayout);
            resultLayout.Holds(y);
        }
        if (!x.IsEmpty)
        {
            BlockedElementwise.SameExtents(layout, inputLayout);
            inputLayout.Holds(x);
        }
        Padded(layout, x.IsEmpty ? int.MaxValue : mean.Length, x.IsEmpty ? sums.Length : sums.Length / 2);
        fixed (
            float* gradient = dy,
                result = y,
                source = x,
                center = mean
        )
            using (Bounds.Know(gradient, dy.Length, result, y.Length, source, x.Length, center, mean.Length))
                fixed (double* to = sums)
                    using (Bounds.Know(to, sums.Length))
                        (width ?? VectorWidths.Best).Run<GradientSumsKernel, float>(
                            new(gradient, layout, Limits(activation), result, resultLayout, source, inputLayout, center, to)
                        );
    }

    /// <summary>dx = a dy + b x + c.</summary>
    public static void ApplyGradient(
        ReadOnlySpan<float> dy,
        BlockedLayout layout,
        ReadOnlySpan<float> x,
        BlockedLayout inputLayout,
        ReadOnlySpan<float> a,
        ReadOnlySpan<float> b,
        ReadOnlySpan<float> c,
        Span<float> dx,
        BlockedLayout gradientLayout,
        VectorWidth? width = null
    )
    {
        BlockedElementwise.SameExtents(layout, gradientLayout);
        BlockedElementwise.SameExtents(layout, inputLayout);
        layout.Holds(dy);
        inputLayout.Holds(x);
        gradientLayout.Holds(dx);
        Padded(layout, a.Length, Math.Min(b.Length, c.Length));
        fixed (
            float* gradient = dy,
                source = x,
                first = a,
                second = b,
                third = c,
                target = dx
        )
            using (
                Bounds.Know(gradient, dy.Length, source, x.Length, first, a.Length, second, b.Length, third, c.Length, target, dx.Length)
            )
                (width ?? VectorWidths.Best).Run<GradientKernel, float>(
                    new(gradient, layout, source, inputLayout, first, second, third, target, gradientLayout)
                );
    }

    /// <summary>Refuses parameters by channel that do not fill whole blocks.</summary>
    private static void Padded(in BlockedLayout layout, int first, int second)
    {
        if (Math.Min(first, second) < layout.Blocks * Lanes)
            throw new ArgumentException($"{layout} has {layout.Blocks * Lanes} channels with padding, not {Math.Min(first, second)}.");
    }

    private static (float Low, float High) Limits(Activation activation) =>
        activation.Kind switch
        {
            ActivationKind.None => (float.NegativeInfinity, float.PositiveInfinity),
            ActivationKind.Relu => (0, float.PositiveInfinity),
            ActivationKind.Clip => (activation.Low, activation.High),
            _ => throw new ArgumentException($"{activation.Kind} is not held within bounds."),
        };

    private readonly struct MomentsKernel(float* x, BlockedLayout layout, float* pivot, double* sums) : IVectorKernel<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            for (int plane = 0; plane < layout.Images * layout.Blocks; plane++)
            {
                (int image, int block) = Math.DivRem(plane, layout.Blocks);
                for (int lane = 0; lane < Lanes; lane += TWidth.Count)
                {
                    int channel = block * Lanes + lane;
                    TVector zero = TWidth.Broadcast(0),
                        center = TWidth.Load(pivot + channel),
                        s0 = zero,
                        s1 = zero,
                        q0 = zero,
                        q1 = zero;
                    for (int row = 0; row < layout.Height; row++)
                    {
                        float* at = x + layout.Pixel(image, block, row, 0) + lane;
                        int pixel = layout.Width;
                        for (; pixel > 1; pixel -= 2, at += 2 * Lanes)
                        {
                            TVector u = TWidth.Subtract(TWidth.Load(at), center),
                                v = TWidth.Subtract(TWidth.Load(at + Lanes), center);
                            (s0, s1) = (TWidth.Add(s0, u), TWidth.Add(s1, v));
                            (q0, q1) = (TWidth.MultiplyAdd(u, u, q0), TWidth.MultiplyAdd(v, v, q1));
                        }
                        if (pixel == 0)
                            continue;
                        TVector last = TWidth.Subtract(TWidth.Load(at), center);
                        (s0, q0) = (TWidth.Add(s0, last), TWidth.MultiplyAdd(last, last, q0));
                    }
                    AddTo<TWidth, TVector>(TWidth.Add(s0, s1), sums + channel);
                    AddTo<TWidth, TVector>(TWidth.Add(q0, q1), sums + layout.Blocks * Lanes + channel);
                }
            }
        }
    }

    private readonly struct ApplyKernel(
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
            for (int plane = 0; plane < layout.Images * layout.Blocks; plane++)
            {
                (int image, int block) = Math.DivRem(plane, layout.Blocks);
                for (int lane = 0; lane < Lanes; lane += TWidth.Count)
                {
                    TVector a = TWidth.Load(scale + block * Lanes + lane),
                        b = TWidth.Load(shift + block * Lanes + lane);
                    for (int row = 0; row < layout.Height; row++)
                    {
                        float* from = x + layout.Pixel(image, block, row, 0) + lane,
                            to = y + outputLayout.Pixel(image, block, row, 0) + lane;
                        float* more = residual == null ? null : residual + residualLayout.Pixel(image, block, row, 0) + lane;
                        int end = layout.Width * Lanes;
                        if (more == null)
                            for (int at = 0; at < end; at += Lanes)
                                TWidth.Store(
                                    TWidth.AtMost(high, TWidth.AtLeast(low, TWidth.MultiplyAdd(TWidth.Load(from + at), a, b))),
                                    to + at
                                );
                        else
                            for (int at = 0; at < end; at += Lanes)
                                TWidth.Store(
                                    TWidth.AtMost(
                                        high,
                                        TWidth.AtLeast(
                                            low,
                                            TWidth.Add(TWidth.MultiplyAdd(TWidth.Load(from + at), a, b), TWidth.Load(more + at))
                                        )
                                    ),
                                    to + at
                                );
                    }
                }
            }
        }
    }

    private readonly struct GradientSumsKernel(
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
            TVector low = TWidth.Broadcast(bounds.Low),
                high = TWidth.Broadcast(bounds.High);
            for (int plane = 0; plane < layout.Images * layout.Blocks; plane++)
            {
                (int image, int block) = Math.DivRem(plane, layout.Blocks);
                for (int lane = 0; lane < Lanes; lane += TWidth.Count)
                {
                    int channel = block * Lanes + lane;
                    TVector zero = TWidth.Broadcast(0),
                        center = x == null ? zero : TWidth.Load(mean + channel),
                        sum = zero,
                        along = zero;
                    for (int row = 0; row < layout.Height; row++)
                    {
                        float* gradient = dy + layout.Pixel(image, block, row, 0) + lane;
                        int end = layout.Width * Lanes;
                        if (y != null)
                        {
                            float* result = y + resultLayout.Pixel(image, block, row, 0) + lane;
                            if (bounds is { Low: 0, High: float.PositiveInfinity })
                                for (int at = 0; at < end; at += Lanes)
                                    TWidth.Store(TWidth.WherePositive(TWidth.Load(result + at), TWidth.Load(gradient + at)), gradient + at);
                            else
                                for (int at = 0; at < end; at += Lanes)
                                {
                                    TVector value = TWidth.Load(result + at),
                                        above = TWidth.WherePositive(TWidth.Subtract(value, low), TWidth.Load(gradient + at));
                                    TWidth.Store(TWidth.WherePositive(TWidth.Subtract(high, value), above), gradient + at);
                                }
                        }
                        if (x == null)
                        {
                            for (int at = 0; at < end; at += Lanes)
                                sum = TWidth.Add(sum, TWidth.Load(gradient + at));
                            continue;
                        }
                        float* source = x + inputLayout.Pixel(image, block, row, 0) + lane;
                        for (int at = 0; at < end; at += Lanes)
                        {
                            TVector value = TWidth.Load(gradient + at);
                            sum = TWidth.Add(sum, value);
                            along = TWidth.MultiplyAdd(value, TWidth.Subtract(TWidth.Load(source + at), center), along);
                        }
                    }
                    AddTo<TWidth, TVector>(sum, sums + channel);
                    if (x != null)
                        AddTo<TWidth, TVector>(along, sums + layout.Blocks * Lanes + channel);
                }
            }
        }
    }

    private readonly struct GradientKernel(
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
            for (int plane = 0; plane < layout.Images * layout.Blocks; plane++)
            {
                (int image, int block) = Math.DivRem(plane, layout.Blocks);
                for (int lane = 0; lane < Lanes; lane += TWidth.Count)
                {
                    int channel = block * Lanes + lane;
                    TVector first = TWidth.Load(a + channel),
                        second = TWidth.Load(b + channel),
                        third = TWidth.Load(c + channel);
                    for (int row = 0; row < layout.Height; row++)
                    {
                        float* gradient = dy + layout.Pixel(image, block, row, 0) + lane,
                            source = x + inputLayout.Pixel(image, block, row, 0) + lane;
                        float* to = dx + gradientLayout.Pixel(image, block, row, 0) + lane;
                        for (int at = 0, end = layout.Width * Lanes; at < end; at += Lanes)
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
    }

    private static void AddTo<TWidth, TVector>(TVector values, double* sums)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        float* numbers = stackalloc float[TWidth.Count];
        TWidth.Store(values, numbers);
        for (int i = 0; i < TWidth.Count; i++)
            sums[i] += numbers[i];
    }
}
