namespace Tensorial.Kernels.Blocked;

/// <summary>What one call of a convolution reads and writes.</summary>
/// <param name="bias">Padded to whole blocks.</param>
/// <param name="residual">Null where there is none.</param>
internal readonly unsafe struct ConvolutionData(
    float* input,
    BlockedLayout inputLayout,
    float* weights,
    float* bias,
    float* residual,
    BlockedLayout residualLayout,
    float* output,
    BlockedLayout outputLayout
)
{
    public readonly float* Input = input,
        Weights = weights,
        Bias = bias,
        Residual = residual,
        Output = output;

    public readonly BlockedLayout InputLayout = inputLayout,
        ResidualLayout = residualLayout,
        OutputLayout = outputLayout;
}

/// <summary>Divides a convolution among the caches and the threads, and walks its tiles.</summary>
internal static unsafe class ConvolutionLoop
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>Pixels of the widest tile.</summary>
    private const int MostPixels = 14;

    public static void Run<TWidth, TVector>(in ConvolutionShape shape, in ConvolutionData data, Activation activation, Workers workers)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        if (PlaneLoop.Suits<TWidth, TVector>(shape, data.OutputLayout))
        {
            PlaneLoop.Run<TWidth, TVector>(shape, data, activation, workers);
            return;
        }
        OutputGroups groups = new(shape);
        Partition partition = Partition.From(shape, groups, data.InputLayout, data.OutputLayout, workers.Count);
        bool narrowIsOneVector = TWidth.Count == Lanes;
        RowOfTiles wide = default,
            narrow = shape.IsDepthwise ? Row<TWidth, TVector, Depthwise>(shape, data, activation, Lanes)
            : narrowIsOneVector ? Row<TWidth, TVector, OneVector>(shape, data, activation, Lanes)
            : Row<TWidth, TVector, TwoVectors>(shape, data, activation, Lanes);
        if (!shape.IsDepthwise)
            wide = Row<TWidth, TVector, TwoVectors>(shape, data, activation, 2 * Lanes);
        workers.Run(partition.Count, new Body(shape, groups, partition, data, wide, narrow, activation));
    }

    /// <summary>How rows of the output are cut into tiles of a width of channels.</summary>
    public static RowOfTiles Row<TWidth, TVector, TFlavour>(
        in ConvolutionShape shape,
        in ConvolutionData data,
        Activation activation,
        int width
    )
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TFlavour : struct, IFlavour =>
        Row<TWidth, TVector, TFlavour>(
            Tile<TWidth, TVector, TFlavour>(shape, data, activation, width),
            data.OutputLayout.Width,
            shape.StrideX
        );

    /// <summary>How a row of so many pixels is cut into tiles.</summary>
    /// <param name="step">Input pixels from one to the next; what <see cref="AnyStep"/> says where only the tile knows.</param>
    public static RowOfTiles Row<TWidth, TVector, TFlavour>(TileShape tile, int width, int step)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TFlavour : struct, IFlavour
    {
        int most = Math.Min(MostPixels, TFlavour.Vectors == 1 ? 2 * TWidth.TileRows : TWidth.TileRows);
        int tiles = (width + most - 1) / most,
            pixels = width / tiles;
        return new(
            tile,
            TFlavour.Vectors * TWidth.Count,
            pixels,
            width % tiles,
            tiles,
            TileTable.Find<TWidth, TVector, TFlavour>(pixels, step),
            TileTable.Find<TWidth, TVector, TFlavour>(pixels + 1, step)
        );
    }

    /// <summary>What tiles of a width of channels have in common.</summary>
    public static TileShape Tile<TWidth, TVector, TFlavour>(
        in ConvolutionShape shape,
        in ConvolutionData data,
        Activation activation,
        int width
    )
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TFlavour : struct, IFlavour
    {
        bool crossesBlocks = TFlavour.Vectors * TWidth.Count > Lanes;
        return new()
        {
            Channels = shape.IsDepthwise ? 1 : shape.InputsPerGroup,
            BlockPitch = data.InputLayout.PlanePitch,
            KernelHeight = shape.KernelHeight,
            KernelWidth = shape.KernelWidth,
            TapDown = shape.DilationY * data.InputLayout.RowPitch,
            TapRight = shape.DilationX * Lanes,
            Step = shape.StrideX * Lanes,
            WeightPitch = width,
            OutputNext = crossesBlocks ? data.OutputLayout.PlanePitch : TWidth.Count,
            ResidualNext = crossesBlocks ? data.ResidualLayout.PlanePitch : TWidth.Count,
            Clips = activation.Kind is ActivationKind.Relu or ActivationKind.Clip,
            Low = activation.Low,
            High = activation.Kind == ActivationKind.Relu ? float.PositiveInfinity : activation.High,
        };
    }

    /// <summary>f of the rows of some blocks, where tiles do not apply it themselves.</summary>
    public static void Activate(in ConvolutionData data, Activation activation, int image, Range rows, Range blocks)
    {
        if (activation.Kind is ActivationKind.None or ActivationKind.Relu or ActivationKind.Clip)
            return;
        BlockedLayout output = data.OutputLayout;
        for (int block = blocks.Start.Value; block < blocks.End.Value; block++)
        for (int row = rows.Start.Value; row < rows.End.Value; row++)
        {
            Span<float> values = Bounds.Span(data.Output + output.Pixel(image, block, row, 0), output.Width * Lanes);
            activation.Apply(values, values);
        }
    }

    /// <summary>An output row cut into tiles of nearly equal width: the first <c>longer</c> of them have one pixel more.</summary>
    internal readonly struct RowOfTiles(
        TileShape shape,
        int channels,
        int pixels,
        int longer,
        int tiles,
        delegate* <TileShape*, float*, float*, float*, float*, float*, void> usual,
        delegate* <TileShape*, float*, float*, float*, float*, float*, void> larger
    )
    {
        private readonly TileShape _shape = shape;

        /// <summary>Output channels of a tile.</summary>
        public int Channels => channels;

        public void Run(float* x, float* w, float* bias, float* residual, float* y)
        {
            TileShape shape = _shape;
            for (int tile = 0; tile < tiles; tile++)
            {
                int width = tile < longer ? pixels + 1 : pixels;
                if (tile < longer)
                    larger(&shape, x, w, bias, residual, y);
                else
                    usual(&shape, x, w, bias, residual, y);
                x += width * shape.Step;
                y += width * Lanes;
                if (residual != null)
                    residual += width * Lanes;
            }
        }
    }

    /// <summary>One part of the partition: some rows of an image by some groups of output channels.</summary>
    private readonly struct Body(
        ConvolutionShape shape,
        OutputGroups groups,
        Partition partition,
        ConvolutionData data,
        RowOfTiles wide,
        RowOfTiles narrow,
        Activation activation
    ) : ILoopBody
    {
        private readonly RowOfTiles _wide = wide,
            _narrow = narrow;

        private readonly ConvolutionData _data = data;

        public void Run(int index)
        {
            (int image, Range rows, Range outputs) = partition[index];
            for (int group = outputs.Start.Value; group < outputs.End.Value; group++)
                if (groups.Width(group) == 2 * Lanes)
                    Run(in _wide, image, rows, group);
                else
                    Run(in _narrow, image, rows, group);
        }

        private void Run(in RowOfTiles tiles, int image, Range rows, int group)
        {
            int firstBlock = groups.FirstBlock(group),
                width = groups.Width(group);
            BlockedLayout input = _data.InputLayout,
                output = _data.OutputLayout;
            float* weights = _data.Weights + (nint)firstBlock * Lanes * shape.SummedChannels * shape.KernelHeight * shape.KernelWidth;
            float* x = _data.Input + input.Pixel(image, groups.FirstInputBlock(group), -shape.Padding.Top, -shape.Padding.Left);
            // Vectors that hold no channel of the last block are not computed.
            int outputs = shape.Groups == 1 || shape.IsDepthwise ? Math.Min(width, shape.OutputChannels - firstBlock * Lanes) : width;
            for (int row = rows.Start.Value; row < rows.End.Value; row++)
            for (int lane = 0; lane < outputs; lane += tiles.Channels)
            {
                int block = firstBlock + lane / Lanes,
                    inBlock = lane % Lanes;
                float* residual =
                    _data.Residual == null ? null : _data.Residual + _data.ResidualLayout.Pixel(image, block, row, 0) + inBlock;
                float* y = _data.Output + output.Pixel(image, block, row, 0) + inBlock;
                float* at = x + row * shape.StrideY * input.RowPitch + (shape.IsDepthwise ? inBlock : 0);
                tiles.Run(at, weights + lane, _data.Bias + firstBlock * Lanes + lane, residual, y);
            }
            Activate(_data, activation, image, rows, firstBlock..(firstBlock + width / Lanes));
        }
    }
}
