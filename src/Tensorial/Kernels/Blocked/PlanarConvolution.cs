namespace Tensorial.Kernels.Blocked;

/// <summary>
/// A first layer: a convolution of one to four channels that reads plain planes and writes blocked ones, where blocks of 16 would take many
/// times the memory and be mostly empty. Rows are copied between zeros, [row][channel][column], so that the taps of a row lie side by side
/// and those of the next channel and row a step further: to <see cref="ConvolutionTile"/> it is a convolution of as many channels as the
/// kernel is wide, by a column of taps, whose pixels lie a stride apart.
/// </summary>
internal static unsafe class PlanarConvolution
{
    private const int Lanes = BlockedLayout.ChannelBlock,
        MostChannels = 4;

    /// <summary>Floats of copied rows at once: about a first-level cache.</summary>
    private const int StripFloats = 1 << 13;

    /// <summary>Whether a convolution has this form.</summary>
    public static bool Supports(in ConvolutionShape shape) =>
        shape is { Groups: 1, DilationY: 1, DilationX: 1, InputChannels: <= MostChannels, KernelWidth: <= Lanes };

    /// <summary>The convolution as the tile sees it, for which its kernel is packed.</summary>
    public static ConvolutionShape Folded(in ConvolutionShape shape) =>
        new(shape.KernelWidth, shape.OutputChannels, shape.KernelHeight * shape.InputChannels, 1) { BlocksTogether = shape.BlocksTogether };

    /// <summary>A kernel [outputs, inputs, height, width] as one of <see cref="Folded"/>: [outputs, width, height · inputs, 1].</summary>
    public static float[] Fold(in ConvolutionShape shape, ReadOnlySpan<float> kernel)
    {
        float[] folded = new float[shape.KernelCount];
        (int inputs, int height, int width) = (shape.InputChannels, shape.KernelHeight, shape.KernelWidth);
        int at = 0;
        for (int o = 0; o < shape.OutputChannels; o++)
        for (int i = 0; i < inputs; i++)
        for (int h = 0; h < height; h++)
        for (int v = 0; v < width; v++, at++)
            folded[((o * width + v) * height + h) * inputs + i] = kernel[at];
        return folded;
    }

    /// <summary>output = activation(convolution(input) + bias).</summary>
    /// <param name="input">[image][channel][height][width].</param>
    /// <param name="inputLayout">The input's extents; its halo is not looked at.</param>
    /// <param name="kernel">Of <see cref="Folded"/>.</param>
    public static void Run(
        in ConvolutionShape shape,
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        PackedKernel kernel,
        ReadOnlySpan<float> bias,
        Activation activation,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    ) => Run(VectorWidths.Best, shape, input, inputLayout, kernel, bias, activation, output, outputLayout, workers);

    internal static void Run(
        VectorWidth width,
        in ConvolutionShape shape,
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        PackedKernel kernel,
        ReadOnlySpan<float> bias,
        Activation activation,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    )
    {
        if (!Supports(shape) || inputLayout.Channels != shape.InputChannels)
            throw new ArgumentException($"{shape} does not read {inputLayout} as plain planes.");
        BlockedConvolution.CheckExtents(shape, inputLayout, outputLayout);
        outputLayout.Holds(output);
        if (input.Length < (long)inputLayout.Images * inputLayout.Channels * inputLayout.Height * inputLayout.Width)
            throw new ArgumentException($"{inputLayout} takes more than {input.Length:N0} floats.");
        if (!kernel.Fits(Folded(shape)))
            throw new ArgumentException($"The kernel was packed for another convolution than {shape}.");
        float[] biases = new float[outputLayout.Blocks * Lanes];
        bias.CopyTo(biases);
        fixed (
            float* x = input,
                w = kernel.Values,
                b = biases,
                y = output
        )
            using (Bounds.Know(x, input.Length, w, kernel.Values.Length, b, biases.Length, y, output.Length))
                width.Run<Kernel, float>(
                    new(shape, new(x, inputLayout, w + kernel.Start, b, null, outputLayout, y, outputLayout), activation, workers)
                );
    }

