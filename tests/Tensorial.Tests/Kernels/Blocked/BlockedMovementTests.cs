using FsCheck.Fluent;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>Values that only change place: exact.</summary>
public class BlockedMovementTests
{
    private static readonly BlockedLayout Layout = new(2, 37, 5, 7, new(1, 2, 0, 1));

    private readonly BlockedValue _x = BlockedValue.Random(new(1), Layout, float.NaN);
    private readonly Workers _workers = new TwoThreads();

    [Fact]
    public void Channels_are_copied_to_any_place() =>
        Prop.ForAll(
                (
                    from inputs in Gen.Choose(1, 50)
                    from first in Gen.Choose(0, inputs - 1)
                    from count in Gen.Choose(0, inputs - first)
                    from before in Gen.Choose(0, 40)
                    from behind in Gen.Choose(0, 40)
                    select (inputs, first, count, before, behind)
                ).ToArbitrary(),
                test =>
                {
                    BlockedValue x = BlockedValue.Random(new(test.first), Layout with { Channels = test.inputs }, float.NaN);
                    BlockedValue y = BlockedValue.Random(
                        new(9),
                        Layout with
                        {
                            Channels = test.before + test.count + test.behind + 1,
                            Halo = new(1, 1, 1, 1),
                        },
                        BlockedValue.Sentinel
                    );
                    BlockedValue old = BlockedValue.Random(new(9), y.Layout);
                    BlockedMovement.CopyChannels(x.Values, x.Layout, test.first, test.count, y.Values, y.Layout, test.before, _workers);
                    bool Copied(int c) => c >= test.before && c < test.before + test.count;
                    y.Equal((i, c, row, column) => Copied(c) ? x[i, test.first + c - test.before, row, column] : old[i, c, row, column], 0);

                    BlockedMovement.FillChannels(0.5f, y.Values, y.Layout, test.before, test.count, _workers);
                    y.Equal((i, c, row, column) => Copied(c) ? 0.5 : old[i, c, row, column], 0);
                }
            )
            .Holds();

    [Theory, InlineData(0, 0, 2, 2, 3, 4), InlineData(4, 6, -1, -2, 5, 4), InlineData(1, 3, 1, 1, 2, 1), InlineData(2, 2, 3, 4, 1, 2)]
    public void Slices_take_every_so_many_pixels(int firstY, int firstX, int strideY, int strideX, int height, int width)
    {
        BlockedValue y = BlockedValue.Blank(Layout with { Height = height, Width = width, Halo = new(0, 1, 2, 3) });
        BlockedMovement.Slice(_x.Values, Layout, firstY, firstX, strideY, strideX, y.Values, y.Layout, _workers);
        y.Equal((i, c, row, column) => _x[i, c, firstY + strideY * row, firstX + strideX * column], 0);
    }

    [Fact]
    public void Slices_stay_inside()
    {
        BlockedValue y = BlockedValue.Blank(Layout);
        Assert.Throws<ArgumentException>(() => BlockedMovement.Slice(_x.Values, Layout, 1, 0, 1, 1, y.Values, y.Layout, _workers));
        Assert.Throws<ArgumentException>(() => BlockedMovement.Slice(_x.Values, Layout, 0, 3, 1, -1, y.Values, y.Layout, _workers));
        Assert.Throws<ArgumentException>(() => BlockedMovement.CopyChannels(_x.Values, Layout, 30, 8, y.Values, y.Layout, 0, _workers));
    }

    [Theory, InlineData(1, 2, 8, 12), InlineData(-1, -3, 3, 4), InlineData(0, 0, 5, 7), InlineData(-2, 1, 9, 3)]
    public void Padding_surrounds_or_crops(int top, int left, int height, int width)
    {
        BlockedValue y = BlockedValue.Blank(Layout with { Height = height, Width = width });
        BlockedMovement.Pad(_x.Values, Layout, top, left, -1.5f, y.Values, y.Layout, _workers);
        bool Inside(int row, int column) => row >= top && column >= left && row < top + 5 && column < left + 7;
        y.Equal((i, c, row, column) => Inside(row, column) ? _x[i, c, row - top, column - left] : -1.5, 0);
    }

    [Fact]
    public void Repetition_enlarges()
    {
        BlockedValue y = BlockedValue.Blank(Layout with { Height = 10, Width = 21 });
        BlockedMovement.Repeat(_x.Values, Layout, 2, 3, y.Values, y.Layout, _workers);
        y.Equal((i, c, row, column) => _x[i, c, row / 2, column / 3], 0);
    }

    [Theory, InlineData(1), InlineData(3), InlineData(16), InlineData(37), InlineData(64)]
    public void Conversion_there_and_back_changes_nothing(int channels)
    {
        BlockedLayout layout = Layout with { Channels = channels };
        float[] plain = [.. Enumerable.Range(0, 2 * channels * 35).Select(static i => (float)i)],
            back = new float[plain.Length];
        BlockedValue y = BlockedValue.Blank(layout);
        BlockedConversion.ToBlocked(plain, y.Values, layout, _workers);
        y.Equal((i, c, row, column) => plain[((i * channels + c) * 5 + row) * 7 + column], 0);
        Assert.Equal(0, y.Values[layout.Pixel(1, layout.Blocks - 1, 4, 6) + 15] * (channels % 16));
        BlockedConversion.ToPlain(y.Values, layout, back, _workers);
        Assert.Equal(plain, back);
    }

    [Theory, InlineData(0, 0, 0, 0), InlineData(1, 1, 1, 1), InlineData(3, 0, 0, 2), InlineData(0, 2, 1, 0)]
    public void Clearing_a_halo_leaves_the_interior(int top, int left, int bottom, int right)
    {
        BlockedLayout layout = Layout with { Halo = new(top, left, bottom, right) };
        BlockedValue x = BlockedValue.Random(new(4), layout, BlockedValue.Sentinel),
            same = BlockedValue.Random(new(4), layout);
        BlockedHalo.Clear(x.Values, layout, _workers);
        Assert.Equal(same.Values, x.Values);
    }

    [Theory]
    [InlineData(24, 48), InlineData(40, 20), InlineData(3, 1), InlineData(16, 33)]
    public void Channels_come_in_any_order(int inputs, int outputs)
    {
        Random random = new(inputs);
        int[] order = [.. Enumerable.Range(0, outputs).Select(_ => random.Next(inputs))];
        BlockedValue x = BlockedValue.Random(random, new(2, inputs, 3, 7, new(1, 0, 0, 2)), float.NaN),
            y = BlockedValue.Blank(new(2, outputs, 3, 7, new(0, 1, 1, 0)));
        BlockedChannels.Gather(x.Values, x.Layout, order, y.Values, y.Layout, new TwoThreads());
        y.Equal((i, c, row, column) => x[i, order[c], row, column], 0);
        order[^1] = inputs;
        Assert.Throws<ArgumentException>(() => BlockedChannels.Gather(x.Values, x.Layout, order, y.Values, y.Layout, Workers.Serial));
    }
}
