using System.Globalization;
using Tensorial.Equations;
using Tensorial.Operations;

namespace Tensorial.Tests.Operations;

/// <summary>Operations against PyTorch: an expression over x0, x1, … and our record for it.</summary>
public class TorchTests
{
    internal static readonly (string Expression, Operation Operation, Shape[] Inputs)[] Rows =
    [
        (
            "F.conv1d(x0, x1, x2, stride=2, padding=3, dilation=2)",
            new Convolution
            {
                Strides = [2],
                Pads = [3, 3],
                Dilations = [2],
            },
            [
                [2, 3, 17],
                [4, 3, 3],
                [4],
            ]
        ),
        (
            "F.conv2d(F.pad(x0, (1, 2, 0, 1)), x1, stride=(2, 1), groups=2)",
            new Convolution
            {
                Pads = [0, 1, 1, 2],
                Strides = [2, 1],
                Groups = 2,
            },
            [
                [2, 4, 7, 8],
                [6, 2, 3, 2],
            ]
        ),
        (
            "F.conv2d(x0, x1, x2, padding=1, groups=5)",
            new Convolution { Pads = [1, 1, 1, 1], Groups = 5 },
            [
                [1, 5, 9, 9],
                [5, 1, 3, 3],
                [5],
            ]
        ),
        (
            "F.conv3d(x0, x1, x2, stride=(1, 2, 1), padding=(0, 1, 2))",
            new Convolution { Strides = [1, 2, 1], Pads = [0, 1, 2, 0, 1, 2] },
            [
                [1, 2, 4, 5, 6],
                [3, 2, 2, 3, 3],
                [3],
            ]
        ),
        (
            "F.conv_transpose2d(x0, x1, x2, stride=3, padding=1, output_padding=2, groups=2, dilation=2)",
            new ConvolutionTranspose
            {
                Strides = [3, 3],
                Pads = [1, 1, 1, 1],
                OutputPadding = [2, 2],
                Groups = 2,
                Dilations = [2, 2],
            },
            [
                [2, 4, 3, 4],
                [4, 3, 3, 2],
                [6],
            ]
        ),
        (
            "F.max_pool2d(x0, 3, 2, 1, ceil_mode=True)",
            new MaxPool
            {
                KernelShape = [3, 3],
                Strides = [2, 2],
                Pads = [1, 1, 1, 1],
                CeilMode = true,
            },
            [
                [1, 3, 6, 7],
            ]
        ),
        (
            "F.max_pool2d(x0, 2, 3, 1, ceil_mode=True)",
            new MaxPool
            {
                KernelShape = [2, 2],
                Strides = [3, 3],
                Pads = [1, 1, 1, 1],
                CeilMode = true,
            },
            [
                [1, 3, 7, 8],
            ]
        ),
        (
            "F.max_pool2d(x0, 2, 2, 0, dilation=2)",
            new MaxPool
            {
                KernelShape = [2, 2],
                Strides = [2, 2],
                Dilations = [2, 2],
            },
            [
                [2, 2, 8, 9],
            ]
        ),
        (
            "F.avg_pool2d(x0, 3, 2, 1, ceil_mode=True, count_include_pad=True)",
            new AveragePool
            {
                KernelShape = [3, 3],
                Strides = [2, 2],
                Pads = [1, 1, 1, 1],
                CeilMode = true,
                CountIncludePad = true,
            },
            [
                [1, 3, 6, 7],
            ]
        ),
        (
            "F.avg_pool2d(x0, 3, 2, 1, ceil_mode=True, count_include_pad=False)",
            new AveragePool
            {
                KernelShape = [3, 3],
                Strides = [2, 2],
                Pads = [1, 1, 1, 1],
                CeilMode = true,
            },
            [
                [1, 3, 6, 7],
            ]
        ),
        (
            "F.avg_pool1d(x0, 3, 2)",
            new AveragePool { KernelShape = [3], Strides = [2] },
            [
                [1, 3, 8],
            ]
        ),
        (
            "F.batch_norm(x0, x3, x4, x1, x2, eps=100)",
            new BatchNormalization { Epsilon = 100 },
            [
                [2, 3, 4, 5],
                [3],
                [3],
                [3],
                [3],
            ]
        ),
        (
            "F.instance_norm(x0, weight=x1, bias=x2, eps=0.01)",
            new InstanceNormalization { Epsilon = 0.01f },
            [
                [2, 3, 4, 5],
                [3],
                [3],
            ]
        ),
        (
            "F.layer_norm(x0, (4, 5), x1, x2, eps=0.01)",
            new LayerNormalization(-2) { Epsilon = 0.01f },
            [
                [2, 3, 4, 5],
                [4, 5],
                [4, 5],
            ]
        ),
        (
            "F.local_response_norm(x0, 5, alpha=0.5, beta=0.75, k=2)",
            new Lrn(5) { Alpha = 0.5f, Bias = 2 },
            [
                [2, 7, 3, 3],
            ]
        ),
        (
            "F.softmax(x0, 1)",
            new Softmax(1),
            [
                [2, 5, 3],
            ]
        ),
        (
            "F.log_softmax(x0, -1)",
            new LogSoftmax(),
            [
                [2, 5, 3],
            ]
        ),
        (
            "F.prelu(x0, x1[:, 0, 0])",
            new PRelu(),
            [
                [2, 4, 3, 3],
                [4, 1, 1],
            ]
        ),
        (
            "F.gelu(x0)",
            new Gelu(),
            [
                [40],
            ]
        ),
        (
            "F.selu(x0)",
            new Selu(),
            [
                [40],
            ]
        ),
        (
            "torch.erf(x0)",
            new Erf(),
            [
                [17],
            ]
        ),
        (
            "x0.mean((2, 3))",
            new ReduceMean { Axes = [2, 3], KeepDims = false },
            [
                [2, 3, 4, 5],
            ]
        ),
        (
            "x0.sum((0, 2), keepdim=True)",
            new ReduceSum { Axes = [0, -1] },
            [
                [2, 3, 4],
            ]
        ),
        (
            "torch.logsumexp(x0, (1,))",
            new ReduceLogSumExp { Axes = [1], KeepDims = false },
            [
                [2, 3, 4],
            ]
        ),
        (
            "x0.norm(dim=1)",
            new ReduceL2 { Axes = [1], KeepDims = false },
            [
                [2, 3, 4],
            ]
        ),
        (
            "x0.transpose(0, 1) @ x1 * 0.5 + x2 * 2",
            new Gemm
            {
                TransposeA = true,
                Alpha = 0.5f,
                Beta = 2,
            },
            [
                [4, 3],
                [4, 5],
                [5],
            ]
        ),
        (
            "x0 @ x1",
            new MatMul(),
            [
                [2, 1, 3, 4],
                [5, 4, 2],
            ]
        ),
        (
            "x0 @ x1",
            new MatMul(),
            [
                [6, 3, 4],
                [4, 2],
            ]
        ),
        (
            "x0 @ x1",
            new MatMul(),
            [
                [4],
                [3, 4, 2],
            ]
        ),
        (
            "x0 @ x1",
            new MatMul(),
            [
                [3, 4],
                [4],
            ]
        ),
        (
            "torch.einsum('bhqd,bhkd->bhqk', x0, x1)",
            new EinsumOf(Equation.Parse("bhqd,bhkd->bhqk")),
            [
                [2, 3, 4, 5],
                [2, 3, 6, 5],
            ]
        ),
        (
            "torch.einsum('ij,jk,kl->il', x0, x1, x2)",
            new EinsumOf(Equation.Parse("ij,jk,kl->il")),
            [
                [2, 3],
                [3, 4],
                [4, 5],
            ]
        ),
        (
            "torch.einsum('...ij,jk->...ki', x0, x1)",
            new EinsumOf(Equation.Parse("...ij, jk -> ...ki")),
            [
                [2, 1, 3, 4],
                [4, 5],
            ]
        ),
        (
            "torch.einsum('...a,...a->...', x0, x1)",
            new EinsumOf(Equation.Parse("...a,...a->...")),
            [
                [2, 3, 4],
                [1, 4],
            ]
        ),
        (
            "torch.einsum('iij->j', x0)",
            new EinsumOf(Equation.Parse("iij->j")),
            [
                [3, 3, 4],
            ]
        ),
        (
            "torch.einsum('ab,ac,ad->bcd', x0, x1, x2)",
            new EinsumOf(Equation.Parse("ab,ac,ad->bcd")),
            [
                [5, 2],
                [5, 3],
                [5, 4],
            ]
        ),
        (
            "torch.einsum('ba,cd', x0, x1)",
            new EinsumOf(Equation.Parse("ba,cd")),
            [
                [2, 3],
                [4, 5],
            ]
        ),
        (
            "F.interpolate(x0, scale_factor=2.0, mode='bilinear', align_corners=False)",
            new Resize
            {
                Scales = [1, 1, 2, 2],
                Sampling = new() { Interpolation = ResizeInterpolation.Linear },
            },
            [
                [1, 2, 3, 4],
            ]
        ),
        (
            "F.interpolate(x0, scale_factor=2.0, mode='bicubic', align_corners=True)",
            new Resize
            {
                Scales = [1, 1, 2, 2],
                Sampling = new() { Interpolation = ResizeInterpolation.Cubic, Coordinates = Coordinates.AlignCorners },
            },
            [
                [1, 2, 4, 5],
            ]
        ),
        (
            "F.interpolate(x0, scale_factor=1.5, mode='nearest')",
            new Resize
            {
                Scales = [1, 1, 1.5f, 1.5f],
                Sampling = new() { Coordinates = Coordinates.Asymmetric, Nearest = NearestMode.Floor },
            },
            [
                [1, 2, 4, 6],
            ]
        ),
        (
            "F.pixel_shuffle(x0, 2)",
            new DepthToSpace(2, ColumnFirst: true),
            [
                [2, 8, 3, 4],
            ]
        ),
    ];

