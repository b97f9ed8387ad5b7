using FsCheck;
using FsCheck.Fluent;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>Planes on another grid are the sums that the tables list, at every width.</summary>
public class BlockedSamplingTests
{
    private static Gen<(int[] Extents, int[] Taps, int Seed)> Cases() =>
        from channels in Gen.Choose(1, 40)
        from extents in Gen.Choose(1, 9).Four()
        from taps in Gen.Choose(1, 4).Two()
        from seed in Gen.Choose(0, 1_000_000)
        select (new[] { channels, extents.Item1, extents.Item2, extents.Item3, extents.Item4 }, new[] { taps.Item1, taps.Item2 }, seed);

    [Fact]
    public void Equals_its_definition_for_random_tables() => Prop.ForAll(Cases().ToArbitrary(), Check).Holds();

    private static void Check((int[] Extents, int[] Taps, int Seed) test)
    {
        Random random = new(test.Seed);
        int[] e = test.Extents;
        BlockedValue x = BlockedValue.Random(random, new(2, e[0], e[1], e[2], new(1, 0, 2, 1)), float.NaN);
        SampleTable down = Table(random, e[1], e[3], test.Taps[0]),
            right = Table(random, e[2], e[4], test.Taps[1]);
        foreach (VectorWidth width in Enum.GetValues<VectorWidth>())
        {
            BlockedValue y = BlockedValue.Blank(new(2, e[0], e[3], e[4], new(0, 1, 1, 2)));
            Workers workers = random.Next(2) == 0 ? Workers.Serial : new TwoThreads();
            BlockedSampling.Run(width, x.Values, x.Layout, down, right, y.Values, y.Layout, workers);
            y.Equal((i, c, row, column) => Sum(x, down, right, i, c, row, column), 1e-5);
        }
    }

    private static double Sum(BlockedValue x, SampleTable down, SampleTable right, int image, int channel, int row, int column)
    {
        double sum = 0;
        for (int t = row * down.Taps; t < (row + 1) * down.Taps; t++)
        for (int u = column * right.Taps; u < (column + 1) * right.Taps; u++)
            sum += (double)down.Weights[t] * right.Weights[u] * x[image, channel, down.Indices[t], right.Indices[u]];
        return sum;
    }

    /// <summary>Some positions are made as the one before is.</summary>
    private static SampleTable Table(Random random, int input, int output, int taps)
    {
        int[] indices = [.. Enumerable.Range(0, output * taps).Select(_ => random.Next(input))];
        float[] weights = [.. Enumerable.Range(0, output * taps).Select(_ => random.NextSingle() - 0.5f)];
        for (int position = 1; position < output; position++)
            if (random.Next(2) == 0)
            {
                indices.AsSpan((position - 1) * taps, taps).CopyTo(indices.AsSpan(position * taps));
                weights.AsSpan((position - 1) * taps, taps).CopyTo(weights.AsSpan(position * taps));
            }
        return new(taps, indices, weights);
    }

    [Fact]
    public void Positions_outside_the_input_are_refused()
    {
        BlockedLayout layout = new(1, 3, 2, 2, default);
        SampleTable same = new(1, [0, 1], [1, 1]),
            beyond = new(1, [0, 2], [1, 1]);
        Assert.Throws<ArgumentException>(() =>
            BlockedSampling.Run(new float[layout.Length], layout, beyond, same, new float[layout.Length], layout, Workers.Serial)
        );
        Assert.Throws<ArgumentException>(() =>
            BlockedSampling.Run(new float[layout.Length], layout, same, new(1, [0], [1]), new float[layout.Length], layout, Workers.Serial)
        );
    }
}