    private readonly struct Kernel(ConvolutionShape shape, ConvolutionData data, Activation activation, Workers workers)
        : IVectorKernel<float>
    {
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            BlockedLayout output = data.OutputLayout;
            if (output.Height == 0 || output.Width == 0)
                return;
            // Of the padded row only what the last pixel's taps reach.
            int pitch = (output.Width - 1) * shape.StrideX + shape.KernelWidth,
                row = pitch * shape.InputChannels;
            int rows = Math.Clamp((StripFloats / row - shape.KernelHeight) / shape.StrideY + 1, 1, output.Height);
            int strips = (output.Height + rows - 1) / rows;
            int width = shape.BlocksTogether * Lanes,
                last = shape.OutputChannels % width;
            Body<TWidth, TVector> body = new(
                shape,
                data,
                activation,
                pitch,
                strips,
                Row<TWidth, TVector, TwoVectors>(pitch, width),
                last <= TWidth.Count ? Row<TWidth, TVector, OneVector>(pitch, Lanes) : Row<TWidth, TVector, TwoVectors>(pitch, Lanes)
            );
            workers.Run(output.Images * strips, body);
        }

        private ConvolutionLoop.RowOfTiles Row<TWidth, TVector, TFlavour>(int pitch, int width)
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
            where TFlavour : struct, IFlavour
        {
            TileShape tile = ConvolutionLoop.Tile<TWidth, TVector, TFlavour>(Folded(shape), data, activation, width);
            tile.TapDown = pitch;
            tile.Step = shape.StrideX;
            return ConvolutionLoop.Row<TWidth, TVector, TFlavour>(tile, data.OutputLayout.Width, AnyStep.Pixels);
        }
    }

    /// <summary>Some rows of an image.</summary>
    private readonly struct Body<TWidth, TVector>(
        ConvolutionShape shape,
        ConvolutionData data,
        Activation activation,
        int pitch,
        int strips,
        ConvolutionLoop.RowOfTiles wide,
        ConvolutionLoop.RowOfTiles narrow
    ) : ILoopBody
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        private readonly ConvolutionData _data = data;
        private readonly ConvolutionLoop.RowOfTiles _wide = wide,
            _narrow = narrow;

        public void Run(int index)
        {
            (int image, int strip) = Math.DivRem(index, strips);
            BlockedLayout output = _data.OutputLayout;
            Range rows = (int)((long)output.Height * strip / strips)..(int)((long)output.Height * (strip + 1) / strips);
            int first = rows.Start.Value * shape.StrideY,
                count = (rows.End.Value - rows.Start.Value - 1) * shape.StrideY + shape.KernelHeight;
            float* scratch = WinogradTile.Scratch(count * shape.InputChannels * pitch);
            CopyRows(image, first - shape.Padding.Top, count, scratch);
            OutputGroups groups = new(Folded(shape));
            int taps = shape.InputChannels * shape.KernelHeight * shape.KernelWidth;
            for (int group = 0; group < groups.Count; group++)
            {
                int firstBlock = groups.FirstBlock(group),
                    width = groups.Width(group),
                    outputs = Math.Min(width, shape.OutputChannels - firstBlock * Lanes);
                bool isNarrow = outputs <= TWidth.Count || width < shape.BlocksTogether * Lanes;
                ref readonly ConvolutionLoop.RowOfTiles tiles = ref isNarrow ? ref _narrow : ref _wide;
                float* weights = _data.Weights + (nint)firstBlock * Lanes * taps;
                for (int row = rows.Start.Value; row < rows.End.Value; row++)
                for (int lane = 0; lane < outputs; lane += tiles.Channels)
                    tiles.Run(
                        scratch + (row * shape.StrideY - first) * shape.InputChannels * pitch,
                        weights + lane,
                        _data.Bias + firstBlock * Lanes + lane,
                        null,
                        _data.Output + output.Pixel(image, firstBlock + lane / Lanes, row, 0) + lane % Lanes
                    );
            }
            ConvolutionLoop.Activate(_data, activation, image, rows, 0..output.Blocks);
        }

        /// <summary>Rows of all channels, which may lie in the padding, from the padding's first column on.</summary>
        private void CopyRows(int image, int first, int count, float* to)
        {
            BlockedLayout input = _data.InputLayout;
            int left = Math.Min(shape.Padding.Left, pitch),
                inside = Math.Clamp(pitch - left, 0, input.Width);
            for (int row = first; row < first + count; row++)
            for (int channel = 0; channel < shape.InputChannels; channel++, to += pitch)
            {
                Span<float> copied = Bounds.Span(to, pitch);
                if ((uint)row >= (uint)input.Height)
                {
                    copied.Clear();
                    continue;
                }
                copied[..left].Clear();
                nint plane = (nint)(image * shape.InputChannels + channel) * input.Height * input.Width;
                Bounds.Span(_data.Input + plane + (nint)row * input.Width, inside).CopyTo(copied[left..]);
                copied[(left + inside)..].Clear();
            }
        }
    }
}
