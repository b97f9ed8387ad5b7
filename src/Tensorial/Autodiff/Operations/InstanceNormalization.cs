using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>Y = scale (X - mean) / √(variance + Epsilon) + shift, mean and variance taken over every plane of X[n,c,…] by itself.</summary>
public sealed record InstanceNormalization : FloatOperation
{
    public float Epsilon { get; init; } = 1e-5f;

    public override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand x = inputs.Floating(0, "input"), scale = inputs.Floating(1, "scale"), shift = inputs.Floating(2, "B");
        if (x.Shape.Rank < 3)
            throw new ShapeException($"the input needs batch, channels and at least one spatial axis, not the shape {x.Shape}.");
        if (scale.Shape != [x.Shape[1]] || shift.Shape != [x.Shape[1]])
            throw new ShapeException($"scale {scale.Shape} and B {shift.Shape} must have {x.Shape[1]} values, the channels of the input {x.Shape}.");
        return [x with { Value = null }];
    }

    protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(), scale = inputs[1]!.Of<T>(), shift = inputs[2]!.Of<T>();
        int channels = x.Shape[1], size = x.Shape.CountOf(2, x.Shape.Rank);
        ChannelPlanes.Scale(x, outputs[0].Of<T>(), plane =>
        {
            (T mean, T variance) = Moments.Of<T>(x.Values.Slice(plane * size, size));
            T factor = scale.Values[plane % channels] / T.Sqrt(variance + T.CreateChecked(Epsilon));
            return (factor, shift.Values[plane % channels] - factor * mean);
        }, workers);
    }
}
