namespace Tensorial;

/// <summary>The types a tensor's values may have.</summary>
public enum ElementType
{
    Float32,
    Float64,
    Float16,
    BFloat16,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Bool,
}

/// <summary>
/// Sixteen bits of a float32: its sign, exponent and first seven bits of fraction. Storage only; arithmetic is done in float32.
/// </summary>
public readonly record struct BFloat16(ushort Bits)
{
    public static explicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value.Bits << 16);

    /// <summary>Rounds to nearest, ties to even; NaN stays NaN.</summary>
    public static explicit operator BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? new((ushort)(bits >> 16 | 0x40)) : new((ushort)(bits + 0x7FFF + (bits >> 16 & 1) >> 16));
    }
}

internal static class ElementTypes
{
    /// <summary>The element type that stands for <typeparamref name="T"/>.</summary>
    public static ElementType Of<T>()
        where T : unmanaged =>
        default(T) switch
        {
            float => ElementType.Float32,
            double => ElementType.Float64,
            Half => ElementType.Float16,
            BFloat16 => ElementType.BFloat16,
            sbyte => ElementType.Int8,
            short => ElementType.Int16,
            int => ElementType.Int32,
            long => ElementType.Int64,
            byte => ElementType.UInt8,
            ushort => ElementType.UInt16,
            uint => ElementType.UInt32,
            ulong => ElementType.UInt64,
            bool => ElementType.Bool,
            _ => throw new ArgumentException($"{typeof(T)} is not a tensor element type."),
        };

    /// <summary>Bytes a value takes.</summary>
    public static int Size(this ElementType type) =>
        type switch
        {
            ElementType.Float64 or ElementType.Int64 or ElementType.UInt64 => 8,
            ElementType.Float32 or ElementType.Int32 or ElementType.UInt32 => 4,
            ElementType.Float16 or ElementType.BFloat16 or ElementType.Int16 or ElementType.UInt16 => 2,
            _ => 1,
        };
}
