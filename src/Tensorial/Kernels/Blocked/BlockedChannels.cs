using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>Channels of blocked activations in any order. Interiors only; halos are neither read nor written.</summary>
internal static unsafe class BlockedChannels
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>output[:, c] = input[:, order[c]].</summary>
    /// <param name="order">A channel of the input for every channel of the output.</param>
    public static void Gather(
        ReadOnlySpan<float> input,
        BlockedLayout inputLayout,
        int[] order,
        Span<float> output,
        BlockedLayout outputLayout,
        Workers workers
    )
    {
        BlockedElementwise.SameExtents(inputLayout with { Channels = outputLayout.Channels }, outputLayout);
        if (order.Length != outputLayout.Channels || order.Any(channel => (uint)channel >= (uint)inputLayout.Channels))
            throw new ArgumentException($"The order of {order.Length} channels does not lead from {inputLayout} to {outputLayout}.");
        inputLayout.Holds(input);
        outputLayout.Holds(output);
        fixed (
            float* x = input,
                y = output
        )
            using (Bounds.Know(x, input.Length, y, output.Length))
                workers.Run(outputLayout.Images * outputLayout.Blocks, new Body(x, inputLayout, order, y, outputLayout));
    }

    private readonly struct Body(float* input, BlockedLayout inputLayout, int[] order, float* output, BlockedLayout outputLayout)
        : ILoopBody
    {
        public void Run(int plane)
        {
            (int image, int block) = Math.DivRem(plane, outputLayout.Blocks);
            int first = block * Lanes,
                count = Math.Min(Lanes, order.Length - first);
            for (int row = 0; row < outputLayout.Height; row++)
            {
                float* to = output + outputLayout.Pixel(image, block, row, 0);
                Bounds.Check(to, outputLayout.Width * Lanes);
                for (int lane = 0; lane < count; lane++)
                {
                    (int source, int within) = Math.DivRem(order[first + lane], Lanes);
                    float* from = input + inputLayout.Pixel(image, source, row, 0);
                    Bounds.Check(from, inputLayout.Width * Lanes);
                    Copy(from + within, to + lane, outputLayout.Width);
                }
            }
        }

        /// <summary>One channel of a row.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Copy(float* from, float* to, int pixels)
        {
            for (; pixels >= 4; pixels -= 4, from += 4 * Lanes, to += 4 * Lanes)
            {
                to[0] = from[0];
                to[Lanes] = from[Lanes];
                to[2 * Lanes] = from[2 * Lanes];
                to[3 * Lanes] = from[3 * Lanes];
            }
            for (; pixels > 0; pixels--, from += Lanes, to += Lanes)
                *to = *from;
        }
    }
}
