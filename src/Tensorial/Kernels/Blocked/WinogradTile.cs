using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>Transforms of one tile of one block of channels, spread over the planes of the products; and the memory they go to.</summary>
internal static unsafe class WinogradTile
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    [ThreadStatic]
    private static float[]? t_scratch;

    /// <summary>Bᵀ d B of the patch at a row and a column, which may lie in the halo or reach beyond it.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input<TWidth, TVector, TWinograd>(
        float* x,
        in BlockedLayout layout,
        int image,
        int block,
        int row,
        int column,
        float* to,
        int plane
    )
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TWinograd : struct, IWinograd
    {
        int extent = TWinograd.Tile;
        float* columns = stackalloc float[extent * extent * Lanes],
            patch = stackalloc float[extent * extent * Lanes];
        float* from = x + layout.Pixel(image, block, row, column);
        int pitch = layout.RowPitch;
        if (row + extent > layout.Height + layout.Halo.Bottom || column + extent > layout.Width + layout.Halo.Right)
        {
            CopyInside(from, pitch, extent, layout.Height + layout.Halo.Bottom - row, layout.Width + layout.Halo.Right - column, patch);
            from = patch;
            pitch = extent * Lanes;
        }
        for (int lane = 0; lane < Lanes; lane += TWidth.Count)
        {
            for (int c = 0; c < extent; c++)
                TWinograd.Input<TWidth, TVector>(from + c * Lanes + lane, pitch, columns + c * Lanes + lane, extent * Lanes);
            for (int r = 0; r < extent; r++)
                TWinograd.Input<TWidth, TVector>(columns + r * extent * Lanes + lane, Lanes, to + r * extent * plane + lane, plane);
        }
    }

    /// <summary>A e Aᵀ of the outputs' gradient at a row and a column; what lies outside the plane is 0.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Upstream<TWidth, TVector, TWinograd>(
        float* dy,
        in BlockedLayout layout,
        int image,
        int block,
        int row,
        int column,
        float* to,
        int plane
    )
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TWinograd : struct, IWinograd
    {
        int extent = TWinograd.Tile,
            outputs = TWinograd.Outputs;
        float* columns = stackalloc float[extent * outputs * Lanes],
            patch = stackalloc float[outputs * outputs * Lanes];
        float* from = dy + layout.Pixel(image, block, row, column);
        int pitch = layout.RowPitch;
        if (row + outputs > layout.Height || column + outputs > layout.Width)
        {
            CopyInside(from, pitch, outputs, layout.Height - row, layout.Width - column, patch);
            from = patch;
            pitch = outputs * Lanes;
        }
        for (int lane = 0; lane < Lanes; lane += TWidth.Count)
        {
            for (int c = 0; c < outputs; c++)
                TWinograd.Upstream<TWidth, TVector>(from + c * Lanes + lane, pitch, columns + c * Lanes + lane, outputs * Lanes);
            for (int r = 0; r < extent; r++)
                TWinograd.Upstream<TWidth, TVector>(columns + r * outputs * Lanes + lane, Lanes, to + r * extent * plane + lane, plane);
        }
    }

    /// <summary>Memory for transformed values, kept by each thread for the next call.</summary>
    public static float* Scratch(int count)
    {
        bool isNew = t_scratch is null || t_scratch.Length < count + Lanes;
        if (isNew)
            t_scratch = GC.AllocateArray<float>(count + Lanes, pinned: true);
        float* start = (float*)Unsafe.AsPointer(ref t_scratch![AlignedStart.Of(t_scratch)]);
        if (isNew)
            Bounds.Keep(t_scratch, start, count);
        return start;
    }

    /// <summary>The part of a patch that the plane holds, zeros for what lies beyond.</summary>
    private static void CopyInside(float* from, int pitch, int extent, int rows, int columns, float* patch)
    {
        Bounds.Span(patch, extent * extent * Lanes).Clear();
        int length = Math.Min(columns, extent) * Lanes;
        for (int r = 0; r < Math.Min(rows, extent); r++)
            Bounds.Span(from + r * pitch, length).CopyTo(Bounds.Span(patch + r * extent * Lanes, length));
    }
}
