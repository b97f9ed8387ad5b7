namespace Tensorial.Kernels;

/// <summary>The transpose of a matrix, in tiles of 16 × 16, so that both sides stay in cache lines that are already loaded.</summary>
internal static class Transposition
{
    private const int Tile = 16;

    /// <summary>target[j, i] = source[i, j] for a source [rows, columns]; strides are distances between rows.</summary>
    public static void Copy<T>(ReadOnlySpan<T> source, int sourceStride, int rows, int columns, Span<T> target, int targetStride)
        where T : unmanaged
    {
        for (int top = 0; top < rows; top += Tile)
        for (int left = 0; left < columns; left += Tile)
        {
            int bottom = Math.Min(top + Tile, rows),
                right = Math.Min(left + Tile, columns);
            for (int j = left; j < right; j++)
            {
                Span<T> row = target.Slice(j * targetStride + top, bottom - top);
                for (int i = 0; i < row.Length; i++)
                    row[i] = source[(top + i) * sourceStride + j];
            }
        }
    }
}
