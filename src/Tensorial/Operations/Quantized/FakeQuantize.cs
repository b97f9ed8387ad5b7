using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// y = min(max(round(x / scale), low), high) · scale: a <see cref="QuantizeLinear"/> of all values with one scale, and the
/// <see cref="DequantizeLinear"/> behind it, as one function. Halves round to even.
/// </summary>
/// <param name="Scale">Width of the grid.</param>
/// <param name="Low">The least integer less the zero point.</param>
/// <param name="High">The largest integer less the zero point.</param>
internal sealed record FakeQuantize(float Scale, int Low, int High) : FloatOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) => [inputs.Floating(0, "x") with { Value = null }];

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        if (inputs[0] is Tensor<float> x)
            Elementwise.Map<float, float>(x, outputs[0].Of<float>(), (from, to) => Rounding.ToGrid(from, to, Scale, Low, High), workers);
        else
            Elementwise.Map<T, T>(
                inputs[0]!.Of<T>(),
                outputs[0].Of<T>(),
                (from, to) =>
                {
                    T scale = T.CreateChecked(Scale);
                    TensorPrimitives.Divide(from, scale, to);
                    TensorPrimitives.Clamp(to, T.CreateChecked(Low), T.CreateChecked(High), to);
                    TensorPrimitives.Round<T>(to, to);
                    TensorPrimitives.Multiply(to, scale, to);
                },
                workers
            );
    }
}
