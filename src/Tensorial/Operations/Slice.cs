using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// Every step-th value from a start up to, not including, an end, along some axes. Inputs 1 to 4 (starts, ends, axes, steps)
/// override the attributes; negative positions count from the end; positions beyond an axis are moved onto it.
/// </summary>
public sealed record Slice : MovingOperation
{
    /// <summary>First index of each axis; null where an input gives it.</summary>
    public ImmutableArray<int>? Starts { get; init; }

    /// <summary>End of each axis, exclusive; null where an input gives it.</summary>
    public ImmutableArray<int>? Ends { get; init; }

    /// <summary>The axes that are sliced; null for the first ones, as many as there are starts.</summary>
    public ImmutableArray<int>? Axes { get; init; }

    /// <summary>Distances between values; negative ones run backwards, null stands for 1.</summary>
    public ImmutableArray<int>? Steps { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "data");
        SliceAxis[] cuts = Resolve(
            x.Shape,
            inputs.Constant(1, "starts"),
            inputs.Constant(2, "ends"),
            inputs.Constant(3, "axes"),
            inputs.Constant(4, "steps")
        );
        return [new(x.Type, [.. cuts.Select(static cut => cut.Count)])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        (int start, int[] strides) = View(x.Shape, inputs);
        Strided.Gather<T>(outputs[0].Shape, x.Values, start, strides, outputs[0].Of<T>().Values);
    }

    /// <summary>What is taken along one axis: every Step-th value from Start on, Count of them.</summary>
    internal readonly record struct SliceAxis(int Start, int Step, int Count);

    internal SliceAxis[] Resolve(Shape shape, Tensor? startsGiven, Tensor? endsGiven, Tensor? axesGiven, Tensor? stepsGiven)
    {
        ImmutableArray<int> starts =
            startsGiven?.Integers("starts") ?? Starts ?? throw new BadInputException("input 1 (starts) is missing.");
        ImmutableArray<int> ends = endsGiven?.Integers("ends") ?? Ends ?? throw new BadInputException("input 2 (ends) is missing.");
        ImmutableArray<int> axes = axesGiven?.Integers("axes") ?? Axes ?? [.. Enumerable.Range(0, starts.Length)];
        axes = Operands.Axes(axes, shape.Rank);
        ImmutableArray<int> steps = stepsGiven?.Integers("steps") ?? Steps ?? [.. Enumerable.Repeat(1, starts.Length)];
        if (ends.Length != starts.Length || axes.Length != starts.Length || steps.Length != starts.Length)
            throw new ShapeException(
                $"{starts.Length} starts, {ends.Length} ends, {axes.Length} axes and {steps.Length} steps do not belong together."
            );
        SliceAxis[] cuts = [.. shape.Select(static extent => new SliceAxis(0, 1, extent))];
        for (int i = 0; i < axes.Length; i++)
            cuts[axes[i]] = Resolve(shape[axes[i]], starts[i], ends[i], steps[i]);
        return cuts;
    }

    private static SliceAxis Resolve(int extent, long start, long end, int step)
    {
        if (step == 0)
            throw new ShapeException("a slice cannot advance by steps of 0.");
        if (start < 0)
            start += extent;
        if (end < 0)
            end += extent;
        if (step > 0)
        {
            start = Math.Clamp(start, 0, extent);
            end = Math.Clamp(end, start, extent);
            return new((int)start, step, (int)((end - start + step - 1) / step));
        }
        start = Math.Clamp(start, -1, extent - 1);
        end = Math.Clamp(end, -1, start);
        return new((int)Math.Max(start, 0), step, (int)((start - end - step - 1) / -(long)step));
    }

    internal override Reads? GradientReads(int input) => input == 0 ? new Reads(0b11110, 0) : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        (int start, int[] strides) = View(dx.Shape, pull.Inputs);
        Strided.Add<T>(pull.Dy.Shape, pull.Dy.Values, 0, pull.Dy.Shape.Strides(), dx.Values, start, strides);
    }

    /// <summary>The slice as a view of the whole: where it starts and how far its neighbours lie apart.</summary>
    private (int Start, int[] Strides) View(Shape shape, ReadOnlySpan<Tensor?> inputs)
    {
        SliceAxis[] cuts = Resolve(shape, inputs.Optional(1), inputs.Optional(2), inputs.Optional(3), inputs.Optional(4));
        int[] strides = shape.Strides();
        int start = 0;
        for (int axis = 0; axis < cuts.Length; axis++)
        {
            start += cuts[axis].Start * strides[axis];
            strides[axis] *= cuts[axis].Step;
        }
        return (start, strides);
    }
}
