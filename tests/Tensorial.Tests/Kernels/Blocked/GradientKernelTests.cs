using FsCheck;
using FsCheck.Fluent;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>Kernels of the backward pass against plain loops, at every width.</summary>
public class GradientKernelTests
{
    public static TheoryData<int> Widths() => [.. Enum.GetValues<LaneWidth>().Select(static width => (int)width)];

    private static readonly Arbitrary<int> Seeds = Gen.Choose(0, 1_000_000).ToArbitrary();

    [Theory, MemberData(nameof(Widths))]
    public void The_kernel_gradient_is_the_correlation_of_input_and_upstream(int width) => Prop.ForAll(Seeds, seed =>
    {
        Random random = new(seed);
        bool transformed = random.Next(0, 3) == 0;
        (ConvolutionShape shape, BlockedLayout x, BlockedLayout y) = Case(random, transformed);
        ConvolutionMethod method = !transformed ? ConvolutionMethod.Direct : random.Next(0, 2) == 0 ? ConvolutionMethod.Winograd2 : ConvolutionMethod.Winograd4;
        BlockedValue input = BlockedValue.Random(random, x), upstream = BlockedValue.Random(random, y);
        float[] sums = new float[2 * KernelGradient.SumsLength(shape, method)], gradient = [.. Enumerable.Repeat(1f, shape.KernelCount)];
        // Two lanes: the first image, then the others.
        int lane = sums.Length / 2, first = Math.Min(1, y.Images);
        KernelGradient.Add((LaneWidth)width, shape, method, input.Values.AsSpan(0, first * x.ImagePitch), x with { Images = first }, upstream.Values.AsSpan(0, first * y.ImagePitch), y with { Images = first }, sums.AsSpan(0, lane));
        KernelGradient.Add((LaneWidth)width, shape, method, input.Values.AsSpan(first * x.ImagePitch), x with { Images = x.Images - first }, upstream.Values.AsSpan(first * y.ImagePitch), y with { Images = y.Images - first }, sums.AsSpan(lane));
        KernelGradient.Unpack(shape, method, sums, 2, gradient, Workers.Serial);
        int at = 0;
        for (int o = 0; o < shape.OutputChannels; o++)
            for (int i = 0; i < shape.InputsPerGroup; i++)
                for (int h = 0; h < shape.KernelHeight; h++)
                    for (int w = 0; w < shape.KernelWidth; w++, at++)
                    {
                        double wanted = 1;
                        for (int n = 0; n < y.Images; n++)
                            for (int row = 0; row < y.Height; row++)
                                for (int column = 0; column < y.Width; column++)
                                    wanted += (double)upstream[n, o, row, column] * input.At(
                                        n, o / shape.OutputsPerGroup * shape.InputsPerGroup + i, row * shape.StrideY + h * shape.DilationY - shape.Padding.Top,
                                        column * shape.StrideX + w * shape.DilationX - shape.Padding.Left);
                        Assert.True(Math.Abs(wanted - gradient[at]) <= 1e-4, $"{shape} {method} at {o},{i},{h},{w}: {gradient[at]} instead of {wanted}");
                    }
    }).Holds();

    [Fact]
    public void The_input_gradient_is_the_adjoint_of_the_convolution() => Prop.ForAll(Seeds, seed =>
    {
        Random random = new(seed);
        (ConvolutionShape shape, BlockedLayout x, BlockedLayout y) = Case(random);
        BlockedLayout spread = InputGradient.Spread(y, shape);
        if (InputGradient.Of(shape, x.Height, x.Width, spread) is not { } back) return;
        BlockedValue upstream = BlockedValue.Random(random, y);
        spread = spread with { Halo = back.Padding };
        float[] apart = new float[spread.Length], kernel = [.. Enumerable.Range(0, shape.KernelCount).Select(_ => random.NextSingle() - 0.5f)], turned = new float[kernel.Length];
        InputGradient.Spread(upstream.Values, y, apart, spread, shape);
        InputGradient.Turn(kernel, shape, turned);
        BlockedValue gradient = BlockedValue.Blank(x with { Halo = default });
        BlockedConvolution.Run(back, apart, spread, BlockedConvolution.Pack(turned, back), [], [], default, Activation.None, gradient.Values, gradient.Layout, Workers.Serial);
        gradient.Equal((n, c, row, column) =>
        {
            double sum = 0;
            for (int o = 0; o < shape.OutputChannels; o++)
            {
                int i = c - o / shape.OutputsPerGroup * shape.InputsPerGroup;
                if (i < 0 || i >= shape.InputsPerGroup) continue;
                for (int h = 0; h < shape.KernelHeight; h++)
                    for (int w = 0; w < shape.KernelWidth; w++)
                    {
                        int down = row + shape.Padding.Top - h * shape.DilationY, right = column + shape.Padding.Left - w * shape.DilationX;
                        if (down % shape.StrideY != 0 || right % shape.StrideX != 0) continue;
                        sum += kernel[((o * shape.InputsPerGroup + i) * shape.KernelHeight + h) * shape.KernelWidth + w] * upstream.At(n, o, down / shape.StrideY, right / shape.StrideX);
                    }
            }
            return sum;
        }, 1e-4);
    }).Holds();

    private static (ConvolutionShape Shape, BlockedLayout Input, BlockedLayout Output) Case(Random random, bool transformed = false)
    {
        int Next(int low, int past) => random.Next(low, past);
        // All channels connected, none, or groups of any size, so that blocks hold parts of groups and groups parts of blocks.
        (int inputs, int outputs, int groups) = (Next(1, 40), Next(1, 70), 1);
        int connection = transformed ? 2 : Next(0, 3);
        if (connection == 0) (outputs, groups) = (inputs, inputs);
        if (connection == 1)
        {
            groups = Next(2, 9);
            (inputs, outputs) = (groups * Next(1, 20), groups * Next(1, 20));
        }
        Halo padding = new(Next(0, 2), Next(0, 2), Next(0, 2), Next(0, 2));
        ConvolutionShape shape = new(inputs, outputs, Next(1, 4), Next(1, 4), Next(1, 3), Next(1, 3), Next(1, 3), Next(1, 3), padding, groups);
        if (transformed) shape = new(inputs, outputs, 3, 3, Padding: padding);
        int Extent(int taps, int dilation, int around) => Math.Max(1, (taps - 1) * dilation + 1 - around) + Next(0, 6);
        BlockedLayout x = new(Next(1, 4), inputs, Extent(shape.KernelHeight, shape.DilationY, padding.Top + padding.Bottom),
            Extent(shape.KernelWidth, shape.DilationX, padding.Left + padding.Right), padding.Union(new(Next(0, 2), 0, Next(0, 2), 0)));
        BlockedLayout y = new(x.Images, outputs, (x.Height + padding.Top + padding.Bottom - (shape.KernelHeight - 1) * shape.DilationY - 1) / shape.StrideY + 1,
            (x.Width + padding.Left + padding.Right - (shape.KernelWidth - 1) * shape.DilationX - 1) / shape.StrideX + 1, new(0, Next(0, 2), 0, 0));
        return (shape, x, y);
    }
}
