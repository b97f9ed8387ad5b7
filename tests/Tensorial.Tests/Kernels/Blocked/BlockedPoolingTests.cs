using FsCheck.Fluent;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>Pooling equals its definition, whatever the halo holds.</summary>
public class BlockedPoolingTests
{
    private static readonly VectorWidth[] Widths = Enum.GetValues<VectorWidth>();

    private static readonly Summary[] Summaries = Enum.GetValues<Summary>();

    [Fact]
    public void Equals_its_definition_for_random_windows() =>
        Prop.ForAll(
                (
                    from width in Gen.Elements(Widths)
                    from summary in Gen.Elements(Summaries)
                    from channels in Gen.Choose(1, 35)
                    from extents in Gen.Choose(1, 12).Two()
                    from kernel in Gen.Choose(1, 4).Two()
                    from stride in Gen.Choose(1, 3).Two()
                    from dilation in Gen.Choose(1, 3).Two()
                    from padding in Gen.Choose(0, 2).Four()
                    from ceiling in Gen.Elements(0, 1)
                    from seed in Gen.Choose(0, 1 << 30)
                    let window = new PlaneWindow(
                        kernel.Item1,
                        kernel.Item2,
                        stride.Item1,
                        stride.Item2,
                        dilation.Item1,
                        dilation.Item2,
                        new(padding.Item1, padding.Item2, padding.Item3, padding.Item4)
                    )
                    where
                        Outputs(extents.Item1, window.Height, window.StrideY, window.DilationY, padding.Item1 + padding.Item3) > 0
                        && Outputs(extents.Item2, window.Width, window.StrideX, window.DilationX, padding.Item2 + padding.Item4) > 0
                    select (
                        width,
                        summary,
                        window,
                        new BlockedLayout(2, channels, extents.Item1, extents.Item2, new(1, 0, 2, 3)),
                        ceiling,
                        seed
                    )
                ).ToArbitrary(),
                static test => Check(test.width, test.summary, test.window, test.Item4, test.ceiling, test.seed)
            )
            .Holds();

    [Fact]
    public void NaN_is_the_largest_value()
    {
        foreach (VectorWidth width in Widths)
        {
            BlockedValue x = BlockedValue.Random(new(1), new(1, 3, 3, 3, default)),
                y = BlockedValue.Blank(new(1, 3, 1, 1, default));
            x[0, 1, 0, 2] = float.NaN;
            BlockedPooling.Pool(width, Summary.Maximum, new(3, 3), x.Values, x.Layout, y.Values, y.Layout, Workers.Serial);
            Assert.True(float.IsNaN(y[0, 1, 0, 0]));
            Assert.False(float.IsNaN(y[0, 0, 0, 0]) || float.IsNaN(y[0, 2, 0, 0]));
        }
    }

    [Theory, InlineData(1, 1, 1), InlineData(19, 7, 7), InlineData(48, 3, 13)]
    public void Global_average_is_the_mean_of_every_plane(int channels, int height, int width)
    {
        BlockedValue x = BlockedValue.Random(new(3), new(2, channels, height, width, new(1, 1, 1, 1)), float.NaN);
        double Mean(int image, int channel)
        {
            double sum = 0;
            for (int y = 0; y < height; y++)
            for (int column = 0; column < width; column++)
                sum += x[image, channel, y, column];
            return sum / (height * width);
        }

        foreach (VectorWidth lanes in Widths)
        {
            BlockedValue pixel = BlockedValue.Blank(new(2, channels, 1, 1, new(0, 1, 1, 0)));
            BlockedPooling.GlobalAverage(lanes, x.Values, x.Layout, pixel.Values, pixel.Layout, isPlain: false, new TwoThreads());
            pixel.Equal((i, c, _, _) => Mean(i, c), 1e-6);

            float[] plain = new float[2 * channels];
            BlockedPooling.GlobalAverage(lanes, x.Values, x.Layout, plain, pixel.Layout, isPlain: true, Workers.Serial);
            for (int c = 0; c < plain.Length; c++)
                Assert.Equal(Mean(c / channels, c % channels), plain[c], 1e-6);
        }
    }

    private static int Outputs(int extent, int taps, int stride, int dilation, int padding) =>
        (extent + padding - (taps - 1) * dilation - 1) / stride + 1 is var outputs && extent + padding >= (taps - 1) * dilation + 1
            ? outputs
            : 0;

    private static void Check(VectorWidth width, Summary summary, PlaneWindow window, BlockedLayout layout, int ceiling, int seed)
    {
        BlockedValue x = BlockedValue.Random(new(seed), layout, float.NaN);
        Halo padding = window.Padding;
        BlockedValue y = BlockedValue.Blank(
            layout with
            {
                Height = Outputs(layout.Height, window.Height, window.StrideY, window.DilationY, padding.Top + padding.Bottom) + ceiling,
                Width = Outputs(layout.Width, window.Width, window.StrideX, window.DilationX, padding.Left + padding.Right) + ceiling,
                Halo = new(2, 1, 0, 1),
            }
        );

        BlockedPooling.Pool(
            width,
            summary,
            window,
            x.Values,
            layout,
            y.Values,
            y.Layout,
            seed % 2 == 0 ? Workers.Serial : new TwoThreads()
        );

        y.Equal((image, channel, row, column) => Expected(summary, window, x, image, channel, row, column), 1e-6);
    }

    private static double Expected(Summary summary, PlaneWindow window, BlockedValue x, int image, int channel, int row, int column)
    {
        int inInput = 0,
            inPadding = 0;
        double sum = 0,
            largest = double.NegativeInfinity;
        for (int h = 0; h < window.Height; h++)
        for (int v = 0; v < window.Width; v++)
        {
            int y = row * window.StrideY + h * window.DilationY - window.Padding.Top;
            int z = column * window.StrideX + v * window.DilationX - window.Padding.Left;
            if (y >= x.Layout.Height + window.Padding.Bottom || z >= x.Layout.Width + window.Padding.Right)
                continue;
            inPadding++;
            if (y < 0 || z < 0 || y >= x.Layout.Height || z >= x.Layout.Width)
                continue;
            inInput++;
            sum += x[image, channel, y, z];
            largest = Math.Max(largest, x[image, channel, y, z]);
        }
        return summary switch
        {
            Summary.Maximum => largest,
            Summary.MeanOverInput => sum / inInput,
            _ => sum / inPadding,
        };
    }
}
