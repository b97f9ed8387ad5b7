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

    public static void Run<TWidth, TVector>(in ConvolutionShape shape, in ConvolutionData data, Activation activation, Workers workers)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
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
        where TFlavour : struct, IFlavour
    {
        int tileChannels = TFlavour.Vectors * TWidth.Count;
        bool crossesBlocks = tileChannels > Lanes;
        int most = TFlavour.Vectors == 1 || TWidth.TileRows < 14 ? TWidth.TileRows : 14;
        int tiles = (data.OutputLayout.Width + most - 1) / most,
            pixels = data.OutputLayout.Width / tiles;
        TileShape tile = new()
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
        return new(
            tile,
            tileChannels,
            pixels,
            data.OutputLayout.Width % tiles,
            tiles,
            TileTable.Find<TWidth, TVector, TFlavour>(pixels, shape.StrideX),
            TileTable.Find<TWidth, TVector, TFlavour>(pixels + 1, shape.StrideX)
        );
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
            for (int row = rows.Start.Value; row < rows.End.Value; row++)
            for (int lane = 0; lane < width; lane += tiles.Channels)
            {
                int block = firstBlock + lane / Lanes,
                    inBlock = lane % Lanes;
                float* residual =
                    _data.Residual == null ? null : _data.Residual + _data.ResidualLayout.Pixel(image, block, row, 0) + inBlock;
                float* y = _data.Output + output.Pixel(image, block, row, 0) + inBlock;
                float* at = x + row * shape.StrideY * input.RowPitch + (shape.IsDepthwise ? inBlock : 0);
                tiles.Run(at, weights + lane, _data.Bias + firstBlock * Lanes + lane, residual, y);
            }
            if (activation.Kind is ActivationKind.None or ActivationKind.Relu or ActivationKind.Clip)
                return;
            for (int block = firstBlock; block < firstBlock + width / Lanes; block++)
            for (int row = rows.Start.Value; row < rows.End.Value; row++)
            {
                Span<float> values = Bounds.Span(_data.Output + output.Pixel(image, block, row, 0), output.Width * Lanes);
                activation.Apply(values, values);
            }
        }
    }
}
