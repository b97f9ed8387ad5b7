using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>A blocked value for tests: NaN wherever a kernel must not look, and a sentinel in the halo of outputs.</summary>
internal sealed class BlockedValue
{
    /// <summary>What the halo of an output holds before and, untouched, after.</summary>
    public const float Sentinel = 12345;

    private BlockedValue(BlockedLayout layout, float halo, float lanes)
    {
        Layout = layout;
        Values = new float[layout.Length];
        Values.AsSpan().Fill(halo);
        for (int pixel = 0; pixel < layout.Images * layout.Blocks * layout.Height * layout.Width; pixel++)
        {
            int x = pixel % layout.Width,
                y = pixel / layout.Width % layout.Height,
                plane = pixel / layout.Width / layout.Height;
            Values.AsSpan(layout.Pixel(plane / layout.Blocks, plane % layout.Blocks, y, x), 16).Fill(lanes);
        }
    }

    public BlockedLayout Layout { get; }

    public float[] Values { get; }

    /// <summary>A value between -1 and 1 everywhere; the halo as given, padding lanes NaN.</summary>
    public static BlockedValue Random(Random random, BlockedLayout layout, float halo = 0)
    {
        BlockedValue value = new(layout, halo, float.NaN);
        for (int i = 0; i < layout.Images; i++)
        for (int c = 0; c < layout.Channels; c++)
        for (int y = 0; y < layout.Height; y++)
        for (int x = 0; x < layout.Width; x++)
            value[i, c, y, x] = random.NextSingle() * 2 - 1;
        return value;
    }

    /// <summary>Somewhere to write.</summary>
    public static BlockedValue Blank(BlockedLayout layout) => new(layout, Sentinel, float.NaN);

    public ref float this[int image, int channel, int y, int x] => ref Values[Layout.Pixel(image, channel / 16, y, x) + channel % 16];

    /// <summary>The value at a position, 0 outside.</summary>
    public double At(int image, int channel, int y, int x) =>
        y >= 0 && x >= 0 && y < Layout.Height && x < Layout.Width ? this[image, channel, y, x] : 0;

    /// <summary>Checks every channel against a formula, and that the halo was left alone.</summary>
    public void Equal(Func<int, int, int, int, double> expected, double tolerance)
    {
        for (int i = 0; i < Layout.Images; i++)
        for (int c = 0; c < Layout.Channels; c++)
        for (int y = 0; y < Layout.Height; y++)
        for (int x = 0; x < Layout.Width; x++)
        {
            double wanted = expected(i, c, y, x),
                actual = this[i, c, y, x];
            bool close = wanted.Equals(actual) || Math.Abs(wanted - actual) <= tolerance;
            Assert.True(close, $"[{i},{c},{y},{x}] of {Layout} is {actual} instead of {wanted}");
        }
        HaloIs(Sentinel);
    }

    public void HaloIs(float value)
    {
        BlockedValue inside = new(Layout, 1, 0);
        for (int at = 0; at < Values.Length; at++)
            if (inside.Values[at] == 1)
                Assert.True(Values[at] == value, $"float {at} of {Layout} is in the halo and holds {Values[at]} instead of {value}");
    }
}

/// <summary>Two threads, whatever the machine has.</summary>
internal sealed class TwoThreads : Workers
{
    public override int Count => 2;

    public override void For(int count, Action<int> body) =>
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = 2 }, body);
}
