namespace Tensorial.Kernels.Blocked;

/// <summary>Zeroes halos: the memory planner hands out used memory, and convolutions read the halo.</summary>
internal static class BlockedHalo
{
    /// <summary>
    /// Writes the halo and nothing else. Kernels write interiors only, so a buffer that keeps its layout needs this once.
    /// </summary>
    public static unsafe void Clear(Span<float> values, BlockedLayout layout, Workers workers)
    {
        if (layout.Halo == default)
            return;
        layout.Holds(values);
        fixed (float* start = values)
            using (Bounds.Know(start, values.Length))
                workers.Run(layout.Images * layout.Blocks, new Plane(start, layout));
    }

    /// <summary>The end of a row's halo and the beginning of the next one's lie side by side, so a plane has one gap a row.</summary>
    private readonly unsafe struct Plane(float* start, BlockedLayout layout) : ILoopBody
    {
        public void Run(int plane)
        {
            Span<float> all = Bounds.Span(start + (nint)plane * layout.PlanePitch, layout.PlanePitch);
            int inside = layout.Width * BlockedLayout.ChannelBlock,
                gap = layout.RowPitch - inside,
                at = layout.Interior;
            all[..at].Clear();
            for (int row = 1; row < layout.Height; row++)
            {
                at += inside;
                all.Slice(at, gap).Clear();
                at += gap;
            }
            all[(at + (layout.Height > 0 ? inside : 0))..].Clear();
        }
    }
}
