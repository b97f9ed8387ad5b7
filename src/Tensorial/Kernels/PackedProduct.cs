using System.Buffers;
using System.Numerics;

namespace Tensorial.Kernels;

/// <summary>
/// A matrix product through packed blocks of its operands (Goto and van de Geijn, ACM Trans. Math. Softw. 34, 2008): strips of rows of A
/// and panels of columns of B, as the register tile reads them.
/// </summary>
internal readonly unsafe struct PackedProduct<T, TLeft, TRight>(Product<T> product, TLeft left, TRight right) : IVectorKernel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TLeft : struct, IOperand<T>
    where TRight : struct, IOperand<T>
{
    /// <summary>
    /// A panel of two vectors of 64 bytes by this depth fills a first-level cache of 32 KB; a strip passes by it from the second level.
    /// </summary>
    private const int DepthBlock = 256;

    /// <summary>
    /// Bytes of a packed row block of A at full depth: 3 MB, from which each task works on a part that fits its second-level cache.
    /// </summary>
    private const int RowBlockBytes = 3 << 20;

    /// <summary>Bytes of a packed column block of B: all threads read it, from the third-level cache.</summary>
    private const int ColumnBlockBytes = 4 << 20;

    public void Run<TWidth, TVector>()
        where TWidth : struct, IVectorWidth<TVector, T>
        where TVector : struct
    {
        int panelWidth = 2 * TWidth.Count;
        int depth = Even(product.K, DepthBlock);
        int stripHeight = Even(product.M, TWidth.TileRows);
        int rows = Math.Min(RoundUp(product.M, stripHeight), RoundUp(RowBlockBytes / sizeof(T) / DepthBlock, stripHeight));
        int columns = Math.Min(RoundUp(product.N, panelWidth), RoundUp(ColumnBlockBytes / sizeof(T) / DepthBlock, panelWidth));

        int spare = 64 / sizeof(T);
        T[] packedA = ArrayPool<T>.Shared.Rent(rows * depth + spare),
            packedB = ArrayPool<T>.Shared.Rent(columns * depth + spare);
        fixed (
            T* a = packedA,
                b = packedB
        )
            using (Bounds.Know(a, packedA.Length, b, packedB.Length))
            {
                GemmBlock<T> block = new()
                {
                    A = Aligned(a),
                    B = Aligned(b),
                    StripHeight = stripHeight,
                    PanelWidth = panelWidth,
                    Alpha = product.Alpha,
                    RowStrideC = product.RowStride,
                };
                for (int column = 0; column < product.N; column += columns)
                for (int p = 0; p < product.K; p += depth)
                for (int row = 0; row < product.M; row += rows)
                {
                    block.Rows = Math.Min(rows, product.M - row);
                    block.Columns = Math.Min(columns, product.N - column);
                    block.Depth = Math.Min(depth, product.K - p);
                    block.C = product.At(row, column);
                    block.Beta = p == 0 ? product.Beta : T.One;
                    Pack(block, row, column, p);
                    Multiply<TWidth, TVector>(block);
                }
            }
        ArrayPool<T>.Shared.Return(packedA);
        ArrayPool<T>.Shared.Return(packedB);
    }

    /// <summary>Packs rows of A, and columns of B unless the row block before has left them.</summary>
    private void Pack(GemmBlock<T> block, int row, int column, int p)
    {
        int stripsAtOnce = AtOnce(block.Strips, block.StripHeight * block.Depth),
            panelsAtOnce = AtOnce(block.Panels, block.PanelWidth * block.Depth);
        int stripTasks = Tasks(block.Strips, stripsAtOnce),
            panelTasks = row > 0 ? 0 : Tasks(block.Panels, panelsAtOnce);
        product.Workers.Run(
            stripTasks + panelTasks,
            new PackTask(left, right, block, row, column, p, stripTasks, stripsAtOnce, panelsAtOnce)
        );
    }

    /// <summary>Groups to pack in one task: about 64 KB, or all of them on one thread.</summary>
    private int AtOnce(int groups, int size) => product.Workers.Count == 1 ? groups : Math.Clamp((1 << 16) / sizeof(T) / size, 1, groups);

    private void Multiply<TWidth, TVector>(GemmBlock<T> block)
        where TWidth : struct, IVectorWidth<TVector, T>
        where TVector : struct
    {
        // The strips of a task stay in the second-level cache. Four tasks a thread even out what threads lose to others, and more
        // than four strips a task keep the traffic of panels low.
        int threads = product.Workers.Count,
            wanted = threads == 1 ? 1 : 4 * threads;
        int inCache = Math.Max(1, (1 << 18) / (block.StripHeight * block.Depth * sizeof(T)));
        int strips = Math.Clamp(block.Strips / wanted, Math.Min(4, block.Strips), inCache);
        int rowTasks = Tasks(block.Strips, strips);
        int panels = Tasks(block.Panels, Math.Clamp(Tasks(wanted, rowTasks), 1, block.Panels));
        product.Workers.Run(rowTasks * Tasks(block.Panels, panels), new MultiplyTask<TWidth, TVector>(block, strips, panels));
    }

    private static int Tasks(int count, int atOnce) => (count + atOnce - 1) / atOnce;

    /// <summary>The extent of equal parts, none above <paramref name="most"/>: 257 by at most 256 are 129 and 128, not 256 and 1.</summary>
    private static int Even(int count, int most) => Tasks(count, Tasks(count, most));

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    private static T* Aligned(T* pointer) => (T*)(((nuint)pointer + 63) & ~(nuint)63);

    private readonly struct PackTask(
        TLeft left,
        TRight right,
        GemmBlock<T> block,
        int row,
        int column,
        int p,
        int stripTasks,
        int stripsAtOnce,
        int panelsAtOnce
    ) : ILoopBody
    {
        public void Run(int index)
        {
            if (index < stripTasks)
            {
                int first = index * stripsAtOnce * block.StripHeight;
                left.Pack(
                    row + first,
                    Math.Min(stripsAtOnce * block.StripHeight, block.Rows - first),
                    p,
                    block.Depth,
                    block.StripHeight,
                    block.A + (nint)first * block.Depth
                );
            }
            else
            {
                int first = (index - stripTasks) * panelsAtOnce * block.PanelWidth;
                right.Pack(
                    column + first,
                    Math.Min(panelsAtOnce * block.PanelWidth, block.Columns - first),
                    p,
                    block.Depth,
                    block.PanelWidth,
                    block.B + (nint)first * block.Depth
                );
            }
        }
    }

    private readonly struct MultiplyTask<TWidth, TVector>(GemmBlock<T> block, int strips, int panels) : ILoopBody
        where TWidth : struct, IVectorWidth<TVector, T>
        where TVector : struct
    {
        public void Run(int index)
        {
            int panelTasks = Tasks(block.Panels, panels),
                strip = index / panelTasks * strips,
                panel = index % panelTasks * panels;
            block.Multiply<TWidth, TVector>(strip, Math.Min(strip + strips, block.Strips), panel, Math.Min(panel + panels, block.Panels));
        }
    }
}
