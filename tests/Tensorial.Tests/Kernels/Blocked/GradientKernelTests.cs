using FsCheck;
using FsCheck.Fluent;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>Kernels of the backward pass against plain loops, at every width.</summary>
public class GradientKernelTests
{
    public static TheoryData<int> Widths() => [.. Enum.GetValues<VectorWidth>().Select(static width => (int)width)];

    private static readonly Arbitrary<int> Seeds = Gen.Choose(0, 1_000_000).ToArbitrary();

    [Theory, MemberData(nameof(Widths))]
    public void The_kernel_gradient_is_the_correlation_of_input_and_upstream(int width) =>
        Prop.ForAll(
                Seeds,
                seed =>
                {
                    Random random = new(seed);
                    bool transformed = random.Next(0, 3) == 0;
                    (ConvolutionShape shape, BlockedLayout x, BlockedLayout y) = Case(random, transformed);
                    ConvolutionMethod method =
                        !transformed ? ConvolutionMethod.Direct
                        : random.Next(0, 2) == 0 ? ConvolutionMethod.Winograd2
                        : ConvolutionMethod.Winograd4;
                    BlockedValue input = BlockedValue.Random(random, x),
                        upstream = BlockedValue.Random(random, y);
                    float[] sums = new float[2 * KernelGradient.SumsLength(shape, method)],
                        gradient = [.. Enumerable.Repeat(1f, shape.KernelCount)];
                    // Two lanes: the first image, then the others.
                    int lane = sums.Length / 2,
                        first = Math.Min(1, y.Images);
                    KernelGradient.Add(
                        (VectorWidth)width,
                        shape,
                        method,
                        input.Values.AsSpan(0, first * x.ImagePitch),
                        x with
                        {
                            Images = first,
                        },
                        upstream.Values.AsSpan(0, first * y.ImagePitch),
                        y with
                        {
                            Images = first,
                        },
                        sums.AsSpan(0, lane)
                    );
                    KernelGradient.Add(
                        (VectorWidth)width,
                        shape,
                        method,
                        input.Values.AsSpan(first * x.ImagePitch),
                        x with
                        {
                            Images = x.Images - first,
                        },
                        upstream.Values.AsSpan(first * y.ImagePitch),
                        y with
                        {
                            Images = y.Images - first,
                        },
                        sums.AsSpan(lane)
                    );
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
                            wanted +=
                                (double)upstream[n, o, row, column]
                                * input.At(
                                    n,
                                    o / shape.OutputsPerGroup * shape.InputsPerGroup + i,
                                    row * shape.StrideY + h * shape.DilationY - shape.Padding.Top,
                                    column * shape.StrideX + w * shape.DilationX - shape.Padding.Left
                                );
                        Assert.True(
                            Math.Abs(wanted - gradient[at]) <= 1e-4,
                            $"{shape} {method} at {o},{i},{h},{w}: {gradient[at]} instead of {wanted}"
                        );
                    }
                }
            )
            .Holds();

    [Fact]
    public void The_input_gradient_is_the_adjoint_of_the_convolution()
    {
        int tried = 0,
            all = 0;
        Prop.ForAll(
                Seeds,
                seed =>
                {
                    Random random = new(seed);
                    (ConvolutionShape shape, BlockedLayout x, BlockedLayout y) = Case(random);
                    all++;
                    tried += CheckInputGradient(random, shape, x, y) ? 1 : 0;
                }
            )
            .Holds();
        Assert.True(tried >= 0.9 * all, $"{tried} of {all} shapes were tried");
    }

    /// <summary>Every residue of the stride, with taps and without, inside the input and cut off by its edges, along either axis.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Phases_of_the_input_gradient_are_put_together(int stride)
    {
        Random random = new(stride);
        for (int taps = 1; taps <= 5; taps++)
        for (int dilation = 1; dilation <= 3; dilation++)
        for (int padding = 0; padding <= 4; padding++)
        for (int extra = 0; extra < 4; extra++)
        {
            (Along down, Along right) = (
                new(taps, stride, dilation, padding, extra),
                new(random.Next(1, 6), random.Next(1, 4), random.Next(1, 4), random.Next(0, 4), random.Next(0, 6))
            );
            if (random.Next(0, 2) == 0)
                (down, right) = (right, down);
            int after = random.Next(0, 3);
            ConvolutionShape shape = new(
                3,
                17,
                down.Taps,
                right.Taps,
                down.Stride,
                right.Stride,
                down.Dilation,
                right.Dilation,
                new(down.Padding, right.Padding, after, right.Padding)
            );
            CheckInputGradient(
                random,
                shape,
                new(2, 3, down.Input(after), right.Input(right.Padding), default),
                new(2, 17, down.Output(after), right.Output(right.Padding), default)
            );
        }
    }

    /// <summary>A kernel of 5×5 and stride 2 has a phase of 3×3 taps, to which the transforms apply.</summary>
    [Fact]
    public void Phases_are_convolved_by_the_method_that_suits_them()
    {
        ConvolutionShape shape = new(32, 32, 5, 5, 2, 2, Padding: new(2, 2, 2, 2));
        BlockedLayout x = new(2, 32, 31, 31, default),
            y = new(2, 32, 16, 16, default);
        Assert.Contains(InputGradient.From(shape, x, y)!.Phases, static phase => phase.Method(8, 1) != ConvolutionMethod.Direct);
        CheckInputGradient(new(3), shape, x, y);
    }

    private sealed record Along(int Taps, int Stride, int Dilation, int Padding, int Extra)
    {
        private int Reach => (Taps - 1) * Dilation;

        public int Input(int after) => Math.Max(1, Reach + 1 - Padding - after) + Extra;

        public int Output(int after) => (Input(after) + Padding + after - Reach - 1) / Stride + 1;
    }

    /// <returns>False where the kernels leave the shape to others.</returns>
    private static bool CheckInputGradient(Random random, ConvolutionShape shape, BlockedLayout x, BlockedLayout y)
    {
        if (InputGradient.From(shape, x, y) is not { } back)
            return false;
        BlockedValue upstream = BlockedValue.Random(
            random,
            y with
            {
                Halo = back.Padding.Union(new(0, random.Next(0, 2), random.Next(0, 2), 0)),
            }
        );
        float[] kernel = [.. Enumerable.Range(0, shape.KernelCount).Select(_ => random.NextSingle() - 0.5f)];
        PackedKernel[] kernels =
        [
            .. back.Phases.Select(phase => BlockedConvolution.Pack(phase.Turn(kernel), phase.Convolution, phase.Method(8, 1))),
        ];
        BlockedLayout target = x with { Halo = new(0, random.Next(0, 2), random.Next(0, 2), 0) };
        float[] plane = new float[back.Plane(target)?.Length ?? 0];
        BlockedValue gradient = BlockedValue.Blank(target),
            two = BlockedValue.Blank(target),
            sum = BlockedValue.Random(random, target, BlockedValue.Sentinel);
        double[] before = [.. sum.Values];
        back.Run(upstream.Values, upstream.Layout, kernels, plane, gradient.Values, target, adds: false, Workers.Serial);
        back.Run(upstream.Values, upstream.Layout, kernels, plane, two.Values, target, adds: false, new TwoThreads());
        back.Run(upstream.Values, upstream.Layout, kernels, plane, sum.Values, target, adds: true, Workers.Serial);
        gradient.Equal(Wanted, 1e-4);
        sum.Equal((n, c, row, column) => before[target.Pixel(n, c / 16, row, column) + c % 16] + Wanted(n, c, row, column), 1e-4);
        two.Equal((n, c, row, column) => gradient[n, c, row, column], 0);
        return true;

        double Wanted(int n, int c, int row, int column)
        {
            double sum = 0;
            for (int o = 0; o < shape.OutputChannels; o++)
            {
                int i = c - o / shape.OutputsPerGroup * shape.InputsPerGroup;
                if (i < 0 || i >= shape.InputsPerGroup)
                    continue;
                for (int h = 0; h < shape.KernelHeight; h++)
                for (int w = 0; w < shape.KernelWidth; w++)
                {
                    int down = row + shape.Padding.Top - h * shape.DilationY,
                        right = column + shape.Padding.Left - w * shape.DilationX;
                    if (down % shape.StrideY != 0 || right % shape.StrideX != 0)
                        continue;
                    sum +=
                        kernel[((o * shape.InputsPerGroup + i) * shape.KernelHeight + h) * shape.KernelWidth + w]
                        * upstream.At(n, o, down / shape.StrideY, right / shape.StrideX);
                }
            }
            return sum;
        }
    }

    private static (ConvolutionShape Shape, BlockedLayout Input, BlockedLayout Output) Case(Random random, bool transformed = false)
    {
        int Next(int low, int past) => random.Next(low, past);
        // All channels connected, none, or groups of any size, so that blocks hold parts of groups and groups parts of blocks.
        (int inputs, int outputs, int groups) = (Next(1, 40), Next(1, 70), 1);
        int connection = transformed ? 2 : Next(0, 3);
        if (connection == 0)
            (outputs, groups) = (inputs, inputs);
        if (connection == 1)
        {
            groups = Next(2, 9);
            (inputs, outputs) = (groups * Next(1, 20), groups * Next(1, 20));
        }
        Halo padding = new(Next(0, 2), Next(0, 2), Next(0, 2), Next(0, 2));
        ConvolutionShape shape = new(
            inputs,
            outputs,
            Next(1, 4),
            Next(1, 4),
            Next(1, 3),
            Next(1, 3),
            Next(1, 3),
            Next(1, 3),
            padding,
            groups
        );
        if (transformed)
            shape = new(inputs, outputs, 3, 3, Padding: padding);
        int Extent(int taps, int dilation, int around) => Math.Max(1, (taps - 1) * dilation + 1 - around) + Next(0, 6);
        BlockedLayout x = new(
            Next(1, 4),
            inputs,
            Extent(shape.KernelHeight, shape.DilationY, padding.Top + padding.Bottom),
            Extent(shape.KernelWidth, shape.DilationX, padding.Left + padding.Right),
            padding.Union(new(Next(0, 2), 0, Next(0, 2), 0))
        );
        BlockedLayout y = new(
            x.Images,
            outputs,
            (x.Height + padding.Top + padding.Bottom - (shape.KernelHeight - 1) * shape.DilationY - 1) / shape.StrideY + 1,
            (x.Width + padding.Left + padding.Right - (shape.KernelWidth - 1) * shape.DilationX - 1) / shape.StrideX + 1,
            new(0, Next(0, 2), 0, 0)
        );
        return (shape, x, y);
    }
}
