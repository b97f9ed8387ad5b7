using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>Between plain [image][channel][row][column] activations and blocked ones.</summary>
internal static unsafe class BlockedConversion
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>Writes the interior of a blocked value; lanes beyond the channels become zero.</summary>
    public static void ToBlocked(ReadOnlySpan<float> plain, Span<float> blocked, BlockedLayout layout, Workers workers)
    {
        Check(plain.Length, blocked.Length, layout);
        fixed (
            float* from = plain,
                to = blocked
        )
            using (Bounds.Know(from, plain.Length, to, blocked.Length))
                workers.Run(layout.Images * layout.Blocks * layout.Height, new Row(from, to, layout, toPlain: false));
    }

    /// <summary>Reads the interior of a blocked value.</summary>
    public static void ToPlain(ReadOnlySpan<float> blocked, BlockedLayout layout, Span<float> plain, Workers workers)
    {
        Check(plain.Length, blocked.Length, layout);
        fixed (
            float* from = blocked,
                to = plain
        )
            using (Bounds.Know(from, blocked.Length, to, plain.Length))
                workers.Run(layout.Images * layout.Blocks * layout.Height, new Row(to, from, layout, toPlain: true));
    }

    /// <summary>
    /// One row of one block: pixels by 16 channels turned round, four channels at a time so that a pixel's line is met four times and not
    /// sixteen.
    /// </summary>
    private readonly struct Row(float* plain, float* blocked, BlockedLayout layout, bool toPlain) : ILoopBody
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int index)
        {
            (int rest, int row) = Math.DivRem(index, layout.Height);
            (int image, int block) = Math.DivRem(rest, layout.Blocks);
            int first = block * Lanes,
                count = Math.Min(Lanes, layout.Channels - first),
                plane = layout.Height * layout.Width,
                width = layout.Width;
            float* pixels = blocked + layout.Pixel(image, block, row, 0),
                values = plain + ((nint)image * layout.Channels + first) * plane + row * width;
            Bounds.Check(pixels, width * Lanes);
            Bounds.Check(values, (long)(count - 1) * plane + width);
            if (!toPlain && count < Lanes)
                Bounds.Span(pixels, width * Lanes).Clear();
            int lane = 0;
            for (; lane + 4 <= count; lane += 4, values += 4 * plane, pixels += 4)
            {
                float* a = values,
                    b = a + plane,
                    c = b + plane,
                    d = c + plane,
                    pixel = pixels;
                int x = 0;
                for (; x + 4 <= width; x += 4, pixel += 4 * Lanes)
                    if (toPlain)
                        Square4.Transpose(pixel, Lanes, a + x, plane);
                    else
                        Square4.Transpose(a + x, plane, pixel, Lanes);
                if (toPlain)
                    for (; x < width; x++, pixel += Lanes)
                        (a[x], b[x], c[x], d[x]) = (pixel[0], pixel[1], pixel[2], pixel[3]);
                else
                    for (; x < width; x++, pixel += Lanes)
                        (pixel[0], pixel[1], pixel[2], pixel[3]) = (a[x], b[x], c[x], d[x]);
            }
            for (; lane < count; lane++, values += plane, pixels++)
            {
                if (toPlain)
                    for (int x = 0; x < width; x++)
                        values[x] = pixels[x * Lanes];
                else
                    for (int x = 0; x < width; x++)
                        pixels[x * Lanes] = values[x];
            }
        }
    }

    private static void Check(int plain, int blocked, in BlockedLayout layout)
    {
        int length = layout.Length,
            count = layout.Images * layout.Channels * layout.Height * layout.Width;
        if (plain < count || blocked < length)
            throw new ArgumentException($"{layout} takes {count} plain and {length} blocked floats, not {plain} and {blocked}.");
    }
}
