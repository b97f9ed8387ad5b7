using FsCheck;
using FsCheck.Fluent;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>
/// The four passes of a batch normalisation in training, and the gradients of poolings, against plain loops at every width.
/// </summary>
public class NormalizationKernelTests
{
    public static TheoryData<int> Widths() => GradientKernelTests.Widths();

    private static readonly Arbitrary<int> Seeds = Gen.Choose(0, 1_000_000).ToArbitrary();

    [Theory, MemberData(nameof(Widths))]
    public void Moments_and_result_follow_their_formulas(int width) =>
        Prop.ForAll(
                Seeds,
                seed =>
                {
                    Random random = new(seed);
                    BlockedLayout layout = Layout(random);
                    BlockedValue x = BlockedValue.Random(random, layout),
                        residual = BlockedValue.Random(random, layout with { Halo = new(1, 0, 0, 2) });
                    float[] pivot = Parameters(random, layout),
                        scale = Parameters(random, layout),
                        shift = Parameters(random, layout);
                    int padded = pivot.Length;
                    double[] sums = new double[2 * padded];
                    BlockedNormalization.AddMoments(x.Values, layout, pivot, sums, (VectorWidth)width);
                    for (int c = 0; c < layout.Channels; c++)
                    {
                        double[] offsets = [.. Positions(layout).Select(p => (double)x[p.Image, c, p.Row, p.Column] - pivot[c])];
                        Assert.Equal(offsets.Sum(), sums[c], 1e-4);
                        Assert.Equal(offsets.Sum(static u => u * u), sums[padded + c], 1e-4);
                    }
                    Activation activation = Some(random);
                    bool adds = random.Next(2) == 0;
                    BlockedValue y = BlockedValue.Blank(layout with { Halo = new(0, 1, 1, 0) });
                    BlockedNormalization.Apply(
                        x.Values,
                        layout,
                        scale,
                        shift,
                        adds ? residual.Values : [],
                        residual.Layout,
                        activation,
                        y.Values,
                        y.Layout,
                        (VectorWidth)width
                    );
                    y.Equal(
                        (n, c, row, column) =>
                        {
                            double value = scale[c] * x[n, c, row, column] + shift[c] + (adds ? residual[n, c, row, column] : 0);
                            return ActivationFormula.Of(activation, value);
                        },
                        1e-5
                    );
                }
            )
            .Holds();

    [Theory, MemberData(nameof(Widths))]
    public void Gradient_sums_and_gradient_follow_their_formulas(int width) =>
        Prop.ForAll(
                Seeds,
                seed =>
                {
                    Random random = new(seed);
                    BlockedLayout layout = Layout(random);
                    BlockedValue x = BlockedValue.Random(random, layout),
                        y = BlockedValue.Random(random, layout with { Halo = new(0, 1, 1, 0) });
                    BlockedValue dy = BlockedValue.Random(random, layout, halo: BlockedValue.Sentinel),
                        before = Copy(dy);
                    float[] mean = Parameters(random, layout),
                        a = Parameters(random, layout),
                        b = Parameters(random, layout),
                        c = Parameters(random, layout);
                    double[] sums = new double[2 * mean.Length];
                    Activation activation = Some(random);
                    BlockedNormalization.AddGradientSums(
                        dy.Values,
                        layout,
                        activation,
                        activation == Activation.None ? [] : y.Values,
                        y.Layout,
                        x.Values,
                        layout,
                        mean,
                        sums,
                        (VectorWidth)width
                    );
                    double Upstream(int n, int channel, int row, int column) =>
                        activation.Kind switch
                        {
                            ActivationKind.Relu => y[n, channel, row, column] > 0,
                            ActivationKind.Clip => y[n, channel, row, column] > activation.Low
                                && y[n, channel, row, column] < activation.High,
                            _ => true,
                        }
                            ? before[n, channel, row, column]
                            : 0;
                    dy.Equal(Upstream, 0);
                    for (int channel = 0; channel < layout.Channels; channel++)
                    {
                        int k = channel;
                        Assert.Equal(Positions(layout).Sum(p => Upstream(p.Image, k, p.Row, p.Column)), sums[k], 1e-4);
                        Assert.Equal(
                            Positions(layout).Sum(p => Upstream(p.Image, k, p.Row, p.Column) * (x[p.Image, k, p.Row, p.Column] - mean[k])),
                            sums[mean.Length + k],
                            1e-4
                        );
                    }
                    BlockedValue dx = BlockedValue.Blank(layout with { Halo = new(2, 0, 0, 1) });
                    BlockedNormalization.ApplyGradient(
                        dy.Values,
                        layout,
                        x.Values,
                        layout,
                        a,
                        b,
                        c,
                        dx.Values,
                        dx.Layout,
                        (VectorWidth)width
                    );
                    dx.Equal((n, k, row, column) => a[k] * dy[n, k, row, column] + b[k] * x[n, k, row, column] + c[k], 1e-5);
                }
            )
            .Holds();

