namespace Tensorial.Kernels.Blocked;

/// <summary>Between plain [image][channel][row][column] activations and blocked ones.</summary>
public static class BlockedConversion
{
    /// <summary>Writes the interior of a blocked value; lanes beyond the channels become zero.</summary>
    public static void ToBlocked(ReadOnlySpan<float> plain, Span<float> blocked, BlockedLayout layout, Workers? workers = null)
    {
        int plane = layout.Height * layout.Width;
        for (int image = 0; image < layout.Images; image++)
            for (int block = 0; block < layout.Blocks; block++)
                for (int y = 0; y < layout.Height; y++)
                    for (int x = 0; x < layout.Width; x++)
                    {
                        Span<float> pixel = blocked.Slice(layout.Pixel(image, block, y, x), BlockedLayout.Lanes);
                        for (int lane = 0; lane < BlockedLayout.Lanes; lane++)
                        {
                            int channel = block * BlockedLayout.Lanes + lane;
                            pixel[lane] = channel < layout.Channels ? plain[(image * layout.Channels + channel) * plane + y * layout.Width + x] : 0;
                        }
                    }
    }

    /// <summary>Reads the interior of a blocked value.</summary>
    public static void ToPlain(ReadOnlySpan<float> blocked, BlockedLayout layout, Span<float> plain, Workers? workers = null)
    {
        int plane = layout.Height * layout.Width;
        for (int image = 0; image < layout.Images; image++)
            for (int channel = 0; channel < layout.Channels; channel++)
                for (int y = 0; y < layout.Height; y++)
                    for (int x = 0; x < layout.Width; x++)
                        plain[(image * layout.Channels + channel) * plane + y * layout.Width + x] =
                            blocked[layout.Pixel(image, channel / BlockedLayout.Lanes, y, x) + channel % BlockedLayout.Lanes];
    }
}