    private const string Program = """
        import sys, torch, torch.nn.functional as F
        torch.set_num_threads(1)
        for row in sys.argv[1].splitlines():
            expression, *shapes = row.split(';')
            x = {}
            for k, shape in enumerate(shapes):
                extents = [int(e) for e in shape.split(',')]
                count = torch.Size(extents).numel()
                x[f'x{k}'] = torch.tensor([((i * 7919 + k * 31) % 17) - 8.0 for i in range(count)], dtype=torch.float64).reshape(extents)
            y = eval(expression, {'torch': torch, 'F': F}, x)
            print(','.join(map(str, y.shape)) + ';' + ' '.join(repr(v) for v in y.flatten().tolist()))
        """;

    [OracleFact(Oracle.PyTorch)]
    public void Operations_compute_what_PyTorch_computes()
    {
        string text = string.Join(
            '\n',
            Rows.Select(static row => $"{row.Expression};{string.Join(';', row.Inputs.Select(static shape => string.Join(',', shape)))}")
        );
        string[] answers = Oracles.RunPython(Program, text).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Rows.Length, answers.Length);
        for (int row = 0; row < Rows.Length; row++)
        {
            (string expression, Operation operation, Shape[] inputs) = Rows[row];
            string[] answer = answers[row].Split(';');
            Tensor<double> y = operation.Apply([.. inputs.Select(Values)])[0].Of<double>();
            Assert.True(answer[0] == string.Join(',', y.Shape), $"{expression} has the shape {y.Shape}, not {answer[0]}.");
            double[] wanted = [.. answer[1].Split(' ').Select(static value => double.Parse(value, CultureInfo.InvariantCulture))];
            for (int i = 0; i < wanted.Length; i++)
                Assert.True(
                    Math.Abs(wanted[i] - y.Values[i]) <= 1e-6 * Math.Max(1, Math.Abs(wanted[i])),
                    $"{expression}[{i}] is {y.Values[i]:R} instead of {wanted[i]:R}."
                );
        }
    }

    private static Tensor Values(Shape shape, int k) =>
        new Tensor<double>(shape, Enumerable.Range(0, shape.ElementCount).Select(i => (i * 7919 + k * 31) % 17 - 8.0).ToArray());
}
