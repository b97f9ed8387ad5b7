using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// A direct convolution in tiles over whole planes: where a row ends, the tile goes on in the next, and from the last row in the next image,
/// so that all tiles but the last few are full, however narrow the plane. Input channels are summed some blocks at a time
/// (<see cref="PlanePartition.Depth"/>); what is summed so far waits in the output, where no bit of it is lost.
/// </summary>
internal static unsafe class PlaneLoop
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>
    /// Pixels of a scattered tile at most, whose places take a register each; a row of as many leaves wider tiles little to gain.
    /// </summary>
    private const int MostPixels = 8;

    /// <summary>Whether these tiles are better than those of single rows: where registers hold few pixels, or rows have few.</summary>
    public static bool Suits<TWidth, TVector>(in ConvolutionShape shape, in BlockedLayout output)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct => !shape.IsDepthwise && (TWidth.TileRows <= MostPixels || output.Width < MostPixels - 1);

    public static void Run<TWidth, TVector>(in ConvolutionShape shape, in ConvolutionData data, Activation activation, Workers workers)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        OutputGroups groups = new(shape);
        int most = Math.Min(TWidth.TileRows, MostPixels);
        PlanePartition partition = PlanePartition.From(
            shape,
            groups,
            data.InputLayout,
            data.OutputLayout,
            most,
            workers.Count,
            Caches.SecondLevel
        );
        workers.Run(partition.Count, new Body<TWidth, TVector>(shape, groups, partition, data, activation, most));
    }

    private readonly struct Body<TWidth, TVector>(
        ConvolutionShape shape,
        OutputGroups groups,
        PlanePartition partition,
        ConvolutionData data,
        Activation activation,
        int most
    ) : ILoopBody
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        private readonly ConvolutionData _data = data;

        public void Run(int index)
        {
            (Range rows, Range outputs) = partition[index];
            for (int group = outputs.Start.Value; group < outputs.End.Value; group++)
            {
                int width = groups.Width(group);
                Run(rows, group, width);
                Activate(rows, groups.FirstBlock(group)..(groups.FirstBlock(group) + width / Lanes));
            }
        }

        private void Run(Range rows, int group, int width)
        {
            int blocks = (shape.InputsPerGroup + Lanes - 1) / Lanes,
                firstBlock = groups.FirstBlock(group);
            nint* places = stackalloc nint[3 * MostPixels];
            float* zero = stackalloc float[2 * Lanes];
            Bounds.Span(zero, 2 * Lanes).Clear();
            TileShape whole = ConvolutionLoop.Tile<TWidth, TVector, TwoVectors>(shape, _data, activation, width);
            whole.InputPlaces = places;
            whole.OutputPlaces = places + MostPixels;
            whole.ResidualPlaces = places + 2 * MostPixels;
            float* weights = _data.Weights + (nint)firstBlock * Lanes * shape.SummedChannels * shape.KernelHeight * shape.KernelWidth;
            for (int first = 0; first < blocks; first += partition.Depth)
            {
                TileShape part = whole;
                part.Channels = Math.Min(partition.Depth * Lanes, shape.InputsPerGroup - first * Lanes);
                part.Clips &= first + partition.Depth >= blocks;
                bool begins = first == 0;
                if (!begins)
                {
                    part.ResidualPlaces = part.OutputPlaces;
                    part.ResidualNext = part.OutputNext;
                }
                Walk(
                    &part,
                    new(_data, shape, rows.Start.Value, groups.FirstInputBlock(group) + first, firstBlock, begins),
                    rows,
                    weights + (nint)first * Lanes * shape.KernelHeight * shape.KernelWidth * width,
                    begins ? _data.Bias + firstBlock * Lanes : zero,
                    begins,
                    shape.Groups == 1 ? Math.Min(width, shape.OutputChannels - firstBlock * Lanes) : width
                );
            }
        }

        /// <summary>All tiles of some rows by a group of outputs, for some of the inputs.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Walk(TileShape* tile, PixelWalk at, Range rows, float* weights, float* bias, bool begins, int outputs)
        {
            // One vector of sums a pixel leaves registers for more pixels.
            int full = outputs <= TWidth.Count ? MostPixels : most,
                pixels = (rows.End.Value - rows.Start.Value) * _data.OutputLayout.Width,
                tiles = (pixels + full - 1) / full;
            (int usual, int longer) = Math.DivRem(pixels, Math.Max(tiles, 1));
            delegate* <TileShape*, float*, float*, float*, float*, float*, void> wide = TileTable.Scattered<TWidth, TVector, TwoVectors>(
                    usual
                ),
                longWide = TileTable.Scattered<TWidth, TVector, TwoVectors>(usual + 1),
                narrow = TileTable.Scattered<TWidth, TVector, OneVector>(usual),
                longNarrow = TileTable.Scattered<TWidth, TVector, OneVector>(usual + 1);
            int step = 2 * TWidth.Count,
                outputPlane = _data.OutputLayout.PlanePitch,
                residualPlane = _data.ResidualLayout.PlanePitch;
            for (int index = 0; index < tiles; index++)
            {
                int count = index < longer ? usual + 1 : usual;
                at.Next(tile, count, out float* x, out float* y, out float* residual);
                for (int lane = 0; lane < outputs; lane += step)
                {
                    float* to = y + lane / Lanes * outputPlane + lane % Lanes;
                    float* added =
                        !begins ? to
                        : residual == null ? null
                        : residual + lane / Lanes * residualPlane + lane % Lanes;
                    bool isNarrow = outputs - lane <= TWidth.Count;
                    if (count == usual)
                        (isNarrow ? narrow : wide)(tile, x, weights + lane, bias + lane, added, to);
                    else
                        (isNarrow ? longNarrow : longWide)(tile, x, weights + lane, bias + lane, added, to);
                }
            }
        }

        /// <summary>What tiles do not apply themselves.</summary>
        private void Activate(Range rows, Range blocks)
        {
            int height = _data.OutputLayout.Height;
            for (int row = rows.Start.Value, count; row < rows.End.Value; row += count)
            {
                (int image, int first) = Math.DivRem(row, height);
                count = Math.Min(height - first, rows.End.Value - row);
                ConvolutionLoop.Activate(_data, activation, image, first..(first + count), blocks);
            }
        }
    }

    /// <summary>A place in the output, and what belongs to it, on its way over rows and images.</summary>
    private struct PixelWalk
    {
        private readonly ConvolutionData _data;
        private readonly ConvolutionShape _shape;
        private readonly int _inputBlock,
            _outputBlock;
        private float* _x,
            _y,
            _residual;
        private readonly bool _adds;
        private int _image,
            _row,
            _column;
        private bool _isStraight;

        /// <param name="data">The convolution's values.</param>
        /// <param name="shape">The convolution.</param>
        /// <param name="row">The first row.</param>
        /// <param name="inputBlock">The first block that is read.</param>
        /// <param name="outputBlock">The first block that is written.</param>
        /// <param name="adds">
        /// Whether the residual is added, where there is one: with the first inputs only. Later ones add to the output, whose places then
        /// stand for the residual's.
        /// </param>
        public PixelWalk(in ConvolutionData data, in ConvolutionShape shape, int row, int inputBlock, int outputBlock, bool adds)
        {
            (_data, _shape, _inputBlock, _outputBlock) = (data, shape, inputBlock, outputBlock);
            _adds = adds && data.Residual != null;
            (_image, _row) = Math.DivRem(row, data.OutputLayout.Height);
            BeginRow();
        }

        /// <summary>Lists the places of the next tile's pixels, counted from its first, which is returned.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Next(TileShape* tile, int count, out float* x, out float* y, out float* residual)
        {
            x = _x;
            y = _y;
            residual = _residual;
            int step = _shape.StrideX * Lanes,
                width = _data.OutputLayout.Width;
            if (_column + count <= width)
            {
                if (!_isStraight)
                    Straighten(tile, step);
                _x += count * step;
                _y += count * Lanes;
                if (residual != null)
                    _residual += count * Lanes;
                _column += count;
                if (_column == width)
                    NextRow();
                return;
            }
            _isStraight = false;
            for (int pixel = 0; pixel < count; pixel++)
            {
                tile->InputPlaces[pixel] = (nint)(_x - x);
                tile->OutputPlaces[pixel] = (nint)(_y - y);
                if (residual != null)
                {
                    tile->ResidualPlaces[pixel] = (nint)(_residual - residual);
                    _residual += Lanes;
                }
                _x += step;
                _y += Lanes;
                if (++_column == width)
                    NextRow();
            }
        }

        /// <summary>Lists the places of a tile that no row's end cuts; they stay until one does.</summary>
        private void Straighten(TileShape* tile, int step)
        {
            _isStraight = true;
            for (int pixel = 0; pixel < MostPixels; pixel++)
            {
                tile->InputPlaces[pixel] = pixel * step;
                tile->OutputPlaces[pixel] = pixel * Lanes;
                tile->ResidualPlaces[pixel] = pixel * Lanes;
            }
        }

        private void NextRow()
        {
            _column = 0;
            if (++_row == _data.OutputLayout.Height)
                (_image, _row) = (_image + 1, 0);
            if (_image < _data.OutputLayout.Images)
                BeginRow();
        }

        private void BeginRow()
        {
            int padded = _row * _shape.StrideY - _shape.Padding.Top;
            _x = _data.Input + _data.InputLayout.Pixel(_image, _inputBlock, padded, -_shape.Padding.Left);
            _y = _data.Output + _data.OutputLayout.Pixel(_image, _outputBlock, _row, 0);
            _residual = !_adds ? null : _data.Residual + _data.ResidualLayout.Pixel(_image, _outputBlock, _row, 0);
        }
    }
}
