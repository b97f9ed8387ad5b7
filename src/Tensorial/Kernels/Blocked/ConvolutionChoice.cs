using static Tensorial.Kernels.Blocked.BlockedLayout;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// Chooses the method of a convolution by its extents, the images that are computed together, the threads that share them, and this
/// machine's second-level cache.
/// </summary>
/// <remarks>
/// Counted in multiplications of the register tile on one thread. The constants are fits to what <c>bench kernels</c> prints, but for the
/// transforms of 512 bits, which are estimates since those stopped to clear memory (no such machine was at hand); they are
/// ratios of vector work to vector work and of memory to vector work, which differ less between machines than either.
/// </remarks>
internal static class ConvolutionChoice
{
    /// <summary>What Winograd's products must save before they are worth their rounding and their memory.</summary>
    private const double Gain = 0.9;

    /// <summary>Bytes of weights beyond which they come from memory rather than from a third-level cache.</summary>
    private const double FarBytes = 16 << 20;

    /// <summary>What differs between vectors of 512 bits and narrower ones.</summary>
    /// <param name="Tile">Pixels of the register tile.</param>
    /// <param name="Fetch">Multiplications in the time in which one weight comes from beyond the second-level cache.</param>
    /// <param name="Begin">Multiplications in the time that a tile takes to begin and end, by pixel and 16 outputs.</param>
    /// <param name="Second">The same for the transforms of F(2×2, 3×3), by tile and channel.</param>
    /// <param name="Fourth">The same for those of F(4×4, 3×3).</param>
    private readonly record struct Costs(int Tile, double Fetch, double Begin, double Second, double Fourth);

    private static readonly Costs Narrow = new(6, 12, 300, 450, 900),
        Here = VectorWidths.Best == VectorWidth.Bits512 ? new(14, 10, 0, 300, 650) : Narrow;

    /// <summary>The fastest method that computes the shape.</summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="height">Rows of its output.</param>
    /// <param name="width">Columns of its output.</param>
    /// <param name="images">Images in one call.</param>
    /// <param name="threads">Threads that share a call.</param>
    public static ConvolutionMethod Best(in ConvolutionShape shape, int height, int width, int images, int threads) =>
        Best(shape, height, width, images, threads, Caches.SecondLevel);

    internal static ConvolutionMethod Best(in ConvolutionShape shape, int height, int width, int images, int threads, int cache)
    {
        if (!WinogradKernel.Supports(shape))
            return ConvolutionMethod.Direct;
        double direct = Direct(shape, (double)images * height * width, threads),
            second = Winograd<Winograd2>(shape, Tiles(Winograd2.Outputs), threads, cache).Cost,
            fourth = Winograd<Winograd4>(shape, Tiles(Winograd4.Outputs), threads, cache).Cost;
        return Gain * direct <= Math.Min(second, fourth) ? ConvolutionMethod.Direct
            : second < fourth ? ConvolutionMethod.Winograd2
            : ConvolutionMethod.Winograd4;

        int Tiles(int outputs) => images * ((height + outputs - 1) / outputs) * ((width + outputs - 1) / outputs);
    }

    /// <summary>
    /// What the best method of a 3×3 convolution takes on large maps, as a part of the direct one's time, with vectors of 256 bits: the same on
    /// every machine, for orders that are written to files.
    /// </summary>
    public static double Share(int inputs, int outputs)
    {
        double pixels = Winograd4.Outputs * Winograd4.Outputs,
            products = Winograd4.Tile * Winograd4.Tile,
            direct = pixels * Blocks(outputs) * (9.0 * inputs * ChannelBlock + Narrow.Begin),
            fourth =
                products * Blocks(outputs) * ((double)inputs * ChannelBlock + Narrow.Begin / 3)
                + Narrow.Fourth * (Blocks(inputs) + Blocks(outputs)) * ChannelBlock / 2;
        return Math.Min(1, fourth / direct);
    }

    private static double Direct(in ConvolutionShape shape, double pixels, int threads)
    {
        double weights = 9.0 * shape.InputChannels * shape.OutputChannels;
        return pixels / threads * Blocks(shape.OutputChannels) * (9.0 * shape.InputChannels * ChannelBlock + Here.Begin) + Fetched(weights);
    }

    /// <summary>How threads share a convolution by Winograd's products.</summary>
    public static WinogradPartition Partition<TWinograd>(in ConvolutionShape shape, int tiles, int threads)
        where TWinograd : struct, IWinograd => Winograd<TWinograd>(shape, tiles, threads, Caches.SecondLevel).Partition;

    private static (double Cost, WinogradPartition Partition) Winograd<TWinograd>(
        in ConvolutionShape shape,
        int tiles,
        int threads,
        int cache
    )
        where TWinograd : struct, IWinograd
    {
        (WinogradPartition byTiles, WinogradPartition byOutputs) = WinogradPartition.From(tiles, Blocks(shape.OutputChannels), threads);
        double first = Winograd<TWinograd>(shape, byTiles, threads, cache);
        if (byOutputs == byTiles)
            return (first, byTiles);
        double second = Winograd<TWinograd>(shape, byOutputs, threads, cache);
        return second < first ? (second, byOutputs) : (first, byTiles);
    }

    private static double Winograd<TWinograd>(in ConvolutionShape shape, in WinogradPartition partition, int threads, int cache)
        where TWinograd : struct, IWinograd
    {
        int products = TWinograd.Tile * TWinograd.Tile,
            outputs = Math.Min(partition.Blocks, Blocks(shape.OutputChannels));
        double weights = (double)products * shape.InputChannels * outputs * ChannelBlock,
            transform = TWinograd.Outputs == 2 ? Here.Second : Here.Fourth;
        double rounds = Math.Ceiling((double)partition.Count / threads),
            // Fewer than four pixels leave the adders waiting for one another.
            pixels = Math.Max(partition.Size, 4.0 * ((partition.Size + Here.Tile - 1) / Here.Tile));
        double multiplied = products * pixels * outputs * (shape.InputChannels * ChannelBlock + Here.Begin / 3),
            transformed = transform * partition.Size * (Blocks(shape.InputChannels) + outputs) * ChannelBlock / 2;
        bool stays = weights * sizeof(float) <= 0.75 * cache;
        return rounds * (multiplied + transformed) + (stays ? 1 : rounds) * Fetched(weights);
    }

    private static double Fetched(double weights) => weights * Here.Fetch * (weights * sizeof(float) > FarBytes ? 2 : 1);

    private static int Blocks(int channels) => (channels + ChannelBlock - 1) / ChannelBlock;
}
