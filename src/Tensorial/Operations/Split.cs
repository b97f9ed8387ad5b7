using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>An input cut into consecutive parts along an axis, the inverse of <see cref="Concat"/>.</summary>
/// <param name="Parts">How many results there are.</param>
/// <param name="Axis">The axis that is cut.</param>
public sealed record Split(int Parts, int Axis = 0) : MovingOperation
{
    /// <summary>
    /// Extents of the parts, unless a second input gives them; null for equal parts, the last one smaller where it must be.
    /// </summary>
    public ImmutableArray<int>? Sizes { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "input");
        int axis = Operands.Axis(Axis, x.Shape.Rank),
            extent = x.Shape[axis];
        if (Parts < 1)
            throw new ShapeException("a split must have at least one part.");
        int size = (extent + Parts - 1) / Parts;
        ImmutableArray<int> sizes =
            inputs.Constant(1, "split")?.Integers("split")
            ?? Sizes
            ?? [.. Enumerable.Range(0, Parts).Select(part => Math.Clamp(extent - part * size, 0, size))];
        if (sizes.Length != Parts || sizes.Any(static s => s < 0) || sizes.Sum(static s => (long)s) != extent)
            throw new ShapeException($"parts of {string.Join(", ", sizes)} do not make up {Parts} parts of axis {axis} of {x.Shape}.");
        return [.. sizes.Select(part => new ValueInfo(x.Type, x.Shape.With(axis, part)))];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        int axis = Operands.Axis(Axis, x.Shape.Rank),
            start = 0;
        int outer = x.Shape.ElementCountOf(0, axis),
            row = x.Shape.ElementCountOf(axis, x.Shape.Rank);
        foreach (Tensor output in outputs)
        {
            Span<T> values = output.Of<T>().Values;
            int length = output.Shape.ElementCountOf(axis, x.Shape.Rank);
            for (int i = 0; i < outer; i++)
                x.Values.Slice(i * row + start, length).CopyTo(values[(i * length)..]);
            start += length;
        }
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Input(1) : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        ValueInfo whole = new(dx.ElementType, dx.Shape);
        ImmutableArray<ValueInfo> parts = Infer([whole, pull.Inputs.Optional(1) is { } sizes ? ValueInfo.From(sizes) : null]);
        int[] strides = dx.Shape.Strides();
        int axis = Operands.Axis(Axis, dx.Shape.Rank),
            start = 0;
        for (int part = 0; part < parts.Length; part++)
        {
            Shape shape = parts[part].Shape;
            if (pull.Upstream(part) is { } dy)
                Strided.Add<T>(shape, dy.Values, 0, shape.Strides(), dx.Values, start, strides);
            start += shape[axis] * strides[axis];
        }
    }
}
