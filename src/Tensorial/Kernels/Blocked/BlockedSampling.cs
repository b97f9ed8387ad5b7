using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// For every position along an axis of the result, the positions of the input that it is made of, and their weights: as many for each.
/// </summary>
/// <param name="Taps">How many.</param>
/// <param name="Indices">[position][tap].</param>
/// <param name="Weights">[position][tap].</param>
internal sealed record SampleTable(int Taps, int[] Indices, float[] Weights)
{
    /// <summary>Positions of the result.</summary>
    public int Count => Indices.Length / Taps;

    /// <summary>Refuses positions that are not below an extent.</summary>
    public void Check(int input, int output)
    {
        if (Taps < 1 || Weights.Length != Indices.Length || Count != output || Indices.Any(index => (uint)index >= (uint)input))
            throw new ArgumentException($"A table of {Indices.Length} taps does not make {output} positions of {input}.");
    }

    /// <summary>Whether two positions are made of the same values.</summary>
    public bool AreAlike(int position, int other) =>
        Indices.AsSpan(position * Taps, Taps).SequenceEqual(Indices.AsSpan(other * Taps, Taps))
        && Weights.AsSpan(position * Taps, Taps).SequenceEqual(Weights.AsSpan(other * Taps, Taps));
}

/// <summary>Planes of blocked activations on a finer or coarser grid: weighted sums along rows, then along columns.</summary>
internal static unsafe class BlockedSampling
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>output[y, x] = Σ down(y, t) right(x, u) input[down index, right index]. Halos are neither read nor written.</summary>
    public static void Run(
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        SampleTable down,
        SampleTable right,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    ) => Run(VectorWidths.Best, input, inputLayout, down, right, output, outputLayout, workers);

    internal static void Run(
        VectorWidth width,
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        SampleTable down,
        SampleTable right,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    )
    {
        if (inputLayout.Images != outputLayout.Images || inputLayout.Channels != outputLayout.Channels)
            throw new ArgumentException($"Images and channels stay as they are: {inputLayout} and {outputLayout} differ.");
        down.Check(inputLayout.Height, outputLayout.Height);
        right.Check(inputLayout.Width, outputLayout.Width);
        inputLayout.Holds(input);
        outputLayout.Holds(output);
        fixed (
            float* x = input,
                y = output
        )
            using (Bounds.Know(x, input.Length, y, output.Length))
                width.Run<Kernel, float>(new(x, inputLayout, down, right, y, outputLayout, workers));
    }

    private readonly struct Kernel(
        float* input,
        BlockedLayout inputLayout,
        SampleTable down,
        SampleTable right,
        float* output,
        BlockedLayout outputLayout,
        Workers workers
    ) : IVectorKernel<float>
    {
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct =>
            workers.Run(
                outputLayout.Images * outputLayout.Blocks,
                new Plane<TWidth, TVector>(input, inputLayout, down, right, output, outputLayout)
            );
    }

    private readonly struct Plane<TWidth, TVector>(
        float* input,
        BlockedLayout inputLayout,
        SampleTable down,
        SampleTable right,
        float* output,
        BlockedLayout outputLayout
    ) : ILoopBody
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        public void Run(int plane)
        {
            (int image, int block) = Math.DivRem(plane, outputLayout.Blocks);
            int length = inputLayout.Width * Lanes;
            float* sums = WinogradTile.Scratch(length);
            for (int row = 0; row < outputLayout.Height; row++)
            {
                float* to = output + outputLayout.Pixel(image, block, row, 0);
                if (row > 0 && down.AreAlike(row, row - 1))
                {
                    Bounds.Span(to - outputLayout.RowPitch, outputLayout.Width * Lanes).CopyTo(Bounds.Span(to, outputLayout.Width * Lanes));
                    continue;
                }
                for (int tap = 0; tap < down.Taps; tap++)
                    Add(
                        input + inputLayout.Pixel(image, block, down.Indices[row * down.Taps + tap], 0),
                        down.Weights[row * down.Taps + tap],
                        tap == 0,
                        length,
                        sums
                    );
                Columns(sums, to);
            }
        }

        /// <summary>sums = weight · row, or that added to it.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Add(float* row, float weight, bool begins, int length, float* sums)
        {
            TVector factor = TWidth.Broadcast(weight);
            for (int at = 0; at < length; at += TWidth.Count)
                TWidth.Store(
                    begins
                        ? TWidth.Multiply(factor, TWidth.Load(row + at))
                        : TWidth.MultiplyAdd(factor, TWidth.Load(row + at), TWidth.Load(sums + at)),
                    sums + at
                );
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Columns(float* row, float* to)
        {
            ReadOnlySpan<int> indices = right.Indices;
            ReadOnlySpan<float> weights = right.Weights;
            int taps = right.Taps;
            for (int column = 0, first = 0; column < outputLayout.Width; column++, first += taps, to += Lanes)
            for (int lane = 0; lane < Lanes; lane += TWidth.Count)
            {
                TVector sum = TWidth.Multiply(TWidth.Broadcast(weights[first]), TWidth.Load(row + indices[first] * Lanes + lane));
                for (int tap = first + 1; tap < first + taps; tap++)
                    sum = TWidth.MultiplyAdd(TWidth.Broadcast(weights[tap]), TWidth.Load(row + indices[tap] * Lanes + lane), sum);
                TWidth.Store(sum, to + lane);
            }
        }
    }
}
