namespace Tensorial.Data.Png;

/// <summary>PNG's five filters, which store a row as differences from its neighbours: left (a), above (b), above left (c).</summary>
internal static class PngFilter
{
    /// <summary>Restores a row in place; false for a filter that does not exist.</summary>
    /// <param name="filter">0 none, 1 left, 2 above, 3 the mean of both, 4 Paeth's choice among the three.</param>
    /// <param name="row">The differences, then the bytes.</param>
    /// <param name="above">The restored row above; zeros above the first.</param>
    /// <param name="pixel">Bytes a pixel, which is how far to the left the neighbour is.</param>
    public static bool Undo(int filter, Span<byte> row, ReadOnlySpan<byte> above, int pixel)
    {
        above = above[..row.Length];
        switch (filter)
        {
            case 0:
                return true;
            case 1:
                for (int index = pixel; index < row.Length; index++)
                    row[index] += row[index - pixel];
                return true;
            case 2:
                for (int index = 0; index < row.Length; index++)
                    row[index] += above[index];
                return true;
            case 3:
                for (int index = 0; index < pixel && index < row.Length; index++)
                    row[index] += (byte)(above[index] / 2);
                for (int index = pixel; index < row.Length; index++)
                    row[index] += (byte)((row[index - pixel] + above[index]) / 2);
                return true;
            case 4:
                for (int index = 0; index < pixel && index < row.Length; index++)
                    row[index] += above[index];
                for (int index = pixel; index < row.Length; index++)
                    row[index] += Paeth(row[index - pixel], above[index], above[index - pixel]);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The neighbour nearest to a + b - c; in a tie a before b before c.</summary>
    private static byte Paeth(int a, int b, int c)
    {
        int fromA = Math.Abs(b - c),
            fromB = Math.Abs(a - c),
            fromC = Math.Abs(a + b - c - c);
        return (byte)(
            fromA <= fromB && fromA <= fromC ? a
            : fromB <= fromC ? b
            : c
        );
    }
}
