namespace Tensorial.Kernels.Blocked;

/// <summary>
/// Direct two-dimensional convolution of blocked activations, with bias, residual and activation applied as each tile is stored. Dense,
/// grouped and depthwise kernels are all computed by one tile (<see cref="ConvolutionTile"/>) under one loop
/// (<see cref="ConvolutionLoop"/>).
/// </summary>
internal static unsafe class BlockedConvolution
{
    /// <summary>Groups merged into one block at most; beyond that the zeros between them cost more than a general convolution.</summary>
    private const int MostMerged = 16;

    /// <summary>Biases up to this many channels are padded on the stack.</summary>
    private const int StackChannels = 8192;

    /// <summary>
    /// Whether these kernels compute it well: all but groups so narrow and odd that merging them into blocks would waste most of the work.
    /// </summary>
    public static bool Supports(in ConvolutionShape shape) => shape.Groups / shape.InBlocks().Groups <= MostMerged;

    /// <summary>Whether a method computes it: Winograd's take kernels of 3×3 with stride 1, without dilation and groups.</summary>
    public static bool Supports(in ConvolutionShape shape, ConvolutionMethod method) =>
        method == ConvolutionMethod.Direct ? Supports(shape) : WinogradKernel.Supports(shape);

    /// <summary>Packs [outputs, inputs / groups, height, width] for a method of computing.</summary>
    public static PackedKernel Pack(
        ReadOnlySpan<float> kernel,
        in ConvolutionShape shape,
        ConvolutionMethod method = ConvolutionMethod.Direct
    ) => PackedKernel.From(kernel, shape, method);

    /// <summary>output = activation(convolution(input) + bias + residual).</summary>
    /// <param name="shape">The convolution; the input's halo covers its padding and is zero.</param>
    /// <param name="bias">By output channel, or empty.</param>
    /// <param name="residual">A value of the output's extents in its own layout, or empty.</param>
    /// <param name="output">Its interior is written, its halo is not touched. Does not overlap the input; may be the residual.</param>
    public static void Run(
        in ConvolutionShape shape,
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        PackedKernel kernel,
        ReadOnlySpan<float> bias,
        ReadOnlySpan<float> residual,
        BlockedLayout residualLayout,
        Activation activation,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    ) =>
        Run(
            VectorWidths.Best,
            shape,
            input,
            inputLayout,
            kernel,
            bias,
            residual,
            residualLayout,
            activation,
            output,
            outputLayout,
            workers
        );

    internal static void Run(
        VectorWidth width,
        in ConvolutionShape shape,
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        PackedKernel kernel,
        ReadOnlySpan<float> bias,
        ReadOnlySpan<float> residual,
        BlockedLayout residualLayout,
        Activation activation,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    )
    {
        Check(shape, inputLayout, residual.IsEmpty ? outputLayout : residualLayout, outputLayout);
        inputLayout.Holds(input);
        outputLayout.Holds(output);
        if (!residual.IsEmpty)
            residualLayout.Holds(residual);
        if (!kernel.Fits(shape))
            throw new ArgumentException($"The kernel was packed for another convolution than {shape}.");
        int channels = outputLayout.Blocks * BlockedLayout.ChannelBlock;
        Span<float> biases = channels <= StackChannels ? stackalloc float[channels] : new float[channels];
        biases.Clear();
        bias.CopyTo(biases);
        fixed (
            float* x = input,
                w = kernel.Values,
                b = biases,
                r = residual,
                y = output
        )
            using (Bounds.Know(x, input.Length, w, kernel.Values.Length, b, biases.Length, r, residual.Length, y, output.Length))
            {
                ConvolutionData data = new(x, inputLayout, w + kernel.Start, b, r, residualLayout, y, outputLayout);
                width.Run<ConvolutionKernel, float>(new(kernel.Method, shape.InBlocks(), data, activation, workers));
            }
    }

    private readonly struct ConvolutionKernel(
        ConvolutionMethod method,
        ConvolutionShape shape,
        ConvolutionData data,
        Activation activation,
        Workers workers
    ) : IVectorKernel<float>
    {
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            if (method == ConvolutionMethod.Direct)
                ConvolutionLoop.Run<TWidth, TVector>(shape, data, activation, workers);
            else if (method == ConvolutionMethod.Winograd2)
                WinogradLoop.Run<TWidth, TVector, Winograd2>(shape, data, activation, workers);
            else
                WinogradLoop.Run<TWidth, TVector, Winograd4>(shape, data, activation, workers);
        }
    }

    private static void Check(in ConvolutionShape shape, in BlockedLayout input, in BlockedLayout residual, in BlockedLayout output)
    {
        if (!input.Halo.Covers(shape.Padding))
            throw new ArgumentException($"The input's halo {input.Halo} does not cover the padding {shape.Padding}.");
        if (input.Channels != shape.InputChannels)
            throw new ArgumentException($"{shape} takes {shape.InputChannels} channels, not {input.Channels}.");
        CheckExtents(shape, input, output);
        BlockedElementwise.SameExtents(residual, output);
    }

    /// <summary>Refuses an output whose windows would reach beyond the input and its padding.</summary>
    internal static void CheckExtents(in ConvolutionShape shape, in BlockedLayout input, in BlockedLayout output)
    {
        Halo padding = shape.Padding;
        BlockedLayout result = output with
        {
            Images = input.Images,
            Channels = shape.OutputChannels,
            Height = Positions((long)input.Height + padding.Top + padding.Bottom, shape.KernelHeight, shape.StrideY, shape.DilationY),
            Width = Positions((long)input.Width + padding.Left + padding.Right, shape.KernelWidth, shape.StrideX, shape.DilationX),
        };
        if (output != result)
            throw new ArgumentException($"The output is {result}, not {output}.");
    }

    private static int Positions(long extent, long taps, int stride, int dilation) =>
        extent - (taps - 1) * dilation - 1 is var room && room < 0 ? 0 : checked((int)(room / stride + 1));
}
