using FsCheck;
using FsCheck.Fluent;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>A first layer that reads plain planes gives what one of blocked planes gives, at every width.</summary>
public class PlanarConvolutionTests
{
    private static Gen<(ConvolutionShape Shape, int Height, int Width, Activation Activation, int Seed)> Cases() =>
        from inputs in Gen.Choose(1, 4)
        from outputs in Gen.Choose(1, 70)
        from kernel in Gen.Choose(1, 7).Two()
        from stride in Gen.Choose(1, 3).Two()
        from padding in Gen.Choose(0, 8).Four()
        from height in Gen.Choose(7, 20)
        from width in Gen.Choose(7, 45)
        from activation in Gen.Elements(Activation.None, Activation.Relu, Activation.Clip(-1, 1), Activation.Silu)
        from together in Gen.Choose(1, 2)
        from seed in Gen.Choose(0, 1_000_000)
        select (
            new ConvolutionShape(inputs, outputs, kernel.Item1, kernel.Item2, stride.Item1, stride.Item2)
            {
                BlocksTogether = together,
                Padding = new(padding.Item1, padding.Item2, padding.Item3, padding.Item4),
            },
            height,
            width,
            activation,
            seed
        );

    [Fact]
    public void Equals_the_blocked_convolution_for_random_shapes() =>
        Prop.ForAll(Cases().ToArbitrary(), test => Check(test.Shape, test.Height, test.Width, test.Activation, test.Seed)).Holds();

    [Theory]
    // One axis, a kernel as wide as a block, rows that do not fit a strip, planes smaller than the kernel.
    [InlineData(2, 1, 9, 1, 4, 1, 700)]
    [InlineData(3, 16, 16, 4, 4, 40, 50)]
    [InlineData(4, 3, 3, 1, 1, 3, 4000)]
    [InlineData(3, 11, 11, 4, 4, 23, 31)]
    [InlineData(1, 3, 5, 1, 1, 1, 1)]
    public void Equals_the_blocked_convolution(int inputs, int down, int right, int strideY, int strideX, int height, int width)
    {
        ConvolutionShape shape = new(inputs, 24, down, right, strideY, strideX) { Padding = new(down / 2, right / 2, down / 2, right / 2) };
        Check(shape, height, width, Activation.Relu, width);
    }

    private static void Check(ConvolutionShape shape, int height, int width, Activation activation, int seed)
    {
        Random random = new(seed);
        const int images = 2;
        float[] plain = [.. Enumerable.Range(0, images * shape.InputChannels * height * width).Select(_ => random.NextSingle() - 0.5f)],
            kernel = [.. Enumerable.Range(0, shape.KernelCount).Select(_ => random.NextSingle() - 0.5f)],
            bias = [.. Enumerable.Range(0, shape.OutputChannels).Select(_ => random.NextSingle())];
        Halo p = shape.Padding;
        BlockedLayout blocked = new(images, shape.InputChannels, height, width, p);
        BlockedValue x = BlockedValue.Random(random, blocked);
        BlockedConversion.ToBlocked(plain, x.Values, blocked, Workers.Serial);
        BlockedLayout layout = new(
            images,
            shape.OutputChannels,
            (height + p.Top + p.Bottom - shape.KernelHeight) / shape.StrideY + 1,
            (width + p.Left + p.Right - shape.KernelWidth) / shape.StrideX + 1,
            new(1, 0, 2, 1)
        );
        BlockedValue wanted = BlockedValue.Blank(layout);
        BlockedConvolution.Run(
            VectorWidth.Scalar,
            shape,
            x.Values,
            blocked,
            BlockedConvolution.Pack(kernel, shape),
            bias,
            [],
            default,
            activation,
            wanted.Values,
            layout,
            Workers.Serial
        );
        PackedKernel packed = BlockedConvolution.Pack(PlanarConvolution.Fold(shape, kernel), PlanarConvolution.Folded(shape));
        foreach (VectorWidth lanes in Enum.GetValues<VectorWidth>())
        {
            BlockedValue y = BlockedValue.Blank(layout);
            Workers workers = random.Next(2) == 0 ? Workers.Serial : new TwoThreads();
            BlockedLayout input = blocked with { Halo = default };
            PlanarConvolution.Run(lanes, shape, plain, input, packed, bias, activation, y.Values, layout, workers);
            y.Equal(
                (i, c, row, column) => wanted[i, c, row, column],
                1e-6 * (8 + shape.InputsPerGroup * shape.KernelHeight * shape.KernelWidth)
            );
        }
    }

    [Fact]
    public void Many_channels_and_groups_are_left_to_the_blocked_convolution()
    {
        Assert.False(PlanarConvolution.Supports(new(5, 16, 3, 3)));
        Assert.False(PlanarConvolution.Supports(new(2, 16, 3, 3, Groups: 2)));
        Assert.False(PlanarConvolution.Supports(new(1, 16, 1, 17)));
        Assert.False(PlanarConvolution.Supports(new(1, 16, 3, 3, DilationY: 2)));
        ConvolutionShape shape = new(3, 16, 3, 3);
        Assert.Throws<ArgumentException>(() =>
            PlanarConvolution.Run(
                shape,
                new float[3 * 8 * 8 - 1],
                new(1, 3, 8, 8, default),
                BlockedConvolution.Pack(new float[shape.KernelCount], PlanarConvolution.Folded(shape)),
                [],
                Activation.None,
                new float[16 * 36],
                new(1, 16, 6, 6, default),
                Workers.Serial
            )
        );
    }
}
