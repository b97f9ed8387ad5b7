namespace Tensorial.Kernels.Blocked;

/// <summary>What an average divides by.</summary>
internal enum AverageOver
{
    /// <summary>The taps that meet the input.</summary>
    Input,

    /// <summary>The taps that meet the input or its padding.</summary>
    Padding,
}

/// <summary>
/// Pooling of blocked activations. Output extents are the caller's: a last window may reach beyond the padding (ceiling mode).
/// </summary>
internal static unsafe class BlockedPooling
{
    /// <summary>The largest value of each window; what lies outside the input takes no part. NaN wins. The halo is not read.</summary>
    public static void Maximum(
        in PlaneWindow window,
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    ) => Pool(VectorWidths.Best, Summary.Maximum, window, input, inputLayout, output, outputLayout, workers);

    /// <summary>The mean of each window. The halo is not read.</summary>
    public static void Average(
        in PlaneWindow window,
        AverageOver over,
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    ) =>
        Pool(
            VectorWidths.Best,
            over == AverageOver.Input ? Summary.MeanOverInput : Summary.MeanOverPadding,
            window,
            input,
            inputLayout,
            output,
            outputLayout,
            workers
        );

    /// <summary>The mean of every plane as plain [image][channel].</summary>
    public static void GlobalAverage(ReadOnlySpan<float> input, BlockedLayout layout, Span<float> means, Workers workers) =>
        GlobalAverage(VectorWidths.Best, input, layout, means, new(layout.Images, layout.Channels, 1, 1, default), isPlain: true, workers);

    /// <summary>The mean of every plane as a blocked value of one pixel.</summary>
    public static void GlobalAverage(
        ReadOnlySpan<float> input,
        BlockedLayout layout,
        Span<float> means,
        BlockedLayout meansLayout,
        Workers workers
    ) => GlobalAverage(VectorWidths.Best, input, layout, means, meansLayout, isPlain: false, workers);

    internal static void Pool(
        VectorWidth width,
        Summary summary,
        in PlaneWindow window,
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    )
    {
        if (inputLayout.Images != outputLayout.Images || inputLayout.Channels != outputLayout.Channels)
            throw new ArgumentException($"Pooling keeps images and channels: {inputLayout} and {outputLayout} differ.");
        inputLayout.Holds(input);
        outputLayout.Holds(output);
        fixed (
            float* x = input,
                y = output
        )
            using (Bounds.Know(x, input.Length, y, output.Length))
                width.Run<PoolingKernel, float>(new(summary, window, x, inputLayout, y, outputLayout, workers));
    }

    internal static void GlobalAverage(
        VectorWidth width,
        ReadOnlySpan<float> input,
        BlockedLayout layout,
        Span<float> means,
        BlockedLayout meansLayout,
        bool isPlain,
        Workers workers
    )
    {
        if (meansLayout with { Halo = default } != layout with { Height = 1, Width = 1, Halo = default })
            throw new ArgumentException($"The means of {layout} are one pixel per image and channel, not {meansLayout}.");
        int needed = isPlain ? layout.Images * layout.Channels : meansLayout.Length;
        if (means.Length < needed)
            throw new ArgumentException($"The means need {needed} floats, not {means.Length}.");
        layout.Holds(input);
        fixed (
            float* x = input,
                y = means
        )
            using (Bounds.Know(x, input.Length, y, means.Length))
                width.Run<GlobalAverageKernel, float>(new(x, layout, y, meansLayout, isPlain, workers));
    }
}
