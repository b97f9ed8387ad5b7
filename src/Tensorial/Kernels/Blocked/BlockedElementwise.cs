using System.Numerics.Tensors;

namespace Tensorial.Kernels.Blocked;

/// <summary>The four operations on two values.</summary>
internal enum BinaryFunction
{
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// <summary>
/// Functions of every value of blocked activations. Halos may differ and are neither read nor written; an output may be an input of the
/// same layout. Padding lanes are computed along: they may hold anything.
/// </summary>
internal static unsafe class BlockedElementwise
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>y = f(a ∘ b).</summary>
    public static void Binary(
        BinaryFunction operation,
        ReadOnlySpan<float> a,
        BlockedLayout aLayout,
        ReadOnlySpan<float> b,
        BlockedLayout bLayout,
        Activation activation,
        Span<float> y,
        BlockedLayout yLayout,
        Workers workers
    )
    {
        SameExtents(aLayout, yLayout);
        SameExtents(bLayout, yLayout);
        aLayout.Holds(a);
        bLayout.Holds(b);
        yLayout.Holds(y);
        fixed (
            float* aStart = a,
                bStart = b,
                yStart = y
        )
            using (Bounds.Know(aStart, a.Length, bStart, b.Length, yStart, y.Length))
                Run(new(aStart, aLayout), new(bStart, bLayout), new(yStart, yLayout), new BinaryRow(operation, activation), workers);
    }

    /// <summary>y = f(x).</summary>
    public static void Activate(
        Activation activation,
        ReadOnlySpan<float> x,
        BlockedLayout xLayout,
        Span<float> y,
        BlockedLayout yLayout,
        Workers workers
    )
    {
        SameExtents(xLayout, yLayout);
        xLayout.Holds(x);
        yLayout.Holds(y);
        fixed (
            float* xStart = x,
                yStart = y
        )
            using (Bounds.Know(xStart, x.Length, yStart, y.Length))
                Run(new(xStart, xLayout), default, new(yStart, yLayout), new ActivationRow(activation, xLayout.Channels), workers);
    }

    /// <summary>dx = dy · f'; dx may be dy.</summary>
    /// <param name="fromResult">Whether <paramref name="at"/> holds f(x), or x.</param>
    public static void ActivateGradient(
        Activation activation,
        bool fromResult,
        ReadOnlySpan<float> at,
        BlockedLayout atLayout,
        ReadOnlySpan<float> dy,
        BlockedLayout dyLayout,
        Span<float> dx,
        BlockedLayout dxLayout,
        Workers workers
    )
    {
        SameExtents(atLayout, dxLayout);
        SameExtents(dyLayout, dxLayout);
        atLayout.Holds(at);
        dyLayout.Holds(dy);
        dxLayout.Holds(dx);
        fixed (
            float* atStart = at,
                dyStart = dy,
                dxStart = dx
        )
            using (Bounds.Know(atStart, at.Length, dyStart, dy.Length, dxStart, dx.Length))
                Run(new(atStart, atLayout), new(dyStart, dyLayout), new(dxStart, dxLayout), new SlopeRow(activation, fromResult), workers);
    }

    /// <summary>
    /// y = f(scale[channel] · x + shift[channel]): a batch normalisation that could not be folded. Either may be empty: 1 and 0.
    /// </summary>
    public static void ScaleShift(
        ReadOnlySpan<float> x,
        BlockedLayout xLayout,
        ReadOnlySpan<float> scale,
        ReadOnlySpan<float> shift,
        Activation activation,
        Span<float> y,
        BlockedLayout yLayout,
        Workers workers
    )
    {
        SameExtents(xLayout, yLayout);
        xLayout.Holds(x);
        yLayout.Holds(y);
        OfChannels(scale, xLayout.Channels);
        OfChannels(shift, xLayout.Channels);
        fixed (
            float* xStart = x,
                yStart = y,
                scaleStart = scale,
                shiftStart = shift
        )
            using (Bounds.Know(xStart, x.Length, yStart, y.Length, scaleStart, scale.Length, shiftStart, shift.Length))
                Run(
                    new(xStart, xLayout),
                    default,
                    new(yStart, yLayout),
                    new ScaleShiftRow(scaleStart, shiftStart, xLayout.Channels, 0, activation),
                    workers
                );
    }

