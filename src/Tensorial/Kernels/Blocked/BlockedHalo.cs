namespace Tensorial.Kernels.Blocked;

/// <summary>Zeroes halos: the memory planner hands out used memory, and convolutions read the halo.</summary>
public static class BlockedHalo
{
    /// <summary>Writes the halo and nothing else. Kernels write interiors only, so a buffer that keeps its layout needs this once.</summary>
    public static void Clear(Span<float> values, BlockedLayout layout, Workers? workers = null)
    {
        if (layout.Halo == default) return;
        int left = layout.Halo.Left * BlockedLayout.Lanes, right = layout.Halo.Right * BlockedLayout.Lanes;
        for (int plane = 0; plane < layout.Images * layout.Blocks; plane++)
        {
            Span<float> all = values.Slice(plane * layout.PlanePitch, layout.PlanePitch);
            all[..(layout.Halo.Top * layout.RowPitch)].Clear();
            all[((layout.Halo.Top + layout.Height) * layout.RowPitch)..].Clear();
            for (int row = layout.Halo.Top; row < layout.Halo.Top + layout.Height; row++)
            {
                all.Slice(row * layout.RowPitch, left).Clear();
                all.Slice((row + 1) * layout.RowPitch - right, right).Clear();
            }
        }
    }
}
