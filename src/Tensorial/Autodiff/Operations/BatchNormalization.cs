using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>
/// Y = scale (X - mean) / √(variance + Epsilon) + shift, each of the four given per channel (axis 1): the form for inference.
/// </summary>
public sealed record BatchNormalization : FloatOperation
{
    public float Epsilon { get; init; } = 1e-5f;

    public override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand x = inputs.Floating(0, "X");
        int channels = x.Shape.Rank > 1 ? x.Shape[1] : 1;
        string[] names = ["scale", "B", "mean", "var"];
        for (int i = 0; i < names.Length; i++)
            if (inputs.Floating(i + 1, names[i]).Shape is var shape && shape != [channels])
                throw new ShapeException($"{names[i]} has the shape {shape} instead of {channels}, the channels of the input {x.Shape}.");
        return [x with { Value = null }];
    }

    protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(), y = outputs[0].Of<T>();
        Tensor<T> scale = inputs[1]!.Of<T>(), shift = inputs[2]!.Of<T>(), mean = inputs[3]!.Of<T>(), variance = inputs[4]!.Of<T>();
        int channels = scale.Shape[0];
        ChannelPlanes.Scale(x, y, plane =>
        {
            int channel = plane % channels;
            T factor = scale.Values[channel] / T.Sqrt(variance.Values[channel] + T.CreateChecked(Epsilon));
            return (factor, shift.Values[channel] - factor * mean.Values[channel]);
        }, workers);
    }
}
