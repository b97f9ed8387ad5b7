namespace Tensorial.Operations;

/// <summary>What the quantised operations share.</summary>
internal static class Quantization
{
    /// <summary>Values that one task of a loop over threads takes.</summary>
    public const int Piece = 1 << 16;

    /// <summary>Values that are kept on the stack at once.</summary>
    public const int Step = 1024;

    public static bool IsInteger(ElementType type) =>
        type is ElementType.Int8 or ElementType.UInt8 or ElementType.Int16 or ElementType.UInt16;

    public static void CheckZero(ValueInfo zero, ValueInfo scale, string name)
    {
        if (zero.Shape != scale.Shape && (zero.Shape.ElementCount != 1 || scale.Shape.ElementCount != 1))
            throw new ShapeException($"{name} has the shape {zero.Shape}, its scale {scale.Shape}.");
    }

    /// <summary>An operand of 8-bit integers.</summary>
    public static ValueInfo Bytes(ReadOnlySpan<ValueInfo?> inputs, int index, string name)
    {
        ValueInfo operand = inputs.Required(index, name);
        return operand.Type is ElementType.Int8 or ElementType.UInt8
            ? operand
            : throw new BadInputException($"input {index} ({name}) must hold 8-bit integers, not {operand.Type}.");
    }

    /// <summary>A scale, which stands before its zero point: one number, or one for each position along an axis of a given extent.</summary>
    public static void CheckScale(ReadOnlySpan<ValueInfo?> inputs, int index, string name, int extent, ElementType? type = null)
    {
        ValueInfo scale = inputs.Required(index, name);
        if (scale.Type != ElementType.Float32)
            throw new BadInputException($"input {index} ({name}) must hold Float32 numbers, not {scale.Type}.");
        CheckExtents(scale, index, name, extent);
        if (inputs.Optional(index + 1) is not { } zero)
            return;
        CheckExtents(zero, index + 1, $"zero point of {name}", extent);
        if (type is { } wanted && zero.Type != wanted)
            throw new BadInputException($"input {index + 1} (the zero point) must be of {wanted}, not of {zero.Type}.");
    }

    /// <summary>Refuses numbers that are neither one for all nor one for each position along an axis.</summary>
    public static void CheckExtents(ValueInfo operand, int index, string name, int extent)
    {
        if (operand.Shape.ElementCount != 1 && operand.Shape.ElementCount != extent)
            throw new ShapeException($"input {index} ({name}) has the shape {operand.Shape}; one value or {extent} were expected.");
    }

    /// <summary>x - zero point as floating-point numbers, which hold such integers exactly. Zero points stretch to the values.</summary>
    public static Tensor Centred(Tensor values, Tensor? zero, Shape? zeroShape, ElementType type)
    {
        Tensor wide = values.To(type);
        return zero is null ? wide : new Sub().Apply(wide, zero.To(type).As(zeroShape ?? []))[0];
    }

    /// <summary>The type in which a sum of so many products of centred bytes is exact.</summary>
    public static ElementType ExactFor(long products) => products <= (1 << 24) / (255 * 255) ? ElementType.Float32 : ElementType.Float64;

    /// <summary>The scale or zero point of an operand; [] for one value, else along an axis of a tensor of some rank.</summary>
    public static Shape Along(Tensor tensor, int axis, int rank)
    {
        if (tensor.Shape.ElementCount == 1)
            return [];
        int[] extents = new int[rank];
        Array.Fill(extents, 1);
        extents[axis] = tensor.Shape.ElementCount;
        return Shape.From(extents);
    }
}
