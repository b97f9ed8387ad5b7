using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// Y = scale (X - mean) / √(variance + Epsilon) + shift, mean and variance taken over groups of channels of X[n,c,…]. Scale and shift have a
/// value for each channel, or, as operator sets 18 to 20 had it, for each group.
/// </summary>
public sealed record GroupNormalization(int Groups) : FloatOperation
{
    /// <summary>Added to the variance.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary>Whether scale and shift have a value for each group only.</summary>
    public bool ScalesGroups { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "X"),
            scale = inputs.Floating(1, "scale"),
            shift = inputs.Floating(2, "bias");
        if (x.Shape.Rank < 2)
            throw new ShapeException($"the input needs batch and channels, not the shape {x.Shape}.");
        if (Groups < 1 || x.Shape[1] % Groups != 0)
            throw new ShapeException($"{x.Shape[1]} channels do not split into {Groups} groups.");
        int count = ScalesGroups ? Groups : x.Shape[1];
        if (scale.Shape != [count] || shift.Shape != [count])
            throw new ShapeException($"scale {scale.Shape} and bias {shift.Shape} must have {count} values.");
        return [x with { Value = null }];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            scale = inputs[1]!.Of<T>(),
            shift = inputs[2]!.Of<T>(),
            y = outputs[0].Of<T>();
        (int channels, int plane, int size) = Extents(x.Shape);
        workers.For(
            x.Shape[0] * Groups,
            group =>
            {
                (T mean, T variance) = Moments.Of<T>(x.Values.Slice(group * size, size));
                T reciprocal = T.One / T.Sqrt(variance + T.CreateChecked(Epsilon));
                for (int c = 0; c < channels; c++)
                {
                    int at = group * size + c * plane,
                        index = Index(group, c, channels);
                    T factor = scale.Values[index] * reciprocal;
                    Span<T> target = y.Values.Slice(at, plane);
                    TensorPrimitives.Subtract(x.Values.Slice(at, plane), mean, target);
                    TensorPrimitives.Multiply(target, factor, target);
                    TensorPrimitives.Add(target, shift.Values[index], target);
                }
            }
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
        Shape shape = pull.Shape(0);
        (int channels, int plane, int size) = Extents(shape);
        T[] upstream = new T[size];
        for (int group = 0; group < shape[0] * Groups; group++)
        {
            pull.Dy.Values.Slice(group * size, size).CopyTo(upstream);
            bool needsMoments = pull.Gradient(0) is not null || pull.Gradient(1) is not null;
            ReadOnlySpan<T> x = needsMoments ? pull.Input(0).Values.Slice(group * size, size) : default;
            (T mean, T variance) = needsMoments ? Moments.Of(x) : default;
            T reciprocal = T.One / T.Sqrt(variance + T.CreateChecked(Epsilon));
            for (int c = 0; c < channels; c++)
            {
                int index = Index(group, c, channels);
                Span<T> own = upstream.AsSpan(c * plane, plane);
                if (pull.Gradient(2) is { } shift)
                    shift.Values[index] += TensorPrimitives.Sum<T>(own);
                if (pull.Gradient(1) is { } scale)
                    for (int i = 0; i < plane; i++)
                        scale.Values[index] += own[i] * (x[c * plane + i] - mean) * reciprocal;
                if (pull.Gradient(0) is not null)
                    TensorPrimitives.Multiply(own, pull.Input(1).Values[index], own);
            }
            if (pull.Gradient(0) is { } dx)
                Moments.Back(x, upstream, mean, reciprocal, reciprocal * reciprocal * reciprocal, dx.Values.Slice(group * size, size));
        }
    }

    /// <summary>Channels of a group, values of a channel, values of a group.</summary>
    private (int Channels, int Plane, int Size) Extents(Shape shape)
    {
        int channels = shape[1] / Groups,
            plane = shape.ElementCountOf(2, shape.Rank);
        return (channels, plane, channels * plane);
    }

    /// <summary>Which scale a channel has.</summary>
    private int Index(int group, int channel, int channels) => ScalesGroups ? group % Groups : group % Groups * channels + channel;
}
