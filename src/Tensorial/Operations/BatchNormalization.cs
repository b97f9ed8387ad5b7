using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// Y = scale (X - mean) / √(variance + Epsilon) + shift, each of the four given per channel (axis 1): the form for inference.
/// </summary>
public sealed record BatchNormalization : FloatOperation
{
    /// <summary>Added to the variance.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "X");
        int channels = x.Shape.Rank > 1 ? x.Shape[1] : 1;
        string[] names = ["scale", "B", "mean", "var"];
        for (int i = 0; i < names.Length; i++)
            if (inputs.Floating(i + 1, names[i]).Shape is var shape && shape != [channels])
                throw new ShapeException($"{names[i]} has the shape {shape} instead of {channels}, the channels of the input {x.Shape}.");
        return [x with { Value = null }];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        Tensor<T> scale = inputs[1]!.Of<T>(),
            shift = inputs[2]!.Of<T>(),
            mean = inputs[3]!.Of<T>(),
            variance = inputs[4]!.Of<T>();
        int channels = scale.Shape[0];
        ChannelPlanes.Scale(
            x,
            y,
            plane =>
            {
                int channel = plane % channels;
                T factor = scale.Values[channel] / T.Sqrt(variance.Values[channel] + T.CreateChecked(Epsilon));
                return (factor, shift.Values[channel] - factor * mean.Values[channel]);
            },
            workers
        );
    }

    internal override Reads? GradientReads(int input) =>
        input switch
        {
            0 => Reads.Input(1) | Reads.Input(4),
            1 => Reads.Input(0) | Reads.Input(3) | Reads.Input(4),
            2 => Reads.Nothing,
            3 => Reads.Input(1) | Reads.Input(4),
            _ => Reads.Input(0) | Reads.Input(1) | Reads.Input(3) | Reads.Input(4),
        };

    /// <summary>With mean and variance as given, not as taken from X.</summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> dy = pull.Dy;
        int channels = pull.Shape(2)[0],
            planes = dy.Shape.ElementCountOf(0, Math.Min(2, dy.Shape.Rank)),
            size = dy.Shape.ElementCount / Math.Max(1, planes);
        for (int plane = 0; plane < planes; plane++)
        {
            int channel = plane % channels;
            ReadOnlySpan<T> upstream = dy.Values.Slice(plane * size, size);
            T sum = TensorPrimitives.Sum(upstream);
            if (pull.Gradient(2) is { } shift)
                shift.Values[channel] += sum;
            if (pull.Inputs[4] is null)
                continue;
            T reciprocal = T.One / T.Sqrt(pull.Input(4).Values[channel] + T.CreateChecked(Epsilon));
            T factor = pull.Inputs[1] is null ? reciprocal : reciprocal * pull.Input(1).Values[channel];
            if (pull.Gradient(0) is { } dx)
            {
                Span<T> sums = dx.Values.Slice(plane * size, size);
                TensorPrimitives.MultiplyAdd(upstream, factor, sums, sums);
            }
            if (pull.Gradient(3) is { } mean)
                mean.Values[channel] -= factor * sum;
            if (pull.Gradient(1) is null && pull.Gradient(4) is null)
                continue;
            T along = TensorPrimitives.Dot(upstream, pull.Input(0).Values.Slice(plane * size, size)) - sum * pull.Input(3).Values[channel];
            if (pull.Gradient(1) is { } scale)
                scale.Values[channel] += reciprocal * along;
            if (pull.Gradient(4) is { } variance)
                variance.Values[channel] -= T.CreateChecked(0.5) * factor * reciprocal * reciprocal * along;
        }
    }
}
