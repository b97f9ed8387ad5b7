using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>The input stretched together with the shape that the second input, or else <see cref="Extents"/>, names.</summary>
public sealed record Expand : MovingOperation
{
    /// <summary>Extents to broadcast to; null where an input gives them.</summary>
    public ImmutableArray<int>? Extents { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "input");
        ImmutableArray<int> extents =
            inputs.Constant(1, "shape")?.Integers("shape") ?? Extents ?? throw new BadInputException("input 1 (shape) is missing.");
        return [new(x.Type, Broadcasting.Join(x.Shape, Shape.From(extents.AsSpan())))];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Broadcasting.Stretched(inputs[0]!.Of<T>(), outputs[0].Shape).CopyTo(outputs[0].Of<T>().Values);

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Nothing : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers) =>
        pull.Gradient(0)?.AddStretched(pull.Dy.Values, pull.Dy.Shape);
}

/// <summary>The input repeated along every axis, as many times as the second input, or else <see cref="Repeats"/>, says.</summary>
public sealed record Tile : MovingOperation
{
    /// <summary>Repetitions of each axis; null where an input gives them.</summary>
    public ImmutableArray<int>? Repeats { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "input");
        ImmutableArray<int> repeats =
            inputs.Constant(1, "repeats")?.Integers("repeats") ?? Repeats ?? throw new BadInputException("input 1 (repeats) is missing.");
        if (repeats.Length != x.Shape.Rank)
            throw new ShapeException($"{repeats.Length} repeats do not fit the input {x.Shape}.");
        return [new(x.Type, [.. x.Shape.Select((extent, axis) => (int)Math.Clamp((long)extent * repeats[axis], -1, int.MaxValue))])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        Shape target = outputs[0].Shape;
        if (target.ElementCount == 0)
            return;
        Strided.Gather<T>(Split(target, x.Shape), x.Values, 0, Folded(x.Shape), outputs[0].Of<T>().Values);
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Nothing : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { Shape.ElementCount: > 0 } dx)
            return;
        Shape split = Split(pull.Dy.Shape, dx.Shape);
        Strided.Add<T>(split, pull.Dy.Values, 0, split.Strides(), dx.Values, 0, Folded(dx.Shape));
    }

    /// <summary>Every axis of the result in two: how often, and where.</summary>
    private static Shape Split(Shape target, Shape x) => [.. target.SelectMany((extent, axis) => new[] { extent / x[axis], x[axis] })];

    private static int[] Folded(Shape x) => [.. x.Strides().SelectMany(static stride => new[] { 0, stride })];
}
