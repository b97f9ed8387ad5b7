using FsCheck;
using FsCheck.Fluent;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>Every convolution equals the sum it stands for, in double precision, at every vector width.</summary>
public class BlockedConvolutionTests
{
    private static readonly VectorWidth[] Widths = Enum.GetValues<VectorWidth>();

    /// <summary>inputs, outputs, kernel, stride, dilation, padding (top, left, bottom, right), groups, height, width.</summary>
    public static TheoryData<int, int, int[], int[], int[], int[], int, int, int> Table =>
        new()
        {
            { 16, 16, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 1, 9, 32 },
            { 16, 32, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 1, 5, 16 },
            { 32, 48, [3, 3], [2, 2], [1, 1], [1, 1, 1, 1], 1, 7, 15 },
            { 3, 24, [7, 7], [2, 2], [1, 1], [3, 3, 3, 3], 1, 17, 30 },
            { 3, 8, [11, 11], [4, 4], [1, 1], [2, 2, 2, 2], 1, 23, 31 },
            { 17, 33, [1, 1], [1, 1], [1, 1], [0, 0, 0, 0], 1, 7, 7 },
            { 64, 16, [1, 1], [2, 2], [1, 1], [0, 0, 0, 0], 1, 6, 8 },
            { 20, 40, [3, 1], [1, 1], [2, 1], [2, 0, 1, 0], 1, 8, 5 },
            { 5, 7, [1, 5], [1, 3], [1, 2], [0, 4, 0, 1], 1, 3, 19 },
            { 1, 1, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 1, 4, 4 },
            { 32, 64, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 2, 5, 6 },
            { 96, 48, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 3, 4, 3 },
            { 32, 32, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 8, 6, 10 },
            { 24, 12, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 4, 5, 5 },
            { 10, 20, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 10, 5, 5 },
            { 40, 40, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 40, 8, 28 },
            { 19, 19, [5, 5], [2, 2], [1, 1], [2, 2, 2, 2], 19, 9, 14 },
            { 16, 16, [3, 3], [3, 3], [2, 2], [0, 1, 2, 3], 16, 12, 17 },
            { 32, 32, [4, 4], [1, 1], [1, 1], [0, 0, 0, 0], 1, 4, 4 },
            { 48, 32, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 1, 2, 2 },
            // More channels than are summed at a time.
            { 1100, 33, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 1, 5, 3 },
            { 3000, 17, [1, 1], [2, 2], [1, 1], [0, 0, 0, 0], 1, 7, 7 },
            // Planes narrower than a tile, whose tiles reach over several rows and images.
            { 16, 16, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 1, 3, 1 },
            { 20, 48, [1, 1], [1, 1], [1, 1], [0, 0, 0, 0], 1, 1, 1 },
            { 33, 70, [3, 3], [2, 2], [1, 1], [1, 1, 1, 1], 1, 9, 5 },
        };

    [Theory, MemberData(nameof(Table))]
    public void Equals_its_definition(
        int inputs,
        int outputs,
        int[] kernel,
        int[] stride,
        int[] dilation,
        int[] padding,
        int groups,
        int height,
        int width
    )
    {
        ConvolutionShape shape = new(
            inputs,
            outputs,
            kernel[0],
            kernel[1],
            stride[0],
            stride[1],
            dilation[0],
            dilation[1],
            new(padding[0], padding[1], padding[2], padding[3]),
            groups
        );
        foreach (VectorWidth lanes in Widths)
        foreach (int together in new[] { 1, 2 })
            Check(new(lanes, shape with { BlocksTogether = together }, height, width, Seed: height));
    }

    [Fact]
    public void Equals_its_definition_for_random_shapes() => Prop.ForAll(Cases().ToArbitrary(), Check).Holds();

