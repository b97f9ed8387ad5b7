namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The tiles of a Winograd convolution in batches that are transformed together, and every batch's outputs in parts, for threads to share.
/// </summary>
/// <param name="Batches">How many batches of tiles.</param>
/// <param name="Size">Tiles of a batch; the last may have fewer.</param>
/// <param name="Splits">Parts of the outputs.</param>
internal readonly record struct WinogradPartition(int Batches, int Size, int Splits)
{
    // Weights then come from the third cache at 64 / 28 bytes a multiplication, which it sustains.
    private const int MostTiles = 28;

    /// <summary>Tiles of a batch for which threads share the tiles: about one register tile. Below they share the outputs.</summary>
    private const int LeastTiles = 6;

    /// <summary>Output blocks whose products wait for their transform together: 36 planes of 28 tiles of 64 channels are 258 KB.</summary>
    public const int MostBlocks = 4;

    public int Count => Batches * Splits;

    public static WinogradPartition From(int tiles, int outputBlocks, int threads)
    {
        int chunks = (outputBlocks + MostBlocks - 1) / MostBlocks,
            batches = (tiles + MostTiles - 1) / MostTiles,
            splits = 1;
        if (threads > 1 && batches < threads * 2)
        {
            // Smaller batches do more fetching for every weight; splitting outputs repeats the transform of the input.
            if (tiles / threads >= LeastTiles || chunks == 1)
                batches = Math.Min((batches + threads - 1) / threads * threads, Math.Max(1, tiles));
            else
                splits = Math.Min(chunks, (threads + batches - 1) / Math.Max(batches, 1));
        }
        int size = (tiles + Math.Max(batches, 1) - 1) / Math.Max(batches, 1);
        return new((tiles + Math.Max(size, 1) - 1) / Math.Max(size, 1), size, splits);
    }
}
