using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>(x - mean) / deviation, both taken over the given axes together.</summary>
public sealed record MeanVarianceNormalization(ImmutableArray<int> Axes) : FloatOperation
{
    /// <summary>What ONNX adds to the deviation, against equal values.</summary>
    private const double Guard = 1e-9;

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "X");
        _ = Operands.Axes(Axes, x.Shape.Rank);
        return [x with { Value = null }];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        (int[] order, int length) = Lines(x.Shape);
        T[] lines = new T[x.Shape.ElementCount];
        Strided.Permute<T>(x.Shape, x.Values, order, lines);
        workers.For(
            length == 0 ? 0 : lines.Length / length,
            line =>
            {
                Span<T> values = lines.AsSpan(line * length, length);
                (T mean, T variance) = Moments.Of<T>(values);
                T deviation = T.Sqrt(variance) + T.CreateChecked(Guard);
                foreach (ref T value in values)
                    value = (value - mean) / deviation;
            }
        );
        int[] back = new int[order.Length];
        for (int axis = 0; axis < order.Length; axis++)
            back[order[axis]] = axis;
        Strided.Permute<T>([.. order.Select(axis => x.Shape[axis])], lines, back, outputs[0].Of<T>().Values);
    }

    internal override Reads? GradientReads(int input) => Reads.Input(0);

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        (int[] order, int length) = Lines(dx.Shape);
        T[] x = new T[dx.Shape.ElementCount],
            dy = new T[x.Length],
            lines = new T[x.Length];
        Strided.Permute<T>(dx.Shape, pull.Input(0).Values, order, x);
        Strided.Permute<T>(dx.Shape, pull.Dy.Values, order, dy);
        for (int start = 0; start < x.Length; start += length)
        {
            (T mean, T variance) = Moments.Of<T>(x.AsSpan(start, length));
            T deviation = T.Sqrt(variance),
                r = T.One / (deviation + T.CreateChecked(Guard)),
                b = T.IsZero(deviation) ? T.Zero : r * r / deviation;
            Moments.Back(x.AsSpan(start, length), dy.AsSpan(start, length), mean, r, b, lines.AsSpan(start, length));
        }
        int[] strides = dx.Shape.Strides();
        Shape shape = [.. order.Select(axis => dx.Shape[axis])];
        Strided.Add<T>(shape, lines, 0, shape.Strides(), dx.Values, 0, [.. order.Select(axis => strides[axis])]);
    }

    /// <summary>The axes with those that are normalised together last, and how many values those hold.</summary>
    private (int[] Order, int Length) Lines(Shape shape)
    {
        ImmutableArray<int> axes = Operands.Axes(Axes, shape.Rank);
        return (
            [.. Enumerable.Range(0, shape.Rank).Except(axes), .. axes.Order()],
            axes.Aggregate(1, (count, axis) => count * shape[axis])
        );
    }
}
