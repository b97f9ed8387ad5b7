using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>The input stretched together with the shape that the second input, or else <see cref="Extents"/>, names.</summary>
public sealed record Expand : MovingOperation
{
    public ImmutableArray<int>? Extents { get; init; }

    public override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand x = inputs.Required(0, "input");
        ImmutableArray<int> extents = inputs.Constant(1, "shape")?.Integers("shape") ?? Extents
            ?? throw new BadInputException("input 1 (shape) is missing.");
        return [new(x.Type, Broadcasting.Join(x.Shape, Shape.Of(extents.AsSpan())))];
    }

    protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Broadcasting.Stretched(inputs[0]!.Of<T>(), outputs[0].Shape).CopyTo(outputs[0].Of<T>().Values);
}

/// <summary>The input repeated along every axis, as many times as the second input, or else <see cref="Repeats"/>, says.</summary>
public sealed record Tile : MovingOperation
{
    public ImmutableArray<int>? Repeats { get; init; }

    public override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand x = inputs.Required(0, "input");
        ImmutableArray<int> repeats = inputs.Constant(1, "repeats")?.Integers("repeats") ?? Repeats
            ?? throw new BadInputException("input 1 (repeats) is missing.");
        if (repeats.Length != x.Shape.Rank) throw new ShapeException($"{repeats.Length} repeats do not fit the input {x.Shape}.");
        return [new(x.Type, [.. x.Shape.Select((extent, axis) => (int)Math.Clamp((long)extent * repeats[axis], -1, int.MaxValue))])];
    }

    /// <summary>Every axis splits in two, how often and where, and is read with stride 0 along the first.</summary>
    protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        Shape target = outputs[0].Shape;
        if (target.Count == 0) return;
        int[] strides = x.Shape.Strides();
        Strided.Gather<T>([.. target.SelectMany((extent, axis) => new[] { extent / x.Shape[axis], x.Shape[axis] })],
            x.Values, 0, [.. strides.SelectMany(static stride => new[] { 0, stride })], outputs[0].Of<T>().Values);
    }
}
