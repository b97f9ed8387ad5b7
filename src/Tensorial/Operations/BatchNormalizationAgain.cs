using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// The result of a <see cref="BatchNormalizationInTraining"/> made once more, from its input, scale and shift, and the mean and the
/// reciprocal that it kept: for a gradient that reads the result, which then need not be kept.
/// </summary>
internal sealed record BatchNormalizationAgain : FloatOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) => new BatchNormalization().Infer(inputs);

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>(),
            scale = inputs[1]!.Of<T>(),
            shift = inputs[2]!.Of<T>(),
            mean = inputs[3]!.Of<T>(),
            reciprocal = inputs[4]!.Of<T>();
        int channels = scale.Shape[0],
            size = x.Shape.Rank > 2 ? x.Shape.ElementCountOf(2, x.Shape.Rank) : 1;
        workers.For(
            x.Shape[0] * channels,
            plane =>
            {
                int channel = plane % channels;
                Span<T> target = y.Values.Slice(plane * size, size);
                // The same steps as in training, so that the same bits come out.
                TensorPrimitives.Subtract(x.Values.Slice(plane * size, size), mean.Values[channel], target);
                TensorPrimitives.Multiply(target, scale.Values[channel] * reciprocal.Values[channel], target);
                TensorPrimitives.Add(target, shift.Values[channel], target);
            }
        );
    }
}