    /// <summary>
    /// method, inputs, outputs, height, width, padding (top, left, bottom, right): tiles that fit, tiles that do not, more than one batch
    /// of tiles.
    /// </summary>
    public static TheoryData<object, int, int, int, int, int[]> WinogradTable =>
        new()
        {
            { ConvolutionMethod.Winograd2, 16, 16, 8, 8, [1, 1, 1, 1] },
            { ConvolutionMethod.Winograd2, 3, 33, 7, 5, [1, 1, 1, 1] },
            { ConvolutionMethod.Winograd2, 20, 80, 3, 21, [0, 1, 0, 2] },
            { ConvolutionMethod.Winograd4, 16, 16, 8, 8, [1, 1, 1, 1] },
            { ConvolutionMethod.Winograd4, 64, 64, 7, 7, [1, 1, 1, 1] },
            { ConvolutionMethod.Winograd4, 3, 33, 14, 30, [1, 1, 1, 1] },
            { ConvolutionMethod.Winograd4, 40, 100, 3, 3, [0, 0, 0, 0] },
            { ConvolutionMethod.Winograd4, 17, 48, 9, 6, [2, 0, 1, 3] },
        };

    [Theory, MemberData(nameof(WinogradTable))]
    public void Winograd_equals_the_definition(object method, int inputs, int outputs, int height, int width, int[] padding)
    {
        ConvolutionShape shape = new(inputs, outputs, 3, 3, Padding: new(padding[0], padding[1], padding[2], padding[3]));
        foreach (VectorWidth lanes in Widths)
        foreach (bool residual in new[] { false, true })
        foreach (int together in new[] { 1, 2 })
            Check(
                new(lanes, shape with { BlocksTogether = together }, height, width, Seed: width)
                {
                    Method = (ConvolutionMethod)method,
                    Residual = residual,
                    Images = 3,
                    Extra = new(0, 2, 1, 0),
                    Activation = residual ? Activation.Relu : Activation.HardSwish,
                }
            );
    }

    [Fact]
    public void Winograd_is_for_three_by_three()
    {
        Assert.False(BlockedConvolution.Supports(new(16, 16, 3, 3, StrideY: 2, StrideX: 2), ConvolutionMethod.Winograd4));
        Assert.Throws<ArgumentException>(() =>
            BlockedConvolution.Pack(new float[16 * 16 * 25], new(16, 16, 5, 5), ConvolutionMethod.Winograd2)
        );
    }

    [Theory, MemberData(nameof(Activations))]
    public void Applies_every_activation(object activation)
    {
        foreach (VectorWidth lanes in Widths)
            Check(new(lanes, new(20, 40, 3, 3, Padding: new(1, 1, 1, 1)), 6, 9, Seed: 1) { Activation = (Activation)activation });
    }

    /// <summary>More channels than are summed at a time: what is added first has another border than the output, where sums wait.</summary>
    [Theory]
    [InlineData(1, 5, 23), InlineData(3, 3, 5), InlineData(1, 1, 3)]
    public void A_residual_is_added_once_however_many_channels_there_are(int kernelHeight, int kernelWidth, int width)
    {
        ConvolutionShape shape = new(2048, 40, kernelHeight, kernelWidth, Padding: new(kernelHeight / 2, 2, kernelHeight / 2, 2));
        foreach (VectorWidth lanes in Widths)
        foreach (int together in new[] { 1, 2 })
            Check(
                new(lanes, shape with { BlocksTogether = together }, kernelHeight, width, Seed: width)
                {
                    Residual = true,
                    Images = 5,
                    Activation = Activation.Relu,
                }
            );
    }

