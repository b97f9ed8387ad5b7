namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The tiles of a Winograd convolution in batches that are transformed together, and every batch's outputs in parts, for threads to share.
/// </summary>
/// <param name="Batches">How many batches of tiles.</param>
/// <param name="Size">Tiles of a batch; the last may have fewer.</param>
/// <param name="Splits">Parts of the outputs.</param>
/// <param name="Blocks">Output blocks of a part; the last may have fewer.</param>
internal readonly record struct WinogradPartition(int Batches, int Size, int Splits, int Blocks)
{
    // Weights then come from the third cache at 64 / 28 bytes a multiplication, which it sustains.
    private const int MostTiles = 28;

    /// <summary>Output blocks whose products wait for their transform together: 36 planes of 28 tiles of 64 channels are 258 KB.</summary>
    public const int MostBlocks = 4;

    public int Count => Batches * Splits;

    /// <summary>
    /// For threads that share the tiles, who each fetch all weights; and for threads that share the outputs as well, who each transform the
    /// whole input of a batch.
    /// </summary>
    public static (WinogradPartition Tiles, WinogradPartition Outputs) From(int tiles, int outputBlocks, int threads)
    {
        int batches = (tiles + MostTiles - 1) / MostTiles;
        bool isShort = threads > 1 && batches < threads * 2;
        int shared = isShort ? Math.Min((batches + threads - 1) / threads * threads, Math.Max(1, tiles)) : batches;
        return (
            Of(tiles, shared, outputBlocks, 1),
            Of(tiles, batches, outputBlocks, isShort ? (threads + batches - 1) / Math.Max(batches, 1) : 1)
        );
    }

    private static WinogradPartition Of(int tiles, int batches, int outputBlocks, int splits)
    {
        int size = Math.Max(1, (tiles + Math.Max(batches, 1) - 1) / Math.Max(batches, 1)),
            // Tiles of registers span two blocks.
            blocks = Math.Max(2, (outputBlocks + splits - 1) / splits + 1 & ~1);
        return new((tiles + size - 1) / size, size, (outputBlocks + blocks - 1) / blocks, blocks);
    }
}
