using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>What padding is made of.</summary>
public enum PadMode
{
    /// <summary>One value.</summary>
    Constant,

    /// <summary>The values mirrored at the edge, which is not repeated.</summary>
    Reflect,

    /// <summary>The value at the edge.</summary>
    Edge,

    /// <summary>The values from the other end, as if the tensor repeated.</summary>
    Wrap,
}

/// <summary>
/// Values added around a tensor, or cropped from it where an amount is negative. Inputs 1 to 3 (pads, value, axes) override the attributes.
/// </summary>
public sealed record Pad : MovingOperation
{
    /// <summary>Amounts before every axis, then behind every one.</summary>
    public ImmutableArray<int>? Pads { get; init; }

    /// <summary>What the border is filled with.</summary>
    public PadMode Mode { get; init; }

    /// <summary>What a constant padding is made of.</summary>
    public float Value { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "data");
        (int Begin, int End)[] pads = Resolve(x.Shape, inputs.Constant(1, "pads"), inputs.Constant(3, "axes"));
        int[] extents = new int[pads.Length];
        for (int axis = 0; axis < pads.Length; axis++)
        {
            (int begin, int end) = pads[axis];
            long extent = (long)x.Shape[axis] + begin + end;
            extents[axis] = extent is >= 0 and <= int.MaxValue
                ? (int)extent
                : throw new ShapeException($"padding {begin} and {end} leaves an extent of {extent} along axis {axis} of {x.Shape}.");
            bool tooFar = Mode switch
            {
                PadMode.Reflect => Math.Max(begin, end) is var most and > 0 && most >= x.Shape[axis],
                PadMode.Edge or PadMode.Wrap => x.Shape[axis] == 0 && extent > 0,
                _ => false,
            };
            if (tooFar)
                throw new ShapeException($"axis {axis} of {x.Shape} has too few values for a {Mode} padding of {begin} and {end}.");
        }
        return [new(x.Type, Shape.From(extents))];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        (int Begin, int End)[] pads = Resolve(x.Shape, inputs.Optional(1), inputs.Optional(3));
        Tensor constant = inputs.Optional(2)?.Single("constant_value") ?? new Tensor<float>([], new[] { Value });
        T fill = constant.To(y.ElementType).Of<T>().Values[0];
        int[][] sources = [.. pads.Select((pad, axis) => Sources(pad.Begin, x.Shape[axis], y.Shape[axis]))];
        int rank = pads.Length;
        (int First, int End) inside = rank == 0 ? default : Inside(pads[^1].Begin, x.Shape[^1], y.Shape[^1]);
        if (rank == 0)
            y.Values[0] = x.Values[0];
        else
            Fill(0, 0, 0);

        void Fill(int axis, int from, int to)
        {
            int inner = y.Shape.ElementCountOf(axis + 1, rank),
                step = x.Shape.ElementCountOf(axis + 1, rank);
            for (int i = 0; i < y.Shape[axis]; i++)
            {
                int source = sources[axis][i];
                if (source < 0)
                {
                    y.Values.Slice(to + i * inner, inner).Fill(fill);
                }
                else if (axis + 1 < rank)
                {
                    Fill(axis + 1, from + source * step, to + i * inner);
                }
                else if (i == inside.First)
                {
                    int count = inside.End - i;
                    x.Values.Slice(from + source, count).CopyTo(y.Values.Slice(to + i, count));
                    i += count - 1;
                }
                else
                {
                    y.Values[to + i] = x.Values[from + source];
                }
            }
        }
    }

    /// <summary>Where the values of a row lie in the padded one; empty where padding crops all of them.</summary>
    private static (int First, int End) Inside(int begin, int extent, int padded)
    {
        int first = Math.Max(0, begin),
            end = Math.Min(padded, begin + extent);
        return first < end ? (first, end) : (int.MaxValue, int.MaxValue);
    }

    /// <summary>Where along an axis of the input each value of the result comes from; -1 for the constant.</summary>
    private int[] Sources(int begin, int extent, int padded) =>
        [
            .. Enumerable
                .Range(-begin, padded)
                .Select(i =>
                    Mode switch
                    {
                        PadMode.Edge => Math.Clamp(i, 0, extent - 1),
                        PadMode.Wrap => (i % extent + extent) % extent,
                        PadMode.Reflect => i < 0 ? -i
                        : i >= extent ? 2 * (extent - 1) - i
                        : i,
                        _ => i >= 0 && i < extent ? i : -1,
                    }
                ),
        ];

    internal (int Begin, int End)[] Resolve(Shape shape, Tensor? padsGiven, Tensor? axesGiven)
    {
        ImmutableArray<int> pads = padsGiven?.Integers("pads") ?? Pads ?? throw new BadInputException("input 1 (pads) is missing.");
        ImmutableArray<int> axes = axesGiven is null
            ? [.. Enumerable.Range(0, shape.Rank)]
            : Operands.Axes(axesGiven.Integers("axes"), shape.Rank);
        if (pads.Length != 2 * axes.Length)
            throw new ShapeException($"pads has {pads.Length} values where {axes.Length} axes ask for {2 * axes.Length}.");
        var resolved = new (int, int)[shape.Rank];
        for (int i = 0; i < axes.Length; i++)
            resolved[axes[i]] = (pads[i], pads[i + axes.Length]);
        return resolved;
    }

    internal override Reads? GradientReads(int input) => input is 0 or 2 ? new Reads(0b1010, 0) : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> dy = pull.Dy;
        Shape shape = pull.Shape(0);
        Tensor<T>? dx = pull.Gradient(0),
            constant = pull.Gradient(2);
        (int Begin, int End)[] pads = Resolve(shape, pull.Inputs.Optional(1), pull.Inputs.Optional(3));
        int[][] sources = [.. pads.Select((pad, axis) => Sources(pad.Begin, shape[axis], dy.Shape[axis]))];
        int rank = pads.Length;
        (int First, int End) inside = rank == 0 ? default : Inside(pads[^1].Begin, shape[^1], dy.Shape[^1]);
        if (rank == 0 && dx is not null)
            dx.Values[0] += dy.Values[0];
        if (rank > 0)
            Gather(0, 0, 0);

        void Gather(int axis, int to, int from)
        {
            int inner = dy.Shape.ElementCountOf(axis + 1, rank),
                step = shape.ElementCountOf(axis + 1, rank);
            for (int i = 0; i < dy.Shape[axis]; i++)
            {
                int source = sources[axis][i];
                if (source < 0)
                {
                    if (constant is not null)
                        constant.Values[0] += TensorPrimitives.Sum<T>(dy.Values.Slice(from + i * inner, inner));
                }
                else if (axis + 1 < rank)
                {
                    Gather(axis + 1, to + source * step, from + i * inner);
                }
                else if (dx is not null)
                {
                    int count = i == inside.First ? inside.End - i : 1;
                    Span<T> target = dx.Values.Slice(to + source, count);
                    TensorPrimitives.Add(target, dy.Values.Slice(from + i, count), target);
                    i += count - 1;
                }
            }
        }
    }
}
