using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Hostile;

/// <summary>Extents that no memory holds, and the mode in which kernels check every access.</summary>
public class BoundsTests
{
    [Theory]
    [InlineData(1, 16, 32768, 32768, 0)]
    [InlineData(1, 1, 4, 4, 16384)]
    [InlineData(1, 1, 17_000, 17_000, 0)]
    [InlineData(1, 1, 4, 4, int.MaxValue)]
    [InlineData(int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue)]
    [InlineData(1 << 16, 1 << 16, 1, 1, 0)]
    [InlineData(1, 1, -4, 4, 0)]
    public void A_layout_that_would_wrap_is_refused_with_its_extents(int images, int channels, int height, int width, int border)
    {
        BlockedLayout layout = new(images, channels, height, width, new(border, border, border, border));

        Assert.Contains($"×{height}×{width}", Assert.Throws<ShapeException>(() => layout.Length).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_largest_layout_has_no_offset_that_wraps()
    {
        BlockedLayout layout = new(1, 16, 1, BlockedLayout.LargestLength / 16, default);

        Assert.Equal(layout.Length, layout.Pixel(0, 0, 0, layout.Width - 1) + 16);
    }

    [Fact]
    public void Kernels_refuse_buffers_that_are_too_short()
    {
        BlockedLayout layout = new(1, 16, 3, 3, default);
        float[] whole = new float[layout.Length],
            cut = new float[layout.Length - 1];

        Assert.Throws<ArgumentException>(() => BlockedElementwise.Activate(Activation.None, cut, layout, whole, layout, Workers.Serial));
        Assert.Throws<ArgumentException>(() => BlockedElementwise.Activate(Activation.None, whole, layout, cut, layout, Workers.Serial));
        Assert.Throws<ArgumentException>(() =>
            BlockedPooling.Maximum(new(2, 2), cut, layout, whole, layout with { Height = 2, Width = 2 }, Workers.Serial)
        );
    }

    /// <summary>A window one larger than what it slides over, under a stride: division towards zero would make it one position.</summary>
    [Fact]
    public void A_kernel_larger_than_its_input_has_no_position()
    {
        ConvolutionShape shape = new(16, 16, 4, 4, StrideY: 2, StrideX: 2);
        BlockedLayout input = new(1, 16, 3, 3, default),
            output = new(1, 16, 1, 1, default);

        Assert.Throws<ArgumentException>(() => BlockedConvolution.CheckExtents(shape, input, output));
    }

    [Fact]
    public unsafe void An_access_outside_every_buffer_is_found()
    {
        float[] buffer = GC.AllocateArray<float>(64, pinned: true);
        fixed (float* start = buffer)
        {
            nint at = (nint)start;
            using (Bounds.Scope.From([((nuint)start, 64 * sizeof(float))]))
            {
                Bounds.CheckBytes(start, 64 * sizeof(float));
                Bounds.CheckBytes(start + 63, sizeof(float));
                float local = 0;
                Bounds.CheckBytes(&local, sizeof(float));
                Assert.Throws<InvalidOperationException>(() => Bounds.CheckBytes((float*)at + 61, 4 * sizeof(float)));
                Assert.Throws<InvalidOperationException>(() => Bounds.CheckBytes((float*)at - 1, sizeof(float)));
            }
            Assert.Throws<InvalidOperationException>(() => Bounds.CheckBytes((float*)at, sizeof(float)));
        }
    }
}
