using System.Globalization;
using Tensorial.Operations;
using Workers = Tensorial.Kernels.Workers;

namespace Tensorial.Tests.Operations;

/// <summary>Gradients in float32 against PyTorch's, for every expression that <see cref="TorchTests"/> compares the values of.</summary>
public class GradientTorchTests
{
    private static readonly (string Expression, Operation Operation, Shape[] Inputs)[] Rows =
    [
        .. TorchTests.Rows,
        (
            "F.batch_norm(x0, None, None, x1, x2, training=True, eps=0.1) + 0 * (x3.sum() + x4.sum())",
            new BatchNormalizationInTraining { Epsilon = 0.1f },
            [
                [4, 3, 5, 5],
                [3],
                [3],
                [3],
                [3],
            ]
        ),
        (
            "F.relu(x0)",
            new Relu(),
            [
                [3, 7],
            ]
        ),
        (
            "F.softplus(x0)",
            new Softplus(),
            [
                [40],
            ]
        ),
        (
            "torch.cat((x0, x1), 1)",
            new Concat(1),
            [
                [2, 3, 2],
                [2, 1, 2],
            ]
        ),
        (
            "x0.clamp(-2.5, 3.5)",
            new Clip(-2.5f, 3.5f),
            [
                [17],
            ]
        ),
        (
            "F.adaptive_avg_pool2d(x0, 1)",
            new GlobalAveragePool(),
            [
                [2, 3, 4, 5],
            ]
        ),
        (
            "F.adaptive_max_pool2d(x0, 1)",
            new GlobalMaxPool(),
            [
                [2, 3, 4, 4],
            ]
        ),
        (
            "F.mish(x0)",
            new Mish(),
            [
                [40],
            ]
        ),
        (
            "x0 * x1",
            new Mul(),
            [
                [2, 3, 4],
                [3, 1],
            ]
        ),
    ];

    private const string Program = """
        import sys, torch, torch.nn.functional as F
        torch.set_num_threads(1)
        def made(extents, k, past):
            count = torch.Size(extents).numel()
            values = torch.tensor([((i * 7919 + k * 31) % past) - 8.0 for i in range(count)], dtype=torch.float32)
            return values.reshape(extents)
        for row in sys.argv[1].splitlines():
            expression, *shapes = row.split(';')
            x = {f'x{k}': made([int(e) for e in shape.split(',')], k, 17).requires_grad_() for k, shape in enumerate(shapes)}
            if expression.startswith('F.batch_norm(x0, x3'):
                x['x3'], x['x4'] = x['x3'].detach(), x['x4'].detach()
            y = eval(expression, {'torch': torch, 'F': F}, x)
            y.backward(made(y.shape, 5, 13))
            print(';'.join(' '.join(repr(v) for v in t.grad.flatten().tolist()) if t.grad is not None else '' for t in x.values()))
        """;

    [OracleFact(Oracle.PyTorch)]
    public void Gradients_are_those_of_PyTorch()
    {
        string text = string.Join(
            '\n',
            Rows.Select(static row => $"{row.Expression};{string.Join(';', row.Inputs.Select(static shape => string.Join(',', shape)))}")
        );
        string[] answers = Oracles.RunPython(Program, text).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Rows.Length, answers.Length);
        for (int row = 0; row < Rows.Length; row++)
        {
            (string expression, Operation operation, Shape[] shapes) = Rows[row];
            Tensor<float>[] inputs = [.. shapes.Select(static (shape, k) => Made(shape, k, 17))];
            Tensor[] outputs = operation.Apply(inputs);
            Tensor?[] upstream = [.. outputs.Select(static (y, k) => k == 0 ? Made(y.Shape, 5, 13) : null)];
            Tensor<float>[] gradients = [.. shapes.Select(static shape => new Tensor<float>(shape))];
            operation.Backward(new(shapes, inputs, outputs, upstream, gradients), Workers.Serial);

            string[] answer = answers[row].Split(';');
            for (int k = 0; k < gradients.Length; k++)
            {
                float[] wanted =
                [
                    .. answer[k]
                        .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                        .Select(static v => float.Parse(v, CultureInfo.InvariantCulture)),
                ];
                // A value that PyTorch holds to be a constant, or whose gradient our operation does not have.
                if (wanted.Length == 0 || operation.GradientReads(k) is null)
                    continue;
                float scale = wanted.Max(Math.Abs);
                for (int i = 0; i < wanted.Length; i++)
                    Assert.True(
                        Math.Abs(wanted[i] - gradients[k].Values[i]) <= 1e-4f * Math.Max(scale, 1e-3f),
                        $"{expression}, operand {k}[{i}]: {gradients[k].Values[i]:R} instead of {wanted[i]:R}."
                    );
            }
        }
    }

    private static Tensor<float> Made(Shape shape, int k, int past) =>
        new(shape, Enumerable.Range(0, shape.ElementCount).Select(i => (i * 7919 + k * 31) % past - 8f).ToArray());
}
