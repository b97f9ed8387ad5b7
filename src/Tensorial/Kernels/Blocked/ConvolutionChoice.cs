namespace Tensorial.Kernels.Blocked;

/// <summary>Chooses the method of a convolution from its extents alone, so that a kernel is packed once for batches of any size.</summary>
/// <remarks>
/// Counted in multiplications of the register tile. The constants are fits to what <c>bench convolution</c> prints; they are ratios of
/// vector work to vector work and of memory to vector work, which differ less between machines than either.
/// </remarks>
internal static class ConvolutionChoice
{
    /// <summary>
    /// Weights beyond the second-level cache come from memory for every image: a float in the time of so many multiplications.
    /// </summary>
    private const double FetchCost = 10;

    private const long CacheBytes = 1 << 20;

    /// <summary>The fastest method that computes the shape, for an output of a height and a width.</summary>
    public static ConvolutionMethod Best(ConvolutionShape shape, int height, int width)
    {
        if (!WinogradKernel.Supports(shape))
            return ConvolutionMethod.Direct;
        double pairs = (double)shape.InputChannels * shape.OutputChannels;
        double direct = Cost(9, (double)height * width, 0);
        double second = Winograd(Winograd2.Outputs, Winograd2.Tile, 546);
        double fourth = Winograd(Winograd4.Outputs, Winograd4.Tile, 1250);
        return direct <= Math.Min(second, fourth) ? ConvolutionMethod.Direct
            : second < fourth ? ConvolutionMethod.Winograd2
            : ConvolutionMethod.Winograd4;

        double Winograd(int outputs, int tile, double transform) =>
            Cost(tile * tile, Math.Ceiling((double)height / outputs) * Math.Ceiling((double)width / outputs), transform);

        double Cost(int products, double tiles, double transform)
        {
            double weights = products * pairs,
                channels = Blocks(shape.InputChannels) + Blocks(shape.OutputChannels);
            return tiles * (weights + transform * channels / 2) + (weights * sizeof(float) > CacheBytes ? FetchCost * weights : 0);
        }
    }

    /// <summary>Channels as they are stored.</summary>
    private static int Blocks(int channels) =>
        (channels + BlockedLayout.ChannelBlock - 1) / BlockedLayout.ChannelBlock * BlockedLayout.ChannelBlock;
}
