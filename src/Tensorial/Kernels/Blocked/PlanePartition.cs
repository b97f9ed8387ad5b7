namespace Tensorial.Kernels.Blocked;

/// <summary>
/// A convolution cut into parts that run in any order: chunks of groups of outputs, then strips of rows, the rows of all images being
/// counted on; and the depth of input channels that a part sums at a time, so that their weights stay in the second-level cache while the
/// pixels of the strip pass.
/// </summary>
internal readonly struct PlanePartition
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    /// <summary>Multiplications that are worth a part of their own, for threads of unequal speed.</summary>
    private const long PartProducts = 1 << 20;

    private const int PartsPerThread = 4;

    /// <summary>Tiles over which the fetching of the weights is spread at least, where a plane has so many.</summary>
    private const int LeastTiles = 16;

    private readonly int _rows,
        _groups,
        _strips,
        _chunks;

    private PlanePartition(int rows, int groups, int strips, int chunks, int depth) =>
        (_rows, _groups, _strips, _chunks, Depth) = (rows, groups, strips, chunks, depth);

    public int Count => _strips * _chunks;

    /// <summary>Blocks of 16 input channels that are summed at a time.</summary>
    public int Depth { get; }

    public (Range Rows, Range OutputGroups) this[int index]
    {
        get
        {
            (int chunk, int strip) = Math.DivRem(index, _strips);
            return (Slice(_rows, strip, _strips), Slice(_groups, chunk, _chunks));
        }
    }

    /// <param name="tile">Pixels of a tile.</param>
    /// <param name="cache">Bytes of the second-level cache.</param>
    public static PlanePartition From(
        in ConvolutionShape shape,
        in OutputGroups groups,
        in BlockedLayout input,
        in BlockedLayout output,
        int tile,
        int threads,
        int cache
    )
    {
        int blocks = (shape.InputsPerGroup + Lanes - 1) / Lanes,
            rows = output.Images * output.Height;
        if (rows == 0 || output.Width == 0)
            return new(0, 0, 0, 0, blocks);
        long weights = (long)shape.KernelHeight * shape.KernelWidth * shape.BlocksTogether * Lanes * Lanes * sizeof(float),
            row = (long)shape.StrideY * input.RowPitch * sizeof(float);
        long least = ((long)LeastTiles * tile + output.Width - 1) / output.Width;
        int strips = Parts(rows, Math.Max(cache / 4 / (row * blocks), least)),
            chunks = Parts(groups.Count, 3L * cache / 8 / (weights * blocks));
        if (threads > 1)
        {
            double products =
                (double)rows * output.Width * shape.OutputChannels * shape.InputsPerGroup * shape.KernelHeight * shape.KernelWidth;
            int wanted = (int)Math.Clamp(products / PartProducts, threads, threads * PartsPerThread);
            // Outputs first: threads then share the weights, of which each fetches its own.
            if (chunks * strips < wanted)
                chunks = Math.Clamp((wanted + strips - 1) / strips, chunks, groups.Count);
            if (chunks * strips < wanted)
                strips = Math.Clamp((wanted + chunks - 1) / chunks, strips, rows);
        }
        long inputs = (rows + strips - 1) / strips * row;
        int parts = Parts(blocks, cache / 2 / (weights + inputs));
        return new(rows, groups.Count, strips, chunks, (blocks + parts - 1) / parts);
    }

    /// <summary>How many parts of at most this size.</summary>
    private static int Parts(int count, long size) => (int)((count + Math.Max(size, 1) - 1) / Math.Max(size, 1));

    private static Range Slice(int count, int part, int parts) =>
        (int)((long)count * part / parts)..(int)((long)count * (part + 1) / parts);
}
