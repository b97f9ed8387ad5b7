namespace Tensorial.LinearAlgebra;

/// <summary>Tensors of two axes, seen as matrices.</summary>
internal static class Matrix
{
    /// <exception cref="ShapeException">The tensor is not a matrix.</exception>
    public static (int Rows, int Columns) Extents(Tensor a) => a.Shape is [int rows, int columns]
        ? (rows, columns)
        : throw new ShapeException($"A matrix has two axes; a tensor of shape {a.Shape} has {a.Shape.Rank}.");

    public static Tensor<T> Transpose<T>(Tensor<T> a) where T : unmanaged
    {
        (int rows, int columns) = Extents(a);
        Tensor<T> transposed = new([columns, rows]);
        Transpose(a.Values, rows, columns, transposed.Values);
        return transposed;
    }

    /// <summary>In tiles of 16 × 16, so that both sides stay in cache lines that are already loaded.</summary>
    public static void Transpose<T>(ReadOnlySpan<T> source, int rows, int columns, Span<T> target) where T : unmanaged
    {
        const int tile = 16;
        for (int top = 0; top < rows; top += tile)
            for (int left = 0; left < columns; left += tile)
                for (int i = top; i < Math.Min(top + tile, rows); i++)
                    for (int j = left; j < Math.Min(left + tile, columns); j++)
                        target[j * rows + i] = source[i * columns + j];
    }

    /// <summary>The first <paramref name="count"/> columns.</summary>
    public static Tensor<T> Columns<T>(Tensor<T> a, int count) where T : unmanaged
    {
        (int rows, int columns) = Extents(a);
        Tensor<T> part = new([rows, count]);
        for (int i = 0; i < rows; i++) a.Values.Slice(i * columns, count).CopyTo(part.Values[(i * count)..]);
        return part;
    }

    /// <summary>The first <paramref name="count"/> rows.</summary>
    public static Tensor<T> Rows<T>(Tensor<T> a, int count) where T : unmanaged =>
        new([count, Extents(a).Columns], a.Values[..(count * Extents(a).Columns)].ToArray());

    public static Tensor<T> Identity<T>(int n) where T : unmanaged, System.Numerics.INumberBase<T>
    {
        Tensor<T> identity = new([n, n]);
        for (int i = 0; i < n; i++) identity.Values[i * n + i] = T.One;
        return identity;
    }
}