    [Theory, MemberData(nameof(Widths))]
    public void Pooling_gradients_go_where_the_values_came_from(int width) =>
        Prop.ForAll(
                Seeds,
                seed =>
                {
                    Random random = new(seed);
                    BlockedLayout input = Layout(random) with { Height = random.Next(3, 8), Width = random.Next(3, 8) };
                    PlaneWindow window = new(
                        random.Next(1, 4),
                        random.Next(1, 4),
                        random.Next(1, 3),
                        random.Next(1, 3),
                        1,
                        1,
                        new(random.Next(0, 2), 0, 0, random.Next(0, 2))
                    );
                    window = window with
                    {
                        Padding = new(
                            Math.Min(window.Padding.Top, window.Height - 1),
                            0,
                            0,
                            Math.Min(window.Padding.Right, window.Width - 1)
                        ),
                    };
                    BlockedLayout output = new(
                        input.Images,
                        input.Channels,
                        (input.Height + window.Padding.Top - window.Height) / window.StrideY + 1,
                        (input.Width + window.Padding.Right - window.Width) / window.StrideX + 1,
                        default
                    );
                    // Few different values, so that many are equal.
                    BlockedValue x = BlockedValue.Random(random, input),
                        y = BlockedValue.Blank(output),
                        dy = BlockedValue.Random(random, output);
                    for (int i = 0; i < x.Values.Length; i++)
                        x.Values[i] = MathF.Round(2 * x.Values[i]);
                    BlockedPooling.Maximum(window, x.Values, input, y.Values, output, Workers.Serial);
                    float[] largest = new float[input.Length],
                        average = new float[input.Length];
                    PoolingGradient.AddMaximum(
                        window,
                        x.Values,
                        input,
                        y.Values,
                        output,
                        dy.Values,
                        output,
                        largest,
                        input,
                        (VectorWidth)width
                    );
                    PoolingGradient.AddAverage(window, AverageOver.Input, dy.Values, output, average, input, (VectorWidth)width);
                    for (int n = 0; n < input.Images; n++)
                    for (int c = 0; c < input.Channels; c++)
                    {
                        double[,] wantedLargest = new double[input.Height, input.Width],
                            wantedAverage = new double[input.Height, input.Width];
                        for (int row = 0; row < output.Height; row++)
                        for (int column = 0; column < output.Width; column++)
                        {
                            (int R, int C)[] taps =
                            [
                                .. from h in Enumerable.Range(row * window.StrideY - window.Padding.Top, window.Height)
                                from w in Enumerable.Range(column * window.StrideX, window.Width)
                                where h >= 0 && h < input.Height && w < input.Width
                                select (h, w),
                            ];
                            (int R, int C) best = taps.MaxBy(t => x[n, c, t.R, t.C]);
                            wantedLargest[best.R, best.C] += dy[n, c, row, column];
                            foreach ((int r, int q) in taps)
                                wantedAverage[r, q] += dy[n, c, row, column] / taps.Length;
                        }
                        for (int row = 0; row < input.Height; row++)
                        for (int column = 0; column < input.Width; column++)
                        {
                            int at = input.Pixel(n, c / 16, row, column) + c % 16;
                            Assert.Equal(wantedLargest[row, column], largest[at], 1e-5);
                            Assert.Equal(wantedAverage[row, column], average[at], 1e-5);
                        }
                    }
                }
            )
            .Holds();

    private static BlockedLayout Layout(Random random) =>
        new(
            random.Next(1, 4),
            random.Next(1, 40),
            random.Next(1, 6),
            random.Next(1, 6),
            new(random.Next(0, 2), random.Next(0, 2), random.Next(0, 2), random.Next(0, 2))
        );

    private static float[] Parameters(Random random, BlockedLayout layout) =>
        [.. Enumerable.Range(0, layout.Blocks * 16).Select(c => c < layout.Channels ? random.NextSingle() - 0.5f : float.NaN)];

    private static IEnumerable<(int Image, int Row, int Column)> Positions(BlockedLayout layout) =>
        from image in Enumerable.Range(0, layout.Images)
        from row in Enumerable.Range(0, layout.Height)
        from column in Enumerable.Range(0, layout.Width)
        select (image, row, column);

    private static BlockedValue Copy(BlockedValue value)
    {
        BlockedValue copy = BlockedValue.Blank(value.Layout);
        value.Values.CopyTo(copy.Values.AsSpan());
        return copy;
    }

    private static Activation Some(Random random) =>
        random.Next(3) switch
        {
            0 => Activation.None,
            1 => Activation.Relu,
            _ => Activation.Clip(-0.3f, 0.4f),
        };
}