    [Fact]
    public void The_residual_may_be_the_output()
    {
        Random random = new(7);
        ConvolutionShape shape = new(16, 48, 3, 3, Padding: new(1, 1, 1, 1));
        BlockedValue x = BlockedValue.Random(random, new(2, 16, 5, 20, shape.Padding)),
            y = BlockedValue.Random(random, new(2, 48, 5, 20, new(1, 2, 3, 4)), BlockedValue.Sentinel);
        float[] kernel = Kernel(random, shape),
            before = [.. y.Values],
            expected = new float[y.Values.Length];
        PackedKernel packed = BlockedConvolution.Pack(kernel, shape);
        BlockedConvolution.Run(
            shape,
            x.Values,
            x.Layout,
            packed,
            [],
            before,
            y.Layout,
            Activation.Relu,
            expected,
            y.Layout,
            Workers.Serial
        );
        BlockedConvolution.Run(
            shape,
            x.Values,
            x.Layout,
            packed,
            [],
            y.Values,
            y.Layout,
            Activation.Relu,
            y.Values,
            y.Layout,
            Workers.Serial
        );
        y.Equal((i, c, row, column) => expected[y.Layout.Pixel(i, c / 16, row, column) + c % 16], 0);
    }

    [Fact]
    public void NaN_passes_through_clipping()
    {
        ConvolutionShape shape = new(16, 16, 1, 1);
        BlockedValue x = BlockedValue.Random(new(1), new(1, 16, 1, 1, default)),
            y = BlockedValue.Blank(x.Layout);
        x[0, 3, 0, 0] = float.NaN;
        foreach (VectorWidth lanes in Widths)
        foreach (
            Activation activation in new[] { Activation.Relu, Activation.Clip(0, 6), Activation.LeakyRelu(0.1f), Activation.HardSwish }
        )
        {
            BlockedConvolution.Run(
                lanes,
                shape,
                x.Values,
                x.Layout,
                BlockedConvolution.Pack(Kernel(new(2), shape), shape),
                [],
                [],
                default,
                activation,
                y.Values,
                y.Layout,
                Workers.Serial
            );
            y.Equal((_, _, _, _) => double.NaN, 0);
        }
    }

    [Fact]
    public void Depthwise_with_a_multiplier_of_many_channels_is_left_to_others() =>
        Assert.False(BlockedConvolution.Supports(new(34, 17 * 34, 3, 3, Groups: 34)));

    /// <summary>Values of <see cref="Activation"/>, which tests, being public, cannot name.</summary>
    public static TheoryData<object> Activations =>
        [
            Activation.None,
            Activation.Relu,
            Activation.Clip(-0.25f, 0.5f),
            Activation.LeakyRelu(0.125f),
            Activation.Sigmoid,
            Activation.HardSigmoid(0.2f, 0.5f),
            Activation.HardSwish,
            Activation.Silu,
            Activation.Tanh,
        ];

    internal sealed record Case(VectorWidth Lanes, ConvolutionShape Shape, int Height, int Width, int Seed)
    {
        public Activation Activation { get; init; } = Activation.None;

        public Halo Extra { get; init; }

        public bool Residual { get; init; }

        public int Images { get; init; } = 2;

        public ConvolutionMethod Method { get; init; }
    }

    private static Gen<Case> Cases() =>
        from lanes in Gen.Elements(Widths)
        from groups in Gen.Elements(1, 1, 1, 2, 3)
        from depthwise in Gen.Elements(false, false, true)
        from inputs in Gen.Choose(1, 40)
        from outputs in Gen.Choose(1, 70)
        from kernel in Gen.Choose(1, 4).Two()
        from stride in Gen.Choose(1, 3).Two()
        from dilation in Gen.Choose(1, 2).Two()
        from padding in Gen.Choose(0, 3).Four()
        from extra in Gen.Choose(0, 2).Four()
        from height in Gen.Choose(7, 10)
        from width in Gen.Choose(7, 33)
        from activation in Gen.Elements(
            Activation.None,
            Activation.Relu,
            Activation.Clip(-1, 1),
            Activation.LeakyRelu(0.1f),
            Activation.Silu
        )
        from residual in Gen.Elements(false, true)
        from together in Gen.Choose(1, 2)
        from seed in Gen.Choose(0, int.MaxValue - 1)
        let shape = depthwise
            ? new ConvolutionShape(inputs + 1, inputs + 1, kernel.Item1, kernel.Item2, Groups: inputs + 1)
            : new ConvolutionShape(inputs * groups, outputs * groups, kernel.Item1, kernel.Item2, Groups: groups)
        select new Case(
            lanes,
            shape with
            {
                BlocksTogether = together,
                StrideY = stride.Item1,
                StrideX = stride.Item2,
                DilationY = dilation.Item1,
                DilationX = dilation.Item2,
                Padding = new(padding.Item1, padding.Item2, padding.Item3, padding.Item4),
            },
            height,
            width,
            seed
        )
        {
            Activation = activation,
            Residual = residual,
            Extra = new(extra.Item1, extra.Item2, extra.Item3, extra.Item4),
        };

