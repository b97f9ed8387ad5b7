using System.Numerics;

namespace Tensorial.Kernels;

/// <summary>A packed block of A against a packed block of B: C = alpha A B + beta C.</summary>
internal unsafe struct GemmBlock<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>[strip][depth][strip height].</summary>
    public T* A;

    /// <summary>[panel][depth][panel width].</summary>
    public T* B;

    public T* C;

    public nint RowStrideC;
    public int Rows,
        Columns,
        Depth,
        StripHeight,
        PanelWidth;
    public T Alpha,
        Beta;

    public readonly int Strips => (Rows + StripHeight - 1) / StripHeight;

    public readonly int Panels => (Columns + PanelWidth - 1) / PanelWidth;

    /// <summary>
    /// Strips of rows against panels of columns. Panels are the outer loop: each stays in the first-level cache while the strips pass.
    /// </summary>
    public readonly void Multiply<TWidth, TVector>(int firstStrip, int pastStrip, int firstPanel, int pastPanel)
        where TWidth : struct, IVectorWidth<TVector, T>
        where TVector : struct
    {
        T* edge = stackalloc T[StripHeight * PanelWidth];
        for (int panel = firstPanel; panel < pastPanel; panel++)
        {
            int column = panel * PanelWidth,
                width = Math.Min(PanelWidth, Columns - column),
                vectors = width > TWidth.Count ? 2 : 1;
            bool isWhole = width == vectors * TWidth.Count;
            var whole = GemmTiles.Find<TWidth, TVector, T>(StripHeight, vectors);
            T* b = B + (nint)column * Depth;
            for (int strip = firstStrip; strip < pastStrip; strip++)
            {
                int row = strip * StripHeight,
                    height = Math.Min(StripHeight, Rows - row);
                var tile = height == StripHeight ? whole : GemmTiles.Find<TWidth, TVector, T>(height, vectors);
                T* a = A + (nint)row * Depth,
                    c = C + row * RowStrideC + column;
                if (isWhole)
                {
                    tile(Depth, a, StripHeight, b, PanelWidth, c, RowStrideC, Alpha, Beta);
                }
                else
                {
                    tile(Depth, a, StripHeight, b, PanelWidth, edge, PanelWidth, Alpha, T.Zero);
                    Merge(edge, c, height, width);
                }
            }
        }
    }

    private readonly void Merge(T* edge, T* c, int height, int width)
    {
        Bounds.Check(c, (height - 1) * RowStrideC + width);
        for (int row = 0; row < height; row++, edge += PanelWidth, c += RowStrideC)
        for (int column = 0; column < width; column++)
            c[column] = T.IsZero(Beta) ? edge[column] : T.MultiplyAddEstimate(Beta, c[column], edge[column]);
    }
}
