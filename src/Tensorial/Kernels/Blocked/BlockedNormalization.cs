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
                        (width ?? VectorWidths.Best).Run<NormalizationKernels.Moments, float>(new(source, layout, center, to));
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
                (width ?? VectorWidths.Best).Run<NormalizationKernels.Apply, float>(
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
                        (width ?? VectorWidths.Best).Run<NormalizationKernels.GradientSums, float>(
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
                (width ?? VectorWidths.Best).Run<NormalizationKernels.Gradient, float>(
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
}
