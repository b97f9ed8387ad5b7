using System.Buffers;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace Tensorial.Kernels;

/// <summary>The product of two matrices, float or double, blocked for the caches and shared out over threads.</summary>
public static class Gemm
{
    /// <summary>Depth of a block: a panel of B, 256 × 32 floats, stays in the first-level cache while rows of A pass by it.</summary>
    private const int DepthBlock = 256;

    /// <summary>Rows packed at a time: 1024 × 256 floats are 1 MB, the second-level cache of a core or its share of the third.</summary>
    private const int RowBlock = 1024;

    private const int ColumnBlock = 2048;

    /// <summary>C = alpha A B + beta C.</summary>
    /// <param name="m">Rows of A and C.</param>
    /// <param name="n">Columns of B and C.</param>
    /// <param name="k">Columns of A, rows of B.</param>
    /// <param name="alpha">Factor of the product.</param>
    /// <param name="a">A[i, p] at i · rowStrideA + p · columnStrideA, so that a transposed operand is a matter of strides.</param>
    /// <param name="b">B[p, j] at p · rowStrideB + j · columnStrideB.</param>
    /// <param name="beta">Factor of what C held; 0 overwrites even NaN.</param>
    /// <param name="c">C[i, j] at i · rowStrideC + j.</param>
    /// <param name="workers">Threads. The result does not depend on their number.</param>
    public static void Multiply<T>(
        int m, int n, int k, T alpha, ReadOnlySpan<T> a, int rowStrideA, int columnStrideA, ReadOnlySpan<T> b, int rowStrideB, int columnStrideB,
        T beta, Span<T> c, int rowStrideC, Workers workers) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (Vector512.IsHardwareAccelerated) Multiply<T, WideTile>(m, n, k, alpha, a, rowStrideA, columnStrideA, b, rowStrideB, columnStrideB, beta, c, rowStrideC, workers);
        else Multiply<T, NarrowTile>(m, n, k, alpha, a, rowStrideA, columnStrideA, b, rowStrideB, columnStrideB, beta, c, rowStrideC, workers);
    }

    /// <summary>As the public product, through a given register tile.</summary>
    internal static unsafe void Multiply<T, TTile>(
        int m, int n, int k, T alpha, ReadOnlySpan<T> a, int rowStrideA, int columnStrideA, ReadOnlySpan<T> b, int rowStrideB, int columnStrideB,
        T beta, Span<T> c, int rowStrideC, Workers workers) where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, IGemmTile
    {
        if (m == 0 || n == 0) return;
        Check(m, k, rowStrideA, columnStrideA, a.Length, nameof(a));
        Check(k, n, rowStrideB, columnStrideB, b.Length, nameof(b));
        Check(m, n, rowStrideC, 1, c.Length, nameof(c));
        if (k == 0 || T.IsZero(alpha))
        {
            for (int i = 0; i < m; i++) Scale(c.Slice(i * rowStrideC, n), beta);
            return;
        }
        int rows = TTile.Rows, columns = TTile.Vectors * Vector512<T>.Count;
        int depth = Math.Min(k, DepthBlock), height = RoundUp(Math.Min(m, RowBlock), rows), width = RoundUp(Math.Min(n, ColumnBlock), columns);
        int spare = 64 / sizeof(T);
        T[] packedA = ArrayPool<T>.Shared.Rent(height * depth + spare), packedB = ArrayPool<T>.Shared.Rent(width * depth + spare);
        fixed (T* a0 = a, b0 = b, c0 = c, pa0 = packedA, pb0 = packedB)
        {
            Operand<T> left = new(a0, rowStrideA, columnStrideA), right = new(b0, columnStrideB, rowStrideB);
            T* pa = Aligned(pa0), pb = Aligned(pb0), target = c0;
            for (int j = 0; j < n; j += ColumnBlock)
                for (int p = 0; p < k; p += DepthBlock)
                {
                    int blockColumns = Math.Min(ColumnBlock, n - j), blockDepth = Math.Min(DepthBlock, k - p);
                    int panels = (blockColumns + columns - 1) / columns;
                    Pack(right.At(j, p), T.One, blockColumns, blockDepth, columns, pb, workers);
                    for (int i = 0; i < m; i += RowBlock)
                    {
                        int blockRows = Math.Min(RowBlock, m - i);
                        Pack(left.At(i, p), alpha, blockRows, blockDepth, rows, pa, workers);
                        Block<T> block = new(pa, pb, target + (nint)i * rowStrideC + j, rowStrideC, blockRows, blockColumns, blockDepth, p == 0 ? beta : T.One);
                        // Strips of rows or of columns, whichever there are more of, so that two threads find work in thin products too.
                        int strips = (blockRows + rows - 1) / rows;
                        if (workers.Count == 1) block.Run<TTile>(0, strips, 0, panels);
                        else if (strips >= panels) Strips(strips, 8, workers, (first, end) => block.Run<TTile>(first, end, 0, panels));
                        else Strips(panels, 2, workers, (first, end) => block.Run<TTile>(0, strips, first, end));
                    }
                }
        }
        ArrayPool<T>.Shared.Return(packedA);
        ArrayPool<T>.Shared.Return(packedB);
    }

    private static void Strips(int count, int grain, Workers workers, Action<int, int> run) =>
        workers.For((count + grain - 1) / grain, task => run(task * grain, Math.Min(count, (task + 1) * grain)));

    /// <summary>Packs vectors of an operand side by side: [group of <paramref name="group"/> vectors][depth][group], short groups filled with zeros.</summary>
    private static unsafe void Pack<T>(Operand<T> source, T factor, int count, int depth, int group, T* packed, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int groups = (count + group - 1) / group;
        if (workers.Count == 1 || (long)count * depth < 1 << 15)
            for (int g = 0; g < groups; g++) PackGroup(source.At(g * group, 0), factor, Math.Min(group, count - g * group), depth, group, packed + (nint)g * group * depth);
        else
            Strips(groups, 4, workers, (first, end) =>
            {
                for (int g = first; g < end; g++)
                    PackGroup(source.At(g * group, 0), factor, Math.Min(group, count - g * group), depth, group, packed + (nint)g * group * depth);
            });
    }

    private static unsafe void PackGroup<T>(Operand<T> source, T factor, int count, int depth, int group, T* packed) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (source.VectorStride == 1 && count == group && factor == T.One)
        {
            for (int p = 0; p < depth; p++) new ReadOnlySpan<T>(source.Start + (nint)p * source.DepthStride, group).CopyTo(new(packed + p * group, group));
            return;
        }
        if (count < group) new Span<T>(packed, group * depth).Clear();
        for (int v = 0; v < count; v++)
        {
            T* from = source.Start + (nint)v * source.VectorStride;
            for (int p = 0; p < depth; p++) packed[p * group + v] = factor * from[(nint)p * source.DepthStride];
        }
    }

    private static void Scale<T>(Span<T> row, T beta) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (T.IsZero(beta)) row.Clear();
        else if (beta != T.One) foreach (ref T value in row) value *= beta;
    }

    private static void Check(int rows, int columns, int rowStride, int columnStride, int length, string name)
    {
        long last = rows == 0 || columns == 0 ? -1 : (long)(rows - 1) * rowStride + (long)(columns - 1) * columnStride;
        if (rowStride < 0 || columnStride < 0 || last >= length)
            throw new ArgumentException($"A matrix {rows}×{columns} with strides {rowStride} and {columnStride} does not lie in {length} values.", name);
    }

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    private static unsafe T* Aligned<T>(T* pointer) where T : unmanaged => (T*)(((nuint)pointer + 63) & ~(nuint)63);

    /// <summary>An operand as vectors along the depth of the product: rows of A, columns of B.</summary>
    private readonly unsafe struct Operand<T>(T* start, int vectorStride, int depthStride) where T : unmanaged
    {
        public T* Start { get; } = start;

        public int VectorStride { get; } = vectorStride;

        public int DepthStride { get; } = depthStride;

        public Operand<T> At(int vector, int depth) => new(Start + (nint)vector * VectorStride + (nint)depth * DepthStride, VectorStride, DepthStride);
    }

    /// <summary>A packed block of A against a packed block of B.</summary>
    private readonly unsafe struct Block<T>(T* a, T* b, T* c, int rowStrideC, int rows, int columns, int depth, T beta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        /// <summary>Strips of rows against panels of columns. The panel is the outer loop: it stays in the first-level cache.</summary>
        public void Run<TTile>(int firstStrip, int endStrip, int firstPanel, int endPanel) where TTile : struct, IGemmTile
        {
            int height = TTile.Rows, width = TTile.Vectors * Vector512<T>.Count;
            T* buffer = stackalloc T[height * width + 64 / sizeof(T)];
            T* sums = Aligned(buffer);
            for (int panel = firstPanel; panel < endPanel; panel++)
                for (int strip = firstStrip; strip < endStrip; strip++)
                {
                    TTile.Multiply(depth, a + (nint)strip * height * depth, b + (nint)panel * width * depth, sums);
                    Store(sums, strip * height, panel * width, height, width);
                }
        }

        private void Store(T* sums, int row, int column, int height, int width)
        {
            int validRows = Math.Min(height, rows - row), validColumns = Math.Min(width, columns - column);
            for (int i = 0; i < validRows; i++)
            {
                T* from = sums + i * width, to = c + (nint)(row + i) * rowStrideC + column;
                int j = 0;
                for (; j <= validColumns - Vector512<T>.Count; j += Vector512<T>.Count)
                {
                    Vector512<T> sum = Vector512.Load(from + j);
                    if (!T.IsZero(beta)) sum = Fused.MultiplyAdd(Vector512.Load(to + j), Vector512.Create(beta), sum);
                    sum.Store(to + j);
                }
                for (; j < validColumns; j++) to[j] = T.IsZero(beta) ? from[j] : T.FusedMultiplyAdd(to[j], beta, from[j]);
            }
        }
    }
}
