using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Y = scale (X - mean) / √(variance + Epsilon) + shift, mean and variance taken over every plane of X[n,c,…] by itself.</summary>
public sealed record InstanceNormalization : FloatOperation
{
    /// <summary>Added to the variance.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "input"),
            scale = inputs.Floating(1, "scale"),
            shift = inputs.Floating(2, "B");
        if (x.Shape.Rank < 3)
            throw new ShapeException($"the input needs batch, channels and at least one spatial axis, not the shape {x.Shape}.");
        if (scale.Shape != [x.Shape[1]] || shift.Shape != [x.Shape[1]])
            throw new ShapeException(
                $"scale {scale.Shape} and B {shift.Shape} must have {x.Shape[1]} values, the channels of the input {x.Shape}."
            );
        return [x with { Value = null }];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            scale = inputs[1]!.Of<T>(),
            shift = inputs[2]!.Of<T>();
        int channels = x.Shape[1],
            size = x.Shape.ElementCountOf(2, x.Shape.Rank);
        ChannelPlanes.Scale(
            x,
            outputs[0].Of<T>(),
            plane =>
            {
                (T mean, T variance) = Moments.Of<T>(x.Values.Slice(plane * size, size));
                T factor = scale.Values[plane % channels] / T.Sqrt(variance + T.CreateChecked(Epsilon));
                return (factor, shift.Values[plane % channels] - factor * mean);
            },
            workers
        );
    }

    internal override Reads? GradientReads(int input) =>
        input switch
        {
            0 => Reads.Input(0) | Reads.Input(1),
            1 => Reads.Input(0),
            _ => Reads.Nothing,
        };

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> dy = pull.Dy;
        Shape shape = pull.Shape(0);
        int channels = shape[1],
            size = shape.ElementCountOf(2, shape.Rank);
        T[] upstream = new T[size];
        for (int plane = 0; plane < shape[0] * channels; plane++)
        {
            int channel = plane % channels;
            dy.Values.Slice(plane * size, size).CopyTo(upstream);
            if (pull.Gradient(2) is { } shift)
                shift.Values[channel] += TensorPrimitives.Sum<T>(upstream);
            if (pull.Gradient(0) is null && pull.Gradient(1) is null)
                continue;
            ReadOnlySpan<T> x = pull.Input(0).Values.Slice(plane * size, size);
            (T mean, T variance) = Moments.Of(x);
            T reciprocal = T.One / T.Sqrt(variance + T.CreateChecked(Epsilon));
            if (pull.Gradient(1) is { } scale)
                for (int i = 0; i < size; i++)
                    scale.Values[channel] += upstream[i] * (x[i] - mean) * reciprocal;
            if (pull.Gradient(0) is not { } dx)
                continue;
            TensorPrimitives.Multiply(upstream, pull.Input(1).Values[channel], upstream);
            Moments.Back(x, upstream, mean, reciprocal, reciprocal * reciprocal * reciprocal, dx.Values.Slice(plane * size, size));
        }
    }
}
