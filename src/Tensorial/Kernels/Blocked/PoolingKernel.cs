using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>What becomes of the values in a window.</summary>
internal enum Summary
{
    Maximum,
    MeanOverInput,
    MeanOverPadding,
}

/// <summary>
/// Pools plane after plane. Taps outside the input are left out by shortening the window, so that the halo does not matter.
/// </summary>
internal readonly unsafe struct PoolingKernel(
    Summary summary,
    PlaneWindow window,
    float* input,
    BlockedLayout inputLayout,
    float* output,
    BlockedLayout outputLayout,
    Workers workers
) : IVectorKernel<float>
{
    public void Run<TWidth, TVector>()
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        fixed (Taps* across = Taps.Across(window, inputLayout, outputLayout.Width))
            workers.Run(
                outputLayout.Images * outputLayout.Blocks * outputLayout.Height,
                new Row<TWidth, TVector>(summary, window, across, input, inputLayout, output, outputLayout)
            );
    }

    private readonly struct Row<TWidth, TVector>(
        Summary summary,
        PlaneWindow window,
        Taps* across,
        float* input,
        BlockedLayout inputLayout,
        float* output,
        BlockedLayout outputLayout
    ) : ILoopBody
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int index)
        {
            (int plane, int row) = Math.DivRem(index, outputLayout.Height);
            (int image, int block) = Math.DivRem(plane, outputLayout.Blocks);
            float* x = input + inputLayout.Pixel(image, block, 0, 0),
                y = output + outputLayout.Pixel(image, block, row, 0);
            int tapDown = window.DilationY * inputLayout.RowPitch,
                tapRight = window.DilationX * BlockedLayout.ChannelBlock;
            bool isMaximum = summary == Summary.Maximum;
            Taps down = Taps.Down(window, inputLayout, row);
            if (isMaximum && window.Width == 2 && down.Count > 0)
            {
                Pairs(x + down.Start * inputLayout.RowPitch, down.Count, tapDown, tapRight, y);
                return;
            }
            for (int column = 0; column < outputLayout.Width; column++)
            {
                int start = across[column].Start,
                    taps = across[column].Count;
                float* first = x + down.Start * inputLayout.RowPitch + start * BlockedLayout.ChannelBlock;
                int count = summary == Summary.MeanOverPadding ? down.InPadding * across[column].InPadding : down.Count * taps;
                for (int lane = 0; lane < BlockedLayout.ChannelBlock; lane += TWidth.Count)
                {
                    TVector result = TWidth.Broadcast(isMaximum ? float.NegativeInfinity : 0);
                    for (int h = 0; h < down.Count; h++)
                    {
                        float* at = first + h * tapDown + lane;
                        if (isMaximum)
                            for (int v = taps; v > 0; v--, at += tapRight)
                                result = TWidth.Maximum(result, TWidth.Load(at));
                        else
                            for (int v = taps; v > 0; v--, at += tapRight)
                                result = TWidth.Add(result, TWidth.Load(at));
                    }
                    if (!isMaximum)
                        result = TWidth.Multiply(result, TWidth.Broadcast(1f / count));
                    TWidth.Store(result, y + lane);
                }
                y += BlockedLayout.ChannelBlock;
            }
        }

        /// <summary>The largest values of windows two columns wide, the usual ones.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Pairs(float* x, int rows, int tapDown, int tapRight, float* y)
        {
            for (int column = 0; column < outputLayout.Width; column++, y += BlockedLayout.ChannelBlock)
            {
                Taps taps = across[column];
                int right = taps.Count > 1 ? tapRight : 0;
                float* first = x + taps.Start * BlockedLayout.ChannelBlock;
                for (int lane = 0; lane < BlockedLayout.ChannelBlock; lane += TWidth.Count)
                {
                    TVector result = TWidth.Broadcast(float.NegativeInfinity);
                    if (taps.Count > 0)
                    {
                        float* at = first + lane;
                        for (int h = 0; h < rows; h++, at += tapDown)
                            result = TWidth.Maximum(result, TWidth.Maximum(TWidth.Load(at), TWidth.Load(at + right)));
                    }
                    TWidth.Store(result, y + lane);
                }
            }
        }
    }

    /// <summary>The part of a window along one axis that meets the input.</summary>
    /// <param name="Start">Position of the first tap that does.</param>
    /// <param name="Count">How many do.</param>
    /// <param name="InPadding">How many meet the input or the padding around it.</param>
    internal readonly record struct Taps(int Start, int Count, int InPadding)
    {
        /// <summary>Those of an output row.</summary>
        public static Taps Down(in PlaneWindow window, in BlockedLayout input, int row) =>
            At(row * window.StrideY - window.Padding.Top, window.Height, window.DilationY, input.Height, window.Padding.Bottom);

        /// <summary>Those of all columns of an output.</summary>
        public static Taps[] Across(in PlaneWindow window, in BlockedLayout input, int columns)
        {
            Taps[] taps = new Taps[columns];
            for (int column = 0; column < columns; column++)
                taps[column] = At(
                    column * window.StrideX - window.Padding.Left,
                    window.Width,
                    window.DilationX,
                    input.Width,
                    window.Padding.Right
                );
            return taps;
        }

        private static Taps At(int position, int taps, int dilation, int extent, int paddingBehind)
        {
            int before = position < 0 ? (-position + dilation - 1) / dilation : 0;
            int inside = Before(extent - position, taps, dilation);
            return new(
                position + before * dilation,
                Math.Max(inside - before, 0),
                Before(extent + paddingBehind - position, taps, dilation)
            );
        }

        /// <summary>Taps nearer than a distance.</summary>
        private static int Before(int distance, int taps, int dilation) =>
            distance <= 0 ? 0 : Math.Min(taps, (distance - 1) / dilation + 1);
    }
}

