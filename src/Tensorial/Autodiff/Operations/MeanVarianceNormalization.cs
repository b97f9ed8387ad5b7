using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>(x - mean) / deviation, both taken over the given axes together.</summary>
public sealed record MeanVarianceNormalization(ImmutableArray<int> Axes) : FloatOperation
{
    public override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand x = inputs.Floating(0, "X");
        _ = Operands.Axes(Axes, x.Shape.Rank);
        return [x with { Value = null }];
    }

    protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        ImmutableArray<int> axes = Operands.Axes(Axes, x.Shape.Rank);
        int[] order = [.. Enumerable.Range(0, x.Shape.Rank).Except(axes), .. axes.Order()];
        T[] lines = new T[x.Shape.Count];
        Strided.Permute<T>(x.Shape, x.Values, order, lines);
        int length = 1;
        foreach (int axis in axes) length *= x.Shape[axis];
        workers.For(length == 0 ? 0 : lines.Length / length, line =>
        {
            Span<T> values = lines.AsSpan(line * length, length);
            (T mean, T variance) = Moments.Of<T>(values);
            T deviation = T.Sqrt(variance) + T.CreateChecked(1e-9);     // ONNX's guard against equal values
            foreach (ref T value in values) value = (value - mean) / deviation;
        });
        int[] back = new int[order.Length];
        for (int axis = 0; axis < order.Length; axis++) back[order[axis]] = axis;
        Strided.Permute<T>([.. order.Select(axis => x.Shape[axis])], lines, back, outputs[0].Of<T>().Values);
    }
}