    /// <summary>y = f(factor[image, channel] · x), factors plain [image][channel]: squeeze-and-excitation.</summary>
    public static void ScaleImages(
        ReadOnlySpan<float> x,
        BlockedLayout xLayout,
        ReadOnlySpan<float> factors,
        Activation activation,
        Span<float> y,
        BlockedLayout yLayout,
        Workers workers
    )
    {
        SameExtents(xLayout, yLayout);
        xLayout.Holds(x);
        yLayout.Holds(y);
        OfChannels(factors, xLayout.Images * xLayout.Channels);
        fixed (
            float* xStart = x,
                yStart = y,
                scaleStart = factors
        )
            using (Bounds.Know(xStart, x.Length, yStart, y.Length, scaleStart, factors.Length))
                Run(
                    new(xStart, xLayout),
                    default,
                    new(yStart, yLayout),
                    new ScaleShiftRow(scaleStart, null, xLayout.Channels, xLayout.Channels, activation),
                    workers
                );
    }

    /// <summary>y = f(factor · x), factors a blocked value of one pixel per image: squeeze-and-excitation.</summary>
    public static void ScaleImages(
        ReadOnlySpan<float> x,
        BlockedLayout xLayout,
        ReadOnlySpan<float> factors,
        BlockedLayout factorLayout,
        Activation activation,
        Span<float> y,
        BlockedLayout yLayout,
        Workers workers
    )
    {
        SameExtents(xLayout, yLayout);
        if (
            factorLayout is not { Height: 1, Width: 1 }
            || factorLayout.Images != xLayout.Images
            || factorLayout.Channels != xLayout.Channels
        )
            throw new ArgumentException($"Factors for {xLayout} have one pixel per image and channel, not {factorLayout}.");
        xLayout.Holds(x);
        yLayout.Holds(y);
        factorLayout.Holds(factors);
        fixed (
            float* xStart = x,
                yStart = y,
                factorStart = factors
        )
            using (Bounds.Know(xStart, x.Length, yStart, y.Length, factorStart, factors.Length))
                Run(new(xStart, xLayout), default, new(yStart, yLayout), new PixelScaleRow(factorStart, factorLayout, activation), workers);
    }

    /// <summary>y = x where positive, slope[channel] · x elsewhere. One slope serves all channels.</summary>
    public static void PRelu(
        ReadOnlySpan<float> x,
        BlockedLayout xLayout,
        ReadOnlySpan<float> slopes,
        Span<float> y,
        BlockedLayout yLayout,
        Workers workers
    )
    {
        SameExtents(xLayout, yLayout);
        if (slopes.Length == 1)
        {
            Activate(Activation.LeakyRelu(slopes[0]), x, xLayout, y, yLayout, workers);
            return;
        }
        xLayout.Holds(x);
        yLayout.Holds(y);
        OfChannels(slopes, xLayout.Channels);
        fixed (
            float* xStart = x,
                yStart = y,
                slopeStart = slopes
        )
            using (Bounds.Know(xStart, x.Length, yStart, y.Length, slopeStart, slopes.Length))
                Run(new(xStart, xLayout), default, new(yStart, yLayout), new PReluRow(slopeStart, xLayout.Channels), workers);
    }

    private readonly struct BinaryRow(BinaryFunction operation, Activation activation) : IRowFunction
    {
        public void Apply(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y, int image, int block)
        {
            switch (operation)
            {
                case BinaryFunction.Add:
                    TensorPrimitives.Add(a, b, y);
                    break;
                case BinaryFunction.Subtract:
                    TensorPrimitives.Subtract(a, b, y);
                    break;
                case BinaryFunction.Multiply:
                    TensorPrimitives.Multiply(a, b, y);
                    break;
                default:
                    TensorPrimitives.Divide(a, b, y);
                    break;
            }
            activation.Apply(y, y);
        }
    }

    private readonly struct ActivationRow(Activation activation, int channels) : IRowFunction
    {
        public void Apply(ReadOnlySpan<float> x, ReadOnlySpan<float> unused, Span<float> y, int image, int block) =>
            activation.ApplyLanes(x, y, channels - block * Lanes);
    }

    private readonly struct SlopeRow(Activation activation, bool fromResult) : IRowFunction
    {
        public void Apply(ReadOnlySpan<float> at, ReadOnlySpan<float> dy, Span<float> dx, int image, int block) =>
            activation.Chain(fromResult, at, dy, dx);
    }