/// <summary>
/// Means of whole planes: rows first, then rows together, so that rounding grows with the sides of a plane and not with its area.
/// </summary>
internal readonly unsafe struct GlobalAverageKernel(
    float* input,
    BlockedLayout layout,
    float* means,
    BlockedLayout meansLayout,
    bool isPlain,
    Workers workers
) : IVectorKernel<float>
{
    public void Run<TWidth, TVector>()
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct =>
        workers.Run(layout.Images * layout.Blocks, new Plane<TWidth, TVector>(input, layout, means, meansLayout, isPlain));

    private readonly struct Plane<TWidth, TVector>(
        float* input,
        BlockedLayout layout,
        float* means,
        BlockedLayout meansLayout,
        bool isPlain
    ) : ILoopBody
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int plane)
        {
            (int image, int block) = Math.DivRem(plane, layout.Blocks);
            float* mean = stackalloc float[BlockedLayout.ChannelBlock];
            TVector scale = TWidth.Broadcast(1f / (layout.Height * layout.Width));
            for (int lane = 0; lane < BlockedLayout.ChannelBlock; lane += TWidth.Count)
            {
                TVector sum = TWidth.Broadcast(0);
                for (int row = 0; row < layout.Height; row++)
                {
                    float* at = input + layout.Pixel(image, block, row, 0) + lane;
                    TVector rowSum = TWidth.Broadcast(0);
                    for (int column = layout.Width; column > 0; column--, at += BlockedLayout.ChannelBlock)
                        rowSum = TWidth.Add(rowSum, TWidth.Load(at));
                    sum = TWidth.Add(sum, rowSum);
                }
                TWidth.Store(TWidth.Multiply(sum, scale), mean + lane);
            }
            int first = block * BlockedLayout.ChannelBlock,
                count = isPlain ? Math.Min(BlockedLayout.ChannelBlock, layout.Channels - first) : BlockedLayout.ChannelBlock;
            float* to = means + (isPlain ? image * layout.Channels + first : meansLayout.Pixel(image, block, 0, 0));
            Bounds.Span(mean, count).CopyTo(Bounds.Span(to, count));
        }
    }
}
