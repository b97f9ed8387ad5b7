using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// Winograd's convolution: some tiles of all images are transformed, multiplied with the transformed kernels product by product (each a 1×1
/// convolution whose pixels are the tiles, by the tile of the direct convolution), and transformed back with bias, residual and activation.
/// </summary>
internal static unsafe class WinogradLoop
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    public static void Run<TWidth, TVector, TWinograd>(
        in ConvolutionShape shape,
        in ConvolutionData data,
        Activation activation,
        Workers workers
    )
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TWinograd : struct, IWinograd
    {
        BlockedLayout output = data.OutputLayout;
        int down = (output.Height + TWinograd.Outputs - 1) / TWinograd.Outputs,
            right = (output.Width + TWinograd.Outputs - 1) / TWinograd.Outputs;
        WinogradPartition partition = ConvolutionChoice.Partition<TWinograd>(shape, output.Images * down * right, workers.Count);
        if (partition.Count == 0)
            return;
        int size = partition.Size;
        BlockedLayout transformed = new(1, shape.InputChannels, 1, size, default),
            products = new(1, WinogradPartition.MostBlocks * Lanes, 1, size, default);
        ConvolutionShape product = new(shape.InputChannels, shape.OutputChannels, 1, 1);
        ConvolutionData inner = new(null, transformed, null, null, null, products, null, products);
        Body<TWidth, TVector, TWinograd> body = new(
            shape,
            data,
            activation,
            down,
            right,
            size,
            partition,
            transformed,
            products,
            ConvolutionLoop.Row<TWidth, TVector, TwoVectors>(product, inner, Activation.None, 2 * Lanes),
            TWidth.Count == Lanes
                ? ConvolutionLoop.Row<TWidth, TVector, OneVector>(product, inner, Activation.None, Lanes)
                : ConvolutionLoop.Row<TWidth, TVector, TwoVectors>(product, inner, Activation.None, Lanes)
        );
        workers.Run(partition.Count, body);
    }

    private readonly struct Body<TWidth, TVector, TWinograd>(
        ConvolutionShape shape,
        ConvolutionData data,
        Activation activation,
        int down,
        int right,
        int size,
        WinogradPartition partition,
        BlockedLayout transformed,
        BlockedLayout products,
        ConvolutionLoop.RowOfTiles wide,
        ConvolutionLoop.RowOfTiles narrow
    ) : ILoopBody
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TWinograd : struct, IWinograd
    {
        private readonly ConvolutionData _data = data;
        private readonly ConvolutionLoop.RowOfTiles _wide = wide,
            _narrow = narrow;

        // One line more than a plane needs, or planes a power of two apart would all fall into the same few lines of the first cache.
        private readonly int _inputPlane = transformed.ImagePitch + Lanes,
            _outputPlane = products.ImagePitch + Lanes;

        private static int Products => TWinograd.Tile * TWinograd.Tile;

        public void Run(int index)
        {
            (int batch, int split) = Math.DivRem(index, partition.Splits);
            int first = batch * size,
                last = Math.Min(first + size, _data.OutputLayout.Images * down * right);
            float* input = WinogradTile.Scratch(Products * (_inputPlane + _outputPlane)),
                sums = input + Products * _inputPlane;
            for (int block = 0; block < _data.InputLayout.Blocks; block++)
            for (int tile = first; tile < last; tile++)
                Transform(tile, block, input + block * transformed.PlanePitch + (tile - first) * Lanes);
            int beyond = Math.Min((split + 1) * partition.Blocks, _data.OutputLayout.Blocks);
            for (int firstBlock = split * partition.Blocks; firstBlock < beyond; firstBlock += WinogradPartition.MostBlocks)
            {
                int end = Math.Min(firstBlock + WinogradPartition.MostBlocks, beyond);
                Multiply(input, firstBlock, end, sums);
                for (int block = firstBlock; block < end; block++)
                for (int tile = first; tile < last; tile++)
                    Finish(sums + (block - firstBlock) * products.PlanePitch + (tile - first) * Lanes, tile, block);
            }
        }

        /// <summary>The sums over input channels, for every product of the transforms.</summary>
        private void Multiply(float* input, int firstBlock, int end, float* sums)
        {
            float* zero = stackalloc float[2 * Lanes];
            Bounds.Span(zero, 2 * Lanes).Clear();
            int perOutput = shape.InputChannels * Products;
            for (int product = 0; product < Products; product++)
            for (int block = firstBlock; block < end; block += shape.BlocksTogether)
            {
                bool isWide = shape.BlocksTogether == 2 && block + 1 < _data.OutputLayout.Blocks;
                ref readonly ConvolutionLoop.RowOfTiles row = ref isWide ? ref _wide : ref _narrow;
                int width = isWide ? 2 * Lanes : Lanes;
                float* weights = _data.Weights + (nint)block * Lanes * perOutput + product * shape.InputChannels * width;
                float* to = sums + product * _outputPlane + (block - firstBlock) * products.PlanePitch;
                for (int lane = 0; lane < width; lane += row.Channels)
                    row.Run(
                        input + product * _inputPlane,
                        weights + lane,
                        zero,
                        null,
                        to + lane / Lanes * products.PlanePitch + lane % Lanes
                    );
            }
        }

        private (int Image, int Row, int Column) Place(int tile)
        {
            (int rest, int column) = Math.DivRem(tile, right);
            (int image, int row) = Math.DivRem(rest, down);
            return (image, row * TWinograd.Outputs, column * TWinograd.Outputs);
        }

        /// <summary>Bᵀ d B of one tile and one block, spread over the planes of the products.</summary>
        private void Transform(int tile, int block, float* to)
        {
            (int image, int row, int column) = Place(tile);
            WinogradTile.Input<TWidth, TVector, TWinograd>(
                _data.Input,
                _data.InputLayout,
                image,
                block,
                row - shape.Padding.Top,
                column - shape.Padding.Left,
                to,
                _inputPlane
            );
        }

        /// <summary>activation(Aᵀ m A + bias + residual) of one tile and one block, as far as it lies in the output.</summary>
        [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Finish(float* from, int tile, int block)
        {
            int extent = TWinograd.Tile,
                outputs = TWinograd.Outputs;
            float* columns = stackalloc float[outputs * extent * Lanes],
                pixels = stackalloc float[outputs * outputs * Lanes];
            (int image, int row, int column) = Place(tile);
            BlockedLayout layout = _data.OutputLayout,
                added = _data.ResidualLayout;
            int rows = Math.Min(outputs, layout.Height - row),
                width = Math.Min(outputs, layout.Width - column);
            // A tile that reaches beyond the output is finished apart, and what lies inside is copied.
            bool isWhole = rows == outputs && width == outputs;
            float* to = isWhole ? _data.Output + layout.Pixel(image, block, row, column) : pixels,
                residual = _data.Residual == null ? null : _data.Residual + added.Pixel(image, block, row, column);
            int pitch = isWhole ? layout.RowPitch : outputs * Lanes;
            if (!isWhole && residual != null)
            {
                Copy(residual, added.RowPitch, pixels, pitch, rows, width);
                residual = pixels;
            }
            int residualPitch = isWhole ? added.RowPitch : pitch;
            TVector low = TWidth.Broadcast(Bounded ? activation.Low : float.NegativeInfinity),
                high = TWidth.Broadcast(activation.Kind == ActivationKind.Clip ? activation.High : float.PositiveInfinity);
            for (int lane = 0; lane < Lanes; lane += TWidth.Count)
            {
                for (int c = 0; c < extent; c++)
                    TWinograd.Output<TWidth, TVector>(
                        from + c * _outputPlane + lane,
                        extent * _outputPlane,
                        columns + c * Lanes + lane,
                        extent * Lanes
                    );
                TVector bias = TWidth.Load(_data.Bias + block * Lanes + lane);
                for (int r = 0; r < outputs; r++)
                    TWinograd.Finish<TWidth, TVector>(
                        columns + r * extent * Lanes + lane,
                        Lanes,
                        bias,
                        residual == null ? null : residual + r * residualPitch + lane,
                        low,
                        high,
                        to + r * pitch + lane
                    );
            }
            if (!isWhole)
            {
                to = _data.Output + layout.Pixel(image, block, row, column);
                Copy(pixels, pitch, to, layout.RowPitch, rows, width);
            }
            if (Bounded || activation.Kind == ActivationKind.None)
                return;
            for (int r = 0; r < rows; r++)
            {
                Span<float> values = Bounds.Span(to + r * layout.RowPitch, width * Lanes);
                activation.Apply(values, values);
            }
        }

        /// <summary>Whether the activation is applied as pixels are stored.</summary>
        private bool Bounded => activation.Kind is ActivationKind.Relu or ActivationKind.Clip;

        private static void Copy(float* from, int fromPitch, float* to, int toPitch, int rows, int width)
        {
            for (int r = 0; r < rows; r++)
                Bounds.Span(from + r * fromPitch, width * Lanes).CopyTo(Bounds.Span(to + r * toPitch, width * Lanes));
        }
    }
}
