namespace Tensorial.Kernels.Blocked;

/// <summary>
/// A convolution cut into parts that run in any order: chunks of output channels, outermost so that their weights stay in the second cache
/// while the images of a micro-batch pass, then images, then strips of rows.
/// </summary>
internal readonly struct Partition
{
    // Weights and a strip of the input share the second-level cache with what streams past.
    private static readonly int WeightBytes = Caches.SecondLevel / 8 * 3,
        StripBytes = Caches.SecondLevel / 8;

    /// <summary>Parts per thread that keep threads of unequal speed busy to the end.</summary>
    private const int PartsPerThread = 4;

    private readonly int _images,
        _height,
        _groups,
        _strips,
        _chunks;

    private Partition(int images, int height, int groups, int strips, int chunks) =>
        (_images, _height, _groups, _strips, _chunks) = (images, height, groups, strips, chunks);

    public int Count => _images * _strips * _chunks;

    public (int Image, Range Rows, Range OutputGroups) this[int index]
    {
        get
        {
            (int rest, int strip) = Math.DivRem(index, _strips);
            (int chunk, int image) = Math.DivRem(rest, _images);
            return (image, Slice(_height, strip, _strips), Slice(_groups, chunk, _chunks));
        }
    }

    public static Partition From(
        in ConvolutionShape shape,
        in OutputGroups groups,
        in BlockedLayout input,
        in BlockedLayout output,
        int threads
    )
    {
        int weights =
            shape.SummedChannels
            * shape.KernelHeight
            * shape.KernelWidth
            * shape.BlocksTogether
            * BlockedLayout.ChannelBlock
            * sizeof(float);
        int chunks = Parts(groups.Count, WeightBytes / Math.Max(weights, 1));
        int row = Math.Max(shape.SummedChannels / BlockedLayout.ChannelBlock, 1) * shape.StrideY * input.RowPitch * sizeof(float);
        int strips = Parts(output.Height, StripBytes / Math.Max(row, 1));
        if (threads > 1)
        {
            int wanted = threads * PartsPerThread;
            if (output.Images * chunks * strips < wanted)
                strips = Math.Clamp(wanted / Math.Max(output.Images * chunks, 1), strips, Math.Max(output.Height, 1));
            if (output.Images * chunks * strips < wanted)
                chunks = Math.Clamp(wanted / Math.Max(output.Images * strips, 1), chunks, groups.Count);
        }
        return new(output.Images, output.Height, groups.Count, strips, chunks);
    }

    /// <summary>Parts of at most this size.</summary>
    private static int Parts(int count, int size) => (count + Math.Max(size, 1) - 1) / Math.Max(size, 1);

    private static Range Slice(int count, int part, int parts) =>
        (int)((long)count * part / parts)..(int)((long)count * (part + 1) / parts);
}