    private static void Check(Case test)
    {
        ConvolutionShape shape = test.Shape;
        Random random = new(test.Seed);
        Halo p = shape.Padding,
            e = test.Extra;
        Halo halo = new(p.Top + e.Top, p.Left + e.Left, p.Bottom + e.Bottom, p.Right + e.Right);
        BlockedValue x = BlockedValue.Random(random, new(test.Images, shape.InputChannels, test.Height, test.Width, halo));
        int height = (test.Height + p.Top + p.Bottom - (shape.KernelHeight - 1) * shape.DilationY - 1) / shape.StrideY + 1;
        int width = (test.Width + p.Left + p.Right - (shape.KernelWidth - 1) * shape.DilationX - 1) / shape.StrideX + 1;
        BlockedLayout layout = new(test.Images, shape.OutputChannels, height, width, e);
        BlockedValue y = BlockedValue.Blank(layout),
            residual = BlockedValue.Random(random, layout with { Halo = new(0, 1, 2, 0) });
        float[] kernel = Kernel(random, shape),
            bias = [.. Enumerable.Range(0, shape.OutputChannels).Select(_ => random.NextSingle())];
        PackedKernel packed = BlockedConvolution.Pack(kernel, shape, test.Method);

        BlockedConvolution.Run(
            test.Lanes,
            shape,
            x.Values,
            x.Layout,
            packed,
            bias,
            test.Residual ? residual.Values : [],
            residual.Layout,
            test.Activation,
            y.Values,
            layout,
            random.Next(2) == 0 ? Workers.Serial : new TwoThreads()
        );

        y.Equal(
            (i, o, row, column) =>
                ActivationFormula.Of(
                    test.Activation,
                    Sum(shape, x, kernel, i, o, row, column) + bias[o] + (test.Residual ? residual[i, o, row, column] : 0)
                ),
            (test.Method == ConvolutionMethod.Winograd4 ? 4e-6 : 1e-6) * (8 + shape.InputsPerGroup * shape.KernelHeight * shape.KernelWidth)
        );
    }

    private static double Sum(in ConvolutionShape shape, BlockedValue x, float[] kernel, int image, int output, int row, int column)
    {
        double sum = 0;
        int firstInput = output / shape.OutputsPerGroup * shape.InputsPerGroup;
        for (int i = 0; i < shape.InputsPerGroup; i++)
        for (int h = 0; h < shape.KernelHeight; h++)
        for (int v = 0; v < shape.KernelWidth; v++)
            sum +=
                kernel[((output * shape.InputsPerGroup + i) * shape.KernelHeight + h) * shape.KernelWidth + v]
                * x.At(
                    image,
                    firstInput + i,
                    row * shape.StrideY + h * shape.DilationY - shape.Padding.Top,
                    column * shape.StrideX + v * shape.DilationX - shape.Padding.Left
                );
        return sum;
    }

    private static float[] Kernel(Random random, in ConvolutionShape shape)
    {
        float[] kernel = new float[shape.KernelCount];
        for (int i = 0; i < kernel.Length; i++)
            kernel[i] = random.NextSingle() * 2 - 1;
        return kernel;
    }
}
