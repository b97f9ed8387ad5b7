using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// Parts of blocked activations brought to another place. Interiors only; halos are neither read nor written. Input and output do not
/// overlap.
/// </summary>
internal static unsafe class BlockedMovement
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>
    /// output[:, outputFirst + i] = input[:, inputFirst + i] for <paramref name="count"/> channels: concatenation, slices and padding along
    /// channels.
    /// </summary>
    public static void CopyChannels(
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        int inputFirst,
        int count,
        Span<float> output,
        BlockedLayout outputLayout,
        int outputFirst,
        Workers workers
    )
    {
        BlockedElementwise.SameExtents(inputLayout with { Channels = outputLayout.Channels }, outputLayout);
        Within(inputLayout, inputFirst, count);
        Within(outputLayout, outputFirst, count);
        inputLayout.Holds(input);
        outputLayout.Holds(output);
        fixed (
            float* x = input,
                y = output
        )
            using (Bounds.Know(x, input.Length, y, output.Length))
                Run(new(x, inputLayout, inputFirst, y, outputLayout, outputFirst, count, 0), workers);
    }

    /// <summary>output[:, first .. first + count] = value.</summary>
    public static void FillChannels(float value, Span<float> output, BlockedLayout outputLayout, int first, int count, Workers workers)
    {
        Within(outputLayout, first, count);
        outputLayout.Holds(output);
        fixed (float* y = output)
            using (Bounds.Know(y, output.Length))
                Run(new(null, outputLayout, first, y, outputLayout, first, count, value), workers);
    }

    /// <summary>output[y, x] = input[firstY + strideY · y, firstX + strideX · x], over the whole output; strides may be negative.</summary>
    public static void Slice(
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        int firstY,
        int firstX,
        int strideY,
        int strideX,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    )
    {
        Inside(inputLayout.Height, firstY, strideY, outputLayout.Height);
        Inside(inputLayout.Width, firstX, strideX, outputLayout.Width);
        Move(input, inputLayout, new(firstY, strideY, 1), new(firstX, strideX, 1), 0, output, outputLayout, workers);
    }

    /// <summary>output[firstY + strideY · y, firstX + strideX · x] = input[y, x], and 0 elsewhere: the adjoint of a slice.</summary>
    public static void Place(
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        int firstY,
        int firstX,
        int strideY,
        int strideX,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    )
    {
        Inside(outputLayout.Height, firstY, strideY, inputLayout.Height);
        Inside(outputLayout.Width, firstX, strideX, inputLayout.Width);
        if (inputLayout.Images != outputLayout.Images || inputLayout.Channels != outputLayout.Channels)
            throw new ArgumentException($"Images and channels stay as they are: {inputLayout} and {outputLayout} differ.");
        inputLayout.Holds(input);
        outputLayout.Holds(output);
        fixed (
            float* x = input,
                y = output
        )
            using (Bounds.Know(x, input.Length, y, output.Length))
                workers.Run(
                    outputLayout.Images * outputLayout.Blocks,
                    new Placement(x, inputLayout, firstY, firstX, strideY, strideX, y, outputLayout)
                );
    }

    private readonly struct Placement(
        float* input,
        BlockedLayout inputLayout,
        int firstY,
        int firstX,
        int strideY,
        int strideX,
        float* output,
        BlockedLayout outputLayout
    ) : ILoopBody
    {
        public void Run(int plane)
        {
            (int image, int block) = Math.DivRem(plane, outputLayout.Blocks);
            for (int row = 0; row < outputLayout.Height; row++)
                Bounds.Span(output + outputLayout.Pixel(image, block, row, 0), outputLayout.Width * Lanes).Clear();
            for (int row = 0; row < inputLayout.Height; row++)
            for (int column = 0; column < inputLayout.Width; column++)
                Bounds
                    .Span(input + inputLayout.Pixel(image, block, row, column), Lanes)
                    .CopyTo(
                        Bounds.Span(output + outputLayout.Pixel(image, block, firstY + row * strideY, firstX + column * strideX), Lanes)
                    );
        }
    }

    /// <summary>
    /// Puts the input into the output with its first pixel at (top, left), which may be negative, and <paramref name="value"/> around it.
    /// </summary>
    public static void Pad(
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        int top,
        int left,
        float value,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    ) => Move(input, inputLayout, new(-top, 1, 1), new(-left, 1, 1), value, output, outputLayout, workers);

    /// <summary>output[y, x] = input[y / factorY, x / factorX]: enlargement by repetition.</summary>
    public static void Repeat(
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        int factorY,
        int factorX,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    )
    {
        Inside(checked(inputLayout.Height * factorY), 0, 1, outputLayout.Height);
        Inside(checked(inputLayout.Width * factorX), 0, 1, outputLayout.Width);
        Move(input, inputLayout, new(0, 1, factorY), new(0, 1, factorX), 0, output, outputLayout, workers);
    }

    private static void Move(
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        Axis down,
        Axis right,
        float outside,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    )
    {
        if (inputLayout.Images != outputLayout.Images || inputLayout.Channels != outputLayout.Channels)
            throw new ArgumentException($"Images and channels stay as they are: {inputLayout} and {outputLayout} differ.");
        inputLayout.Holds(input);
        outputLayout.Holds(output);
        fixed (
            float* x = input,
                y = output
        )
            using (Bounds.Know(x, input.Length, y, output.Length))
                workers.Run(
                    outputLayout.Images * outputLayout.Blocks,
                    new PlaneMove(x, inputLayout, down, right, outside, y, outputLayout)
                );
    }

    /// <summary>Input position of an output position: first + stride · (position / repeats).</summary>
    private readonly record struct Axis(int First, int Stride, int Repeats)
    {
        public int this[int position] => First + Stride * (Repeats == 1 ? position : position / Repeats);
    }

    private readonly struct PlaneMove(
        float* input,
        BlockedLayout inputLayout,
        Axis down,
        Axis right,
        float outside,
        float* output,
        BlockedLayout outputLayout
    ) : ILoopBody
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int plane)
        {
            (int image, int block) = Math.DivRem(plane, outputLayout.Blocks);
            for (int row = 0; row < outputLayout.Height; row++)
            {
                float* to = output + outputLayout.Pixel(image, block, row, 0),
                    from = input + inputLayout.Pixel(image, block, down[row], 0);
                bool rowInside = (uint)down[row] < (uint)inputLayout.Height;
                Bounds.Check(to, outputLayout.Width * Lanes);
                if (rowInside)
                    Bounds.Check(from, inputLayout.Width * Lanes);
                for (int column = 0; column < outputLayout.Width; column++, to += Lanes)
                {
                    int x = right[column];
                    if (rowInside && (uint)x < (uint)inputLayout.Width)
                        ((Pixel*)to)[0] = ((Pixel*)from)[x];
                    else
                        Bounds.Span(to, Lanes).Fill(outside);
                }
            }
        }
    }

    /// <summary>Sixteen channels, to be copied as one.</summary>
    [InlineArray(Lanes)]
    private struct Pixel
    {
        private float _first;
    }

    private static void Run(in ChannelMove move, Workers workers) => workers.Run(move.Tasks, move);

    /// <summary>
    /// Moves runs of lanes: an output block receives channels of at most two input blocks. Fills where there is no input.
    /// </summary>
    private readonly struct ChannelMove(
        float* input,
        BlockedLayout inputLayout,
        int inputFirst,
        float* output,
        BlockedLayout outputLayout,
        int outputFirst,
        int count,
        float fill
    ) : ILoopBody
    {
        private readonly int _firstBlock = outputFirst / Lanes;

        public int Tasks => count == 0 ? 0 : outputLayout.Images * ((outputFirst + count - 1) / Lanes - outputFirst / Lanes + 1);

        public void Run(int index)
        {
            (int image, int block) = Math.DivRem(index, Tasks / outputLayout.Images);
            block += _firstBlock;
            int channel = Math.Max(block * Lanes, outputFirst),
                end = Math.Min((block + 1) * Lanes, outputFirst + count);
            while (channel < end)
            {
                int source = channel - outputFirst + inputFirst,
                    lanes = Math.Min(end - channel, Lanes - source % Lanes);
                for (int row = 0; row < outputLayout.Height; row++)
                {
                    float* to = output + outputLayout.Pixel(image, block, row, 0) + channel % Lanes;
                    if (input == null)
                        Fill(to, lanes);
                    else
                        Copy(input + inputLayout.Pixel(image, source / Lanes, row, 0) + source % Lanes, to, lanes);
                }
                channel += lanes;
            }
        }

        /// <summary>Some lanes of every pixel of a row: in one piece, or in two that overlap where no one piece is as long.</summary>
        private void Copy(float* from, float* to, int lanes)
        {
            int length = (outputLayout.Width - 1) * Lanes + lanes;
            Bounds.Check(from, length);
            Bounds.Check(to, length);
            if (lanes == Lanes)
                new ReadOnlySpan<float>(from, length).CopyTo(new(to, length));
            else if (lanes >= Vector256<float>.Count)
                Copy<Vector256<float>>(from, to, lanes - Vector256<float>.Count);
            else if (lanes >= Vector128<float>.Count)
                Copy<Vector128<float>>(from, to, lanes - Vector128<float>.Count);
            else if (lanes >= Vector64<float>.Count)
                Copy<Vector64<float>>(from, to, lanes - Vector64<float>.Count);
            else
                Copy<float>(from, to, 0);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Copy<TPiece>(float* from, float* to, int second)
            where TPiece : unmanaged
        {
            for (int column = outputLayout.Width; column > 0; column--, from += Lanes, to += Lanes)
            {
                *(TPiece*)to = *(TPiece*)from;
                *(TPiece*)(to + second) = *(TPiece*)(from + second);
            }
        }

        private void Fill(float* to, int lanes)
        {
            if (lanes == Lanes)
                Bounds.Span(to, outputLayout.Width * Lanes).Fill(fill);
            else
                for (int column = outputLayout.Width; column > 0; column--, to += Lanes)
                    Bounds.Span(to, lanes).Fill(fill);
        }
    }

    private static void Within(in BlockedLayout layout, int first, int count)
    {
        if (first < 0 || count < 0 || first > layout.Channels - count)
            throw new ArgumentException($"{layout} has no channels {first} to {(long)first + count - 1}.");
    }

    private static void Inside(int extent, int first, int stride, int count)
    {
        long last = first + (long)stride * (count - 1);
        if (count > 0 && (first < 0 || first >= extent || last < 0 || last >= extent))
            throw new ArgumentException($"Positions {first} to {last} are not all below {extent}.");
    }
}