    private readonly struct ScaleShiftRow(float* scale, float* shift, int channels, int imagePitch, Activation activation) : IRowFunction
    {
        public void Apply(ReadOnlySpan<float> x, ReadOnlySpan<float> unused, Span<float> y, int image, int block)
        {
            float* scales = stackalloc float[Lanes],
                shifts = stackalloc float[Lanes];
            Gather(scale == null ? null : scale + image * imagePitch, channels, block, 1, scales);
            Gather(shift, channels, block, 0, shifts);
            fixed (
                float* from = x,
                    to = y
            )
                ChannelRows.ScaleShift(VectorWidths.Best, from, scales, shifts, to, x.Length / Lanes);
            activation.Apply(y, y);
        }
    }

    private readonly struct PixelScaleRow(float* factors, BlockedLayout layout, Activation activation) : IRowFunction
    {
        public void Apply(ReadOnlySpan<float> x, ReadOnlySpan<float> unused, Span<float> y, int image, int block)
        {
            float* shifts = stackalloc float[Lanes];
            Gather(null, 0, block, 0, shifts);
            fixed (
                float* from = x,
                    to = y
            )
                ChannelRows.ScaleShift(VectorWidths.Best, from, factors + layout.Pixel(image, block, 0, 0), shifts, to, x.Length / Lanes);
            activation.Apply(y, y);
        }
    }

    private readonly struct PReluRow(float* slopes, int channels) : IRowFunction
    {
        public void Apply(ReadOnlySpan<float> x, ReadOnlySpan<float> unused, Span<float> y, int image, int block)
        {
            float* slope = stackalloc float[Lanes];
            Gather(slopes, channels, block, 1, slope);
            fixed (
                float* from = x,
                    to = y
            )
                ChannelRows.Leak(VectorWidths.Best, from, slope, to, x.Length / Lanes);
        }
    }

    /// <summary>One block's parameters, a neutral value in the lanes beyond the channels or where there are none.</summary>
    private static void Gather(float* values, int channels, int block, float neutral, float* to)
    {
        Span<float> lanes = Bounds.Span(to, Lanes);
        lanes.Fill(neutral);
        int first = block * Lanes;
        if (values != null)
            Bounds.Span(values + first, Math.Min(Lanes, channels - first)).CopyTo(lanes);
    }

    /// <summary>A function of corresponding rows; the second is empty for functions of one value.</summary>
    private interface IRowFunction
    {
        void Apply(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y, int image, int block);
    }

    private readonly struct ElementwiseOperand(float* start, BlockedLayout layout)
    {
        public BlockedLayout Layout => layout;

        public Span<float> Row(int image, int block, int row, int length) =>
            start == null ? default : Bounds.Span(start + layout.Pixel(image, block, row, 0), length);
    }

    private static void Run<TFunction>(
        ElementwiseOperand a,
        ElementwiseOperand b,
        ElementwiseOperand y,
        TFunction function,
        Workers workers
    )
        where TFunction : struct, IRowFunction => workers.Run(y.Layout.Images * y.Layout.Blocks, new RowWalk<TFunction>(a, b, y, function));

    private readonly struct RowWalk<TFunction>(ElementwiseOperand a, ElementwiseOperand b, ElementwiseOperand y, TFunction function)
        : ILoopBody
        where TFunction : struct, IRowFunction
    {
        public void Run(int plane)
        {
            (int image, int block) = Math.DivRem(plane, y.Layout.Blocks);
            int length = y.Layout.Width * Lanes;
            for (int row = 0; row < y.Layout.Height; row++)
                function.Apply(
                    a.Row(image, block, row, length),
                    b.Row(image, block, row, length),
                    y.Row(image, block, row, length),
                    image,
                    block
                );
        }
    }

    private static void OfChannels(ReadOnlySpan<float> values, int count)
    {
        if (!values.IsEmpty && values.Length < count)
            throw new ArgumentException($"{count} values are needed, not {values.Length}.");
    }

    internal static void SameExtents(BlockedLayout x, BlockedLayout y)
    {
        if (x with { Halo = default } != y with { Halo = default })
            throw new ArgumentException($"{x} and {y} differ in more than their halos.");
    }
}
