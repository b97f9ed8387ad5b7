using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>y = scale x / √(mean of x² + Epsilon), the mean taken over the axes from <see cref="Axis"/> on; scale stretches to those
/// axes.</summary>
public sealed record RmsNormalization(int Axis = -1) : FloatOperation
{
    /// <inheritdoc/>
    public override string Name => "RMSNormalization";

    /// <summary>Added to the variance.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "X"),
            scale = inputs.Floating(1, "scale");
        Shape line = [.. x.Shape.Skip(Operands.Axis(Axis, x.Shape.Rank))];
        return Broadcasting.Reaches(scale.Shape, line)
            ? [x with { Value = null }]
            : throw new ShapeException($"scale of shape {scale.Shape} does not stretch to {line}.");
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        int axis = Operands.Axis(Axis, x.Shape.Rank),
            length = x.Shape.ElementCountOf(axis, x.Shape.Rank);
        T[] scale = Broadcasting.Stretched(inputs[1]!.Of<T>(), [.. x.Shape.Skip(axis)]).ToArray();
        workers.For(
            x.Shape.ElementCountOf(0, axis),
            row =>
            {
                Span<T> target = y.Values.Slice(row * length, length);
                ReadOnlySpan<T> values = x.Values.Slice(row * length, length);
                TensorPrimitives.Multiply(values, Reciprocal(values), target);
                TensorPrimitives.Multiply(target, scale, target);
            }
        );
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Input(0) | Reads.Input(1) : Reads.Input(0);

    /// <summary>With r the reciprocal and g = scale dy: dx = r g - r³ x mean(g x).</summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        int axis = Operands.Axis(Axis, pull.Dy.Shape.Rank),
            length = pull.Dy.Shape.ElementCountOf(axis, pull.Dy.Shape.Rank);
        Shape line = [.. pull.Dy.Shape.Skip(axis)];
        T[] g = new T[length];
        for (int row = 0; row < pull.Dy.Shape.ElementCountOf(0, axis); row++)
        {
            ReadOnlySpan<T> x = pull.Input(0).Values.Slice(row * length, length),
                dy = pull.Dy.Values.Slice(row * length, length);
            T r = Reciprocal(x);
            if (pull.Gradient(1) is { } scale)
            {
                TensorPrimitives.Multiply(dy, x, g);
                TensorPrimitives.Multiply<T>(g, r, g);
                scale.AddStretched<T>(g, line);
            }
            if (pull.Gradient(0) is not { } dx)
                continue;
            TensorPrimitives.Multiply(dy, Broadcasting.Stretched(pull.Input(1), line), g);
            T b = r * r * r * TensorPrimitives.Dot(g, x) / T.CreateChecked(length);
            for (int i = 0; i < length; i++)
                dx.Values[row * length + i] += r * g[i] - b * x[i];
        }
    }

    private T Reciprocal<T>(ReadOnlySpan<T> values)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T> =>
        T.One / T.Sqrt(TensorPrimitives.SumOfSquares(values) / T.CreateChecked(values.Length) + T.CreateChecked(Epsilon));
}
