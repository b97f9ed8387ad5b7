using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>An operation whose first result holds the values of its first input, in the same order, perhaps under another shape.</summary>
public abstract record Reshaping : MovingOperation
{
    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        inputs[0]!.Of<T>().Values.CopyTo(outputs[0].Of<T>().Values);

    internal sealed override Reads? GradientReads(int input) => input == 0 ? Reads.Nothing : null;

    private protected sealed override void Backward<T>(in Pullback<T> pull, Workers workers) => pull.Gradient(0)?.Add(pull.Dy.Values);
}

/// <summary>y = x</summary>
public sealed record Identity : Reshaping
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) =>
        [inputs.Required(0, "input") with { Value = null }];
}

/// <summary>Dropout in a network that is not being trained: y = x.</summary>
public sealed record Dropout : Reshaping
{
    /// <summary>The share of values that training would drop.</summary>
    public float Ratio { get; init; } = 0.5f;

    /// <summary>Whether there is a second result that says which values were kept: all.</summary>
    public bool WithMask { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "data") with { Value = null };
        bool training = inputs.Constant(2, "training_mode")?.Single("training_mode").Of<bool>().Values[0] ?? false;
        float ratio = inputs.Optional(1)?.Value is { } given ? given.Single("ratio").Floats("ratio")[0] : Ratio;
        if (training && ratio > 0)
            throw new UnsupportedException("dropout in training mode is random; only inference is supported.");
        return WithMask ? [x, new(ElementType.Bool, x.Shape)] : [x];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        base.Forward<T>(inputs, outputs, workers);
        if (outputs.Length > 1)
            outputs[1].Of<bool>().Values.Fill(true);
    }
}

/// <summary>The axes before <see cref="Axis"/> as one, those from it on as another.</summary>
public sealed record Flatten(int Axis = 1) : Reshaping
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "input");
        int rank = x.Shape.Rank,
            axis = Axis == rank ? rank : Operands.Axis(Axis, rank);
        return [new(x.Type, [x.Shape.ElementCountOf(0, axis), x.Shape.ElementCountOf(axis, rank)])];
    }
}

/// <summary>
/// The same values under another shape: 0 keeps the extent at its place (unless <see cref="AllowZero"/>), one -1 takes what is left.
/// </summary>
public sealed record Reshape : Reshaping
{
    /// <summary>The new extents, where they are not the second input.</summary>
    public ImmutableArray<int>? Extents { get; init; }

    /// <summary>Whether 0 means an extent of 0.</summary>
    public bool AllowZero { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "data");
        int[] extents =
        [
            .. inputs.Constant(1, "shape")?.Integers("shape") ?? Extents ?? throw new BadInputException("input 1 (shape) is missing."),
        ];
        string wanted = string.Join('×', extents);
        int free = -1;
        long known = 1;
        for (int axis = 0; axis < extents.Length; axis++)
        {
            if (extents[axis] == 0 && !AllowZero)
                extents[axis] =
                    axis < x.Shape.Rank
                        ? x.Shape[axis]
                        : throw new ShapeException($"{wanted} keeps axis {axis}, which {x.Shape} does not have.");
            if (extents[axis] == -1 && free < 0)
                free = axis;
            else if (extents[axis] < 0)
                throw new ShapeException($"{wanted} is no shape: only one extent may be -1, and none below.");
            else
                known = Math.Min(known * extents[axis], int.MaxValue);
        }
        if (free >= 0)
            extents[free] = known == 0 ? 0 : (int)(x.Shape.ElementCount / known);
        Shape shape = Shape.From(extents);
        return shape.ElementCount == x.Shape.ElementCount
            ? [new(x.Type, shape)]
            : throw new ShapeException($"{x.Shape} holds {x.Shape.ElementCount} values, which do not fill {wanted}.");
    }
}

/// <summary>Without some axes of extent 1: those of a second input, else <see cref="Axes"/>, else all.</summary>
public sealed record Squeeze : Reshaping
{
    /// <summary>The axes; null where an input gives them or all of extent 1 are meant.</summary>
    public ImmutableArray<int>? Axes { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "data");
        ImmutableArray<int> all = [.. Enumerable.Range(0, x.Shape.Rank)];
        ImmutableArray<int> dropped = (inputs.Constant(1, "axes")?.Integers("axes") ?? Axes) is { } axes
            ? Operands.Axes(axes, x.Shape.Rank)
            : [.. all.Where(axis => x.Shape[axis] == 1)];
        foreach (int axis in dropped)
            if (x.Shape[axis] != 1)
                throw new ShapeException($"axis {axis} of {x.Shape} has extent {x.Shape[axis]}, not 1.");
        return [new(x.Type, [.. all.Except(dropped).Select(axis => x.Shape[axis])])];
    }
}

/// <summary>With axes of extent 1 put in, so that they stand at the places named, of a second input or else <see cref="Axes"/>.</summary>
public sealed record Unsqueeze : Reshaping
{
    /// <summary>More axes than any network has; to find places for them takes their square.</summary>
    private const int MostAxes = 64;

    /// <summary>The axes; null where an input gives them or all of extent 1 are meant.</summary>
    public ImmutableArray<int>? Axes { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "data");
        ImmutableArray<int> axes =
            inputs.Constant(1, "axes")?.Integers("axes") ?? Axes ?? throw new BadInputException("input 1 (axes) is missing.");
        int rank = x.Shape.Rank + axes.Length;
        if (rank > MostAxes)
            throw new ShapeException($"{axes.Length:N0} new axes are more than a tensor may have; at most {MostAxes} are computed with.");
        ImmutableArray<int> places = Operands.Axes(axes, rank);
        Queue<int> rest = new(x.Shape);
        return [new(x.Type, [.. Enumerable.Range(0, rank).Select(axis => places.Contains(axis) ? 1 : rest.Dequeue())])];
    }
}
