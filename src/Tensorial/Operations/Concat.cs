using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>The inputs one behind another along an axis.</summary>
public sealed record Concat(int Axis) : MovingOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo first = inputs.Required(0, "inputs");
        int axis = Operands.Axis(Axis, first.Shape.Rank);
        long extent = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            ValueInfo next = inputs.Required(i, "inputs");
            Operands.SameType(first, next);
            if (next.Shape.Rank != first.Shape.Rank || next.Shape.With(axis, 0) != first.Shape.With(axis, 0))
                throw new ShapeException($"{first.Shape} and {next.Shape} differ in more than axis {axis}.");
            extent += next.Shape[axis];
        }
        return [new(first.Type, first.Shape.With(axis, (int)Math.Min(extent, int.MaxValue)))];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> y = outputs[0].Of<T>();
        int axis = Operands.Axis(Axis, y.Shape.Rank),
            start = 0;
        int outer = y.Shape.ElementCountOf(0, axis),
            row = y.Shape.ElementCountOf(axis, y.Shape.Rank);
        foreach (Tensor? input in inputs)
        {
            ReadOnlySpan<T> values = input!.Of<T>().Values;
            int length = input!.Shape.ElementCountOf(axis, y.Shape.Rank);
            for (int i = 0; i < outer; i++)
                values.Slice(i * length, length).CopyTo(y.Values[(i * row + start)..]);
            start += length;
        }
    }

    internal override Reads? GradientReads(int input) => Reads.Nothing;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> dy = pull.Dy;
        int axis = Operands.Axis(Axis, dy.Shape.Rank),
            start = 0;
        int[] strides = dy.Shape.Strides();
        for (int input = 0; input < pull.Inputs.Length; input++)
        {
            Shape part = pull.Shape(input);
            if (pull.Gradient(input) is { } dx)
                Strided.Add<T>(part, dy.Values, start, strides, dx.Values, 0, part.Strides());
            start += part[axis] * strides[axis];
        }
    }
}
