using System.Collections.Immutable;

namespace Tensorial.Operations;

/// <summary>Reading an operation's inputs; every failure names the input.</summary>
internal static class Operands
{
    public static ValueInfo Required(this ReadOnlySpan<ValueInfo?> inputs, int index, string name) =>
        inputs.Optional(index) ?? throw new BadInputException($"input {index} ({name}) is missing.");

    public static ValueInfo? Optional(this ReadOnlySpan<ValueInfo?> inputs, int index) => index < inputs.Length ? inputs[index] : null;

    public static Tensor? Optional(this ReadOnlySpan<Tensor?> inputs, int index) => index < inputs.Length ? inputs[index] : null;

    /// <summary>The value of an optional input that decides a shape.</summary>
    /// <exception cref="UnsupportedException">The input is there but not constant.</exception>
    public static Tensor? Constant(this ReadOnlySpan<ValueInfo?> inputs, int index, string name) =>
        inputs.Optional(index) is { } operand
            ? operand.Value
                ?? throw new UnsupportedException(
                    $"input {index} ({name}) decides the result's shape and must be a constant, but is computed."
                )
            : null;

    /// <summary>An input of floating-point numbers.</summary>
    public static ValueInfo Floating(this ReadOnlySpan<ValueInfo?> inputs, int index, string name)
    {
        ValueInfo operand = inputs.Required(index, name);
        return operand.Type.IsFloating()
            ? operand
            : throw new BadInputException($"input {index} ({name}) must hold floating-point numbers, not {operand.Type}.");
    }

    /// <summary>An input of numbers of any kind.</summary>
    public static ValueInfo Numeric(this ReadOnlySpan<ValueInfo?> inputs, int index, string name)
    {
        ValueInfo operand = inputs.Required(index, name);
        return operand.Type != ElementType.Bool
            ? operand
            : throw new BadInputException($"input {index} ({name}) must hold numbers, not {operand.Type}.");
    }

    /// <summary>An input of truth values.</summary>
    public static ValueInfo Truth(this ReadOnlySpan<ValueInfo?> inputs, int index, string name)
    {
        ValueInfo operand = inputs.Required(index, name);
        return operand.Type == ElementType.Bool
            ? operand
            : throw new BadInputException($"input {index} ({name}) must hold truth values, not {operand.Type}.");
    }

    /// <summary>An input of a given number of axes.</summary>
    public static ValueInfo OfRank(this ValueInfo operand, int rank, string name) =>
        operand.Shape.Rank == rank ? operand : throw new ShapeException($"{name} must have {rank} axes, not the shape {operand.Shape}.");

    /// <summary>Refuses two operands of different types.</summary>
    public static void SameType(ValueInfo x, ValueInfo y)
    {
        if (x.Type != y.Type)
            throw new BadInputException($"the operands have different types, {x.Type} and {y.Type}.");
    }

    public static bool IsFloating(this ElementType type) =>
        type is ElementType.Float32 or ElementType.Float64 or ElementType.Float16 or ElementType.BFloat16;

    /// <summary>
    /// Whole numbers that say extents, axes or positions. Out of 32 bits they are clamped, as "to the end" is written as a huge number.
    /// </summary>
    public static ImmutableArray<int> Integers(this Tensor tensor, string name) =>
        tensor switch
        {
            Tensor<long> values => [.. values.Memory.ToArray().Select(static v => (int)Math.Clamp(v, int.MinValue, int.MaxValue))],
            Tensor<int> values => [.. values.Values],
            _ => throw new BadInputException($"input '{name}' must hold Int32 or Int64 numbers, not {tensor.ElementType}."),
        };

    /// <summary>A tensor of one value.</summary>
    public static Tensor Single(this Tensor tensor, string name) =>
        tensor.Shape.ElementCount == 1
            ? tensor
            : throw new ShapeException($"input '{name}' must be a single value, not of shape {tensor.Shape}.");

    /// <summary>Floating-point numbers as float32.</summary>
    public static ImmutableArray<float> Floats(this Tensor tensor, string name) =>
        tensor.ElementType.IsFloating()
            ? [.. tensor.To(ElementType.Float32).Of<float>().Values]
            : throw new BadInputException($"input '{name}' must hold floating-point numbers, not {tensor.ElementType}.");

    /// <summary>An axis counted from the end when negative, as one counted from the start.</summary>
    /// <exception cref="ShapeException">There is no such axis.</exception>
    public static int Axis(int axis, int rank) =>
        axis >= -rank && axis < rank
            ? axis < 0
                ? axis + rank
                : axis
            : throw new ShapeException($"axis {axis} does not exist in a tensor of {rank} axes.");

    /// <summary>Axes counted from the start, in the order given.</summary>
    /// <exception cref="ShapeException">One does not exist or comes twice.</exception>
    public static ImmutableArray<int> Axes(ImmutableArray<int> axes, int rank)
    {
        ImmutableArray<int> positive = [.. axes.Select(axis => Axis(axis, rank))];
        return positive.Distinct().Count() == positive.Length
            ? positive
            : throw new ShapeException($"the axes {string.Join(", ", axes)} name one axis twice.");
    }
}
