using System.Numerics.Tensors;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The gradient of a convolution's kernel, dW[o,i,k] = Σ dy[n,o,y] x[n,i, stride·y + dilation·k - padding]: for every tap, products of 16
/// or 32 output channels by 16 or 8 input channels whose sums stay in registers while the pixels of a few rows pass. Sums are kept in the
/// order the tiles make them, [block of outputs][block of inputs it is connected with][tap][input][output], and put in order once a batch
/// is through. Depthwise: [block][tap][channel].
/// </summary>
internal static unsafe class KernelGradient
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>
    /// Rows of dy whose pixels pass before the sums go back to memory: with those of x, for 32 channels of 32 pixels, some 24 KB.
    /// </summary>
    private const int PixelsAtOnce = 128;

    /// <summary>Channels of a block beyond which all 16 are summed: a narrow tile loads an address for every multiplication.</summary>
    private const int MostNarrow = 12;

    /// <summary>
    /// Channels from which a tap's outer products by both vectors of a block of outputs hide the latency of the multiply-add.
    /// </summary>
    private const int LeastRows = 3;

    private const int Square = Lanes * Lanes;

    /// <summary>Floats the sums take.</summary>
    public static int SumsLength(in ConvolutionShape shape, ConvolutionMethod method) =>
        checked(Blocks(shape.OutputChannels) * Lanes * (shape.IsDepthwise ? 1 : MostBlocks(shape) * Lanes) * Taps(shape, method));

    /// <summary>Taps, or the products that stand in their place.</summary>
    private static int Taps(in ConvolutionShape shape, ConvolutionMethod method) =>
        method == ConvolutionMethod.Direct ? shape.KernelHeight * shape.KernelWidth : WinogradGradient.Products(method);

    /// <summary>Adds what some images come to, on one thread.</summary>
    /// <param name="shape">The convolution; the halo of x covers its padding and is zero.</param>
    /// <param name="method">Direct, or a method of Winograd where <see cref="WinogradGradient"/> knows it.</param>
    /// <param name="sums">To be added to, in the order described above.</param>
    public static void Add(
        in ConvolutionShape shape,
        ConvolutionMethod method,
        ReadOnlySpan<float> x,
        BlockedLayout inputLayout,
        ReadOnlySpan<float> dy,
        BlockedLayout outputLayout,
        Span<float> sums
    ) => Add(VectorWidths.Best, shape, method, x, inputLayout, dy, outputLayout, sums);

    internal static void Add(
        VectorWidth width,
        in ConvolutionShape shape,
        ConvolutionMethod method,
        ReadOnlySpan<float> x,
        BlockedLayout inputLayout,
        ReadOnlySpan<float> dy,
        BlockedLayout outputLayout,
        Span<float> sums
    )
    {
        if (!inputLayout.Halo.Covers(shape.Padding))
            throw new ArgumentException($"The input's halo {inputLayout.Halo} does not cover the padding {shape.Padding}.");
        inputLayout.Holds(x);
        outputLayout.Holds(dy);
        BlockedConvolution.CheckExtents(shape, inputLayout, outputLayout);
        if (sums.Length < SumsLength(shape, method))
            throw new ArgumentException($"The sums take {SumsLength(shape, method)} floats, not {sums.Length}.");
        fixed (
            float* input = x,
                upstream = dy,
                to = sums
        )
            using (Bounds.Know(input, x.Length, upstream, dy.Length, to, sums.Length))
                width.Run<KernelGradientKernel, float>(new(shape, method, input, inputLayout, upstream, outputLayout, to));
    }

    /// <summary>Adds the sums of all lanes, in their order, to a kernel gradient [outputs, inputs / groups, height, width].</summary>
    public static void Unpack(
        ConvolutionShape shape,
        ConvolutionMethod method,
        Span<float> sums,
        int lanes,
        Span<float> gradient,
        Workers workers
    )
    {
        int squares = shape.IsDepthwise ? 1 : MostBlocks(shape),
            length = SumsLength(shape, method);
        if (sums.Length < (long)lanes * length || gradient.Length < shape.KernelCount)
            throw new ArgumentException(
                $"{lanes} sums of {length} floats for {shape.KernelCount} weights do not fit {sums.Length} and {gradient.Length}."
            );
        fixed (
            float* from = sums,
                to = gradient
        )
            using (Bounds.Know(from, sums.Length, to, gradient.Length))
                workers.Run(Blocks(shape.OutputChannels) * squares, new Unpacking(shape, method, squares, from, lanes, length, to));
    }

    /// <summary>
    /// What lies together in the sums: all taps of a block of inputs by a block of outputs; depthwise, of a block of channels.
    /// </summary>
    private readonly struct Unpacking(
        ConvolutionShape shape,
        ConvolutionMethod method,
        int squares,
        float* sums,
        int lanes,
        int length,
        float* gradient
    ) : ILoopBody
    {
        public void Run(int index)
        {
            int taps = shape.KernelHeight * shape.KernelWidth,
                size = length / (Blocks(shape.OutputChannels) * squares);
            float[] whole = Bounds.Span(sums + (nint)index * size, size).ToArray();
            for (int lane = 1; lane < lanes; lane++)
                TensorPrimitives.Add(whole, Bounds.Span(sums + (nint)lane * length + (nint)index * size, size), whole);
            if (method != ConvolutionMethod.Direct)
                WinogradGradient.TransformBack(method, whole, whole = new float[taps * Square]);
            (int block, int inputBlock) = Math.DivRem(index, squares);
            int first = block * Lanes,
                outputs = Math.Min(Lanes, shape.OutputChannels - first);
            if (shape.IsDepthwise)
                for (int k = 0; k < outputs * taps; k++)
                    gradient[first * taps + k] += whole[k % taps * Lanes + k / taps];
            else
                for (int tap = 0; tap < taps; tap++)
                    Place(whole.AsSpan(tap * Square, Square), first, outputs, inputBlock, tap, taps);
        }

        private void Place(ReadOnlySpan<float> from, int first, int outputs, int inputBlock, int tap, int taps)
        {
            int inputs = shape.InputsPerGroup,
                start = (InputsOf(shape, first / Lanes).Start / Lanes + inputBlock) * Lanes;
            for (int o = 0; o < outputs; o++)
            {
                // The part of the block of inputs that lies in the output's group.
                int group = (first + o) / shape.OutputsPerGroup * inputs,
                    low = Math.Max(start, group),
                    high = Math.Min(start + Lanes, group + inputs);
                float* to = gradient + ((first + o) * inputs + low - group) * taps + tap;
                Bounds.Check(to, (long)(high - low - 1) * taps + 1);
                for (int i = low; i < high; i++, to += taps)
                    *to += from[(i - start) * Lanes + o];
            }
        }
    }

    private static int Blocks(int channels) => (channels + Lanes - 1) / Lanes;

    /// <summary>The input channels that a block of outputs is connected with: those of all groups it has a part in.</summary>
    private static (int Start, int End) InputsOf(in ConvolutionShape shape, int block)
    {
        int first = block * Lanes / shape.OutputsPerGroup,
            last = Math.Min(block * Lanes + Lanes - 1, shape.OutputChannels - 1) / shape.OutputsPerGroup;
        return (first * shape.InputsPerGroup, (last + 1) * shape.InputsPerGroup);
    }

    /// <summary>The most blocks of inputs that a block of outputs is connected with.</summary>
    private static int MostBlocks(in ConvolutionShape shape)
    {
        if (shape.Groups == 1)
            return Blocks(shape.InputChannels);
        int most = 0;
        for (int block = 0; block < Blocks(shape.OutputChannels); block++)
        {
            (int start, int end) = InputsOf(shape, block);
            most = Math.Max(most, Blocks(end) - start / Lanes);
        }
        return most;
    }

    private readonly struct KernelGradientKernel(
        ConvolutionShape shape,
        ConvolutionMethod method,
        float* x,
        BlockedLayout inputLayout,
        float* dy,
        BlockedLayout outputLayout,
        float* sums
    ) : IVectorKernel<float>
    {
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            if (method == ConvolutionMethod.Winograd4)
                WinogradGradient.Add<TWidth, TVector, Winograd4>(shape, x, inputLayout, dy, outputLayout, sums);
            else if (method == ConvolutionMethod.Winograd2)
                WinogradGradient.Add<TWidth, TVector, Winograd2>(shape, x, inputLayout, dy, outputLayout, sums);
            else if (shape.IsDepthwise)
                Depthwise<TWidth, TVector>();
            else
                Dense<TWidth, TVector>();
        }

        /// <summary>
        /// A strip of rows that stays in the first-level cache meets all taps, three at a time, before the next one comes.
        /// </summary>
        private void Depthwise<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            int rows = Math.Max(1, PixelsAtOnce / outputLayout.Width);
            for (int plane = 0; plane < outputLayout.Images * outputLayout.Blocks; plane++)
            {
                (int image, int block) = Math.DivRem(plane, outputLayout.Blocks);
                for (int row = 0; row < outputLayout.Height; row += rows)
                {
                    Strip strip = new()
                    {
                        Rows = Math.Min(rows, outputLayout.Height - row),
                        Pixels = outputLayout.Width,
                        InputPitch = shape.StrideY * inputLayout.RowPitch,
                        InputStep = shape.StrideX * Lanes,
                        OutputPitch = outputLayout.RowPitch,
                    };
                    float* from = x + inputLayout.Pixel(image, block, row * shape.StrideY - shape.Padding.Top, -shape.Padding.Left),
                        upstream = dy + outputLayout.Pixel(image, block, row, 0),
                        to = sums + block * Taps * Lanes;
                    int channels = Math.Min(Lanes, outputLayout.Channels - block * Lanes);
                    for (int lane = 0; lane < channels; lane += TWidth.Count)
                        AllTaps<TWidth, TVector>(strip, from + lane, upstream + lane, to + lane);
                }
            }
        }

        private void AllTaps<TWidth, TVector>(Strip strip, float* from, float* upstream, float* to)
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            int tap = 0;
            for (; tap + 3 <= Taps; tap += 3)
                KernelGradientTile.DepthwiseTriple<TWidth, TVector>(
                    strip,
                    from + Offset(tap),
                    from + Offset(tap + 1),
                    from + Offset(tap + 2),
                    upstream,
                    to + tap * Lanes
                );
            for (; tap < Taps; tap++)
                KernelGradientTile.Depthwise<TWidth, TVector>(strip, from + Offset(tap), upstream, to + tap * Lanes);
        }

        private void Dense<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            int rows = Math.Max(1, PixelsAtOnce / outputLayout.Width),
                nextSums = MostBlocks(shape) * Taps * Square;
            for (int image = 0; image < outputLayout.Images; image++)
            for (int row = 0; row < outputLayout.Height; row += rows)
            {
                Strip strip = new()
                {
                    Rows = Math.Min(rows, outputLayout.Height - row),
                    Pixels = outputLayout.Width,
                    InputPitch = shape.StrideY * inputLayout.RowPitch,
                    InputStep = shape.StrideX * Lanes,
                    OutputPitch = outputLayout.RowPitch,
                };
                for (int o = 0, outputs; o < outputLayout.Blocks; o += outputs)
                {
                    (int Start, int End) inputs = InputsOf(shape, o);
                    outputs = o + 1 < outputLayout.Blocks && InputsOf(shape, o + 1) == inputs ? 2 : 1;
                    float* upstream = dy + outputLayout.Pixel(image, o, row, 0),
                        to = sums + o * nextSums;
                    for (int i = inputs.Start / Lanes; i < Blocks(inputs.End); i++, to += Taps * Square)
                    {
                        float* from = x + inputLayout.Pixel(image, i, row * shape.StrideY - shape.Padding.Top, -shape.Padding.Left);
                        int first = Math.Max(0, inputs.Start - i * Lanes),
                            channels = Math.Min(Lanes, inputs.End - i * Lanes) - first;
                        if (KernelGradientRows.Suit<TWidth, TVector>() && channels >= LeastRows)
                            Rows<TWidth, TVector>(
                                strip,
                                from + first,
                                channels,
                                upstream,
                                Math.Min(outputs * Lanes, outputLayout.Channels - o * Lanes),
                                to + first * Lanes,
                                nextSums
                            );
                        else if (channels <= MostNarrow)
                            Narrow<TWidth, TVector>(strip, from + first, channels, upstream, outputs, to + first * Lanes, nextSums);
                        else
                            Whole<TWidth, TVector>(strip, from, upstream, outputs, to, nextSums);
                    }
                }
            }
        }

        private int Taps => shape.KernelHeight * shape.KernelWidth;

        private int Offset(int tap) =>
            tap / shape.KernelWidth * shape.DilationY * inputLayout.RowPitch + tap % shape.KernelWidth * shape.DilationX * Lanes;

        /// <summary>A whole block of inputs by one or two of outputs.</summary>
        private void Whole<TWidth, TVector>(Strip strip, float* from, float* upstream, int outputs, float* to, int nextSums)
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            for (int tap = 0; tap < Taps; tap++, to += Square)
                KernelGradientTile.Block<TWidth, TVector>(
                    strip,
                    from + Offset(tap),
                    upstream,
                    outputLayout.PlanePitch,
                    outputs,
                    to,
                    nextSums
                );
        }

        /// <summary>Some channels of a block by some of one or two blocks of outputs, tap by tap.</summary>
        private void Rows<TWidth, TVector>(Strip strip, float* from, int channels, float* upstream, int outputs, float* to, int nextSums)
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            for (int tap = 0; tap < Taps; tap++, to += Square)
            for (int block = 0; block * Lanes < outputs; block++)
                KernelGradientRows.Add<TWidth, TVector>(
                    strip,
                    from + Offset(tap),
                    channels,
                    upstream + block * outputLayout.PlanePitch,
                    outputs - block * Lanes,
                    to + block * nextSums
                );
        }

        /// <summary>
        /// The few channels of a block by one or two blocks of outputs: all pairs of tap and channel, in tiles of nearly equal size.
        /// </summary>
        private void Narrow<TWidth, TVector>(Strip strip, float* from, int channels, float* upstream, int outputs, float* to, int nextSums)
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            nint* offsets = stackalloc nint[NarrowGradientTile.Most],
                targets = stackalloc nint[NarrowGradientTile.Most];
            int pairs = Taps * channels,
                tiles = (pairs + NarrowGradientTile.Most - 1) / NarrowGradientTile.Most;
            for (int tile = 0; tile < tiles; tile++)
            {
                int first = pairs * tile / tiles,
                    count = pairs * (tile + 1) / tiles - first;
                for (int k = 0; k < count; k++)
                {
                    (int tap, int channel) = Math.DivRem(first + k, channels);
                    (offsets[k], targets[k]) = (Offset(tap) + channel, (tap * Lanes + channel) * Lanes);
                }
                delegate* <Strip*, float*, nint*, float*, float*, nint*, void> run = NarrowGradientTile.Find<TWidth, TVector>(count);
                for (int block = 0; block < outputs; block++)
                for (int lane = 0; lane < Lanes; lane += TWidth.Count)
                    run(&strip, from, offsets, upstream + block * outputLayout.PlanePitch + lane, to + block * nextSums + lane, targets);
            }
        }
    }
}

/// <summary>Some rows of pixels. Distances count floats.</summary>
internal struct Strip
{
    public int Rows;
    public int Pixels;
    public int InputPitch;
    public int InputStep;
    public int OutputPitch;
}
