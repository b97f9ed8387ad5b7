using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// scale (x - mean) / √(variance + Epsilon) + shift, mean and variance taken over the axes from <see cref="Axis"/> on; scale and
/// the optional shift stretch to those axes. Further results are the mean and the reciprocal of the deviation.
/// </summary>
public sealed record LayerNormalization(int Axis = -1) : FloatOperation
{
    /// <summary>Added to the variance.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "X"),
            scale = inputs.Floating(1, "Scale");
        int axis = Operands.Axis(Axis, x.Shape.Rank);
        Shape line = [.. x.Shape.Skip(axis)];
        if (!Broadcasting.Reaches(scale.Shape, line))
            throw new ShapeException($"Scale of shape {scale.Shape} does not stretch to {line}.");
        if (inputs.Optional(2) is { } b && !Broadcasting.Reaches(b.Shape, line))
            throw new ShapeException($"B of shape {b.Shape} does not stretch to {line}.");
        Shape moments = [.. x.Shape.Select((extent, a) => a < axis ? extent : 1)];
        return [x with { Value = null }, new(ElementType.Float32, moments), new(ElementType.Float32, moments)];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        Tensor<T>? means = outputs.Length > 1 ? outputs[1].Of<T>() : null,
            inverses = outputs.Length > 2 ? outputs[2].Of<T>() : null;
        int axis = Operands.Axis(Axis, x.Shape.Rank),
            length = x.Shape.ElementCountOf(axis, x.Shape.Rank);
        Shape line = [.. x.Shape.Skip(axis)];
        T[] scale = Broadcasting.Stretched(inputs[1]!.Of<T>(), line).ToArray();
        T[] shift = inputs.Optional(2) is { } b ? Broadcasting.Stretched(b.Of<T>(), line).ToArray() : new T[length];
        workers.For(
            x.Shape.ElementCountOf(0, axis),
            row =>
            {
                Span<T> target = y.Values.Slice(row * length, length);
                (T mean, T variance) = Moments.Of<T>(x.Values.Slice(row * length, length));
                T inverse = T.One / T.Sqrt(variance + T.CreateChecked(Epsilon));
                TensorPrimitives.Subtract(x.Values.Slice(row * length, length), mean, target);
                TensorPrimitives.Multiply(target, inverse, target);
                TensorPrimitives.MultiplyAdd(target, scale, shift, target);
                if (means is not null)
                    means.Values[row] = mean;
                if (inverses is not null)
                    inverses.Values[row] = inverse;
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
        if (pull.Upstream(0) is not { } dy || pull.Upstream(1) is not null || pull.Upstream(2) is not null)
            throw new UnsupportedException("the mean and the deviation of LayerNormalization have no gradient.");
        int axis = Operands.Axis(Axis, dy.Shape.Rank),
            length = dy.Shape.ElementCountOf(axis, dy.Shape.Rank);
        Shape line = [.. dy.Shape.Skip(axis)];
        T[] upstream = new T[length],
            products = new T[length];
        for (int row = 0; row < dy.Shape.ElementCountOf(0, axis); row++)
        {
            dy.Values.Slice(row * length, length).CopyTo(upstream);
            pull.Gradient(2)?.AddStretched<T>(upstream, line);
            if (pull.Gradient(0) is null && pull.Gradient(1) is null)
                continue;
            ReadOnlySpan<T> x = pull.Input(0).Values.Slice(row * length, length);
            (T mean, T variance) = Moments.Of(x);
            T reciprocal = T.One / T.Sqrt(variance + T.CreateChecked(Epsilon));
            for (int i = 0; i < length; i++)
                products[i] = upstream[i] * (x[i] - mean) * reciprocal;
            pull.Gradient(1)?.AddStretched<T>(products, line);
            if (pull.Gradient(0) is not { } dx)
                continue;
            TensorPrimitives.Multiply(upstream, Broadcasting.Stretched(pull.Input(1), line), upstream);
            Moments.Back(x, upstream, mean, reciprocal, reciprocal * reciprocal * reciprocal, dx.Values.Slice(row * length, length));
        }
    }
}
