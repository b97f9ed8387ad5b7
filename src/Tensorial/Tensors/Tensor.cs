using System.Runtime.InteropServices;

namespace Tensorial;

/// <summary>A dense block of values, row-major and contiguous. Its shape never changes; its values may.</summary>
public abstract class Tensor
{
    private protected Tensor(Shape shape) => Shape = shape;

    /// <summary>Extents.</summary>
    public Shape Shape { get; }

    /// <summary>Type of the values.</summary>
    public abstract ElementType ElementType { get; }

    /// <summary>The same values under another shape of equal count. Memory is shared.</summary>
    /// <exception cref="ShapeException">The counts differ.</exception>
    public abstract Tensor As(Shape shape);

    /// <summary>This tensor with its element type known.</summary>
    /// <exception cref="ShapeException">The values are of another type.</exception>
    public Tensor<T> Of<T>()
        where T : unmanaged =>
        this as Tensor<T> ?? throw new ShapeException($"A tensor of {ElementTypes.Of<T>()} was expected, not one of {ElementType}.");

    /// <summary>Bytes of some of the values, in this machine's order; a large tensor has more than fit one span.</summary>
    internal abstract Span<byte> Bytes(int first, int count);

    /// <summary>The same values in memory of their own.</summary>
    public abstract Tensor Clone();

    /// <summary>A tensor of zeros.</summary>
    public static Tensor Zeros(ElementType type, Shape shape) =>
        type switch
        {
            ElementType.Float32 => new Tensor<float>(shape),
            ElementType.Float64 => new Tensor<double>(shape),
            ElementType.Float16 => new Tensor<Half>(shape),
            ElementType.BFloat16 => new Tensor<BFloat16>(shape),
            ElementType.Int8 => new Tensor<sbyte>(shape),
            ElementType.Int16 => new Tensor<short>(shape),
            ElementType.Int32 => new Tensor<int>(shape),
            ElementType.Int64 => new Tensor<long>(shape),
            ElementType.UInt8 => new Tensor<byte>(shape),
            ElementType.UInt16 => new Tensor<ushort>(shape),
            ElementType.UInt32 => new Tensor<uint>(shape),
            ElementType.UInt64 => new Tensor<ulong>(shape),
            _ => new Tensor<bool>(shape),
        };

    /// <inheritdoc/>
    public override string ToString() => $"{ElementType} {Shape}";
}

/// <inheritdoc cref="Tensor"/>
public sealed class Tensor<T> : Tensor
    where T : unmanaged
{
    private readonly Memory<T> _memory;

    /// <summary>A tensor of zeros.</summary>
    public Tensor(Shape shape)
        : this(shape, new T[shape.ElementCount]) { }

    /// <summary>A tensor over existing memory, which it shares.</summary>
    /// <exception cref="ShapeException">The memory does not hold exactly the values the shape asks for.</exception>
    public Tensor(Shape shape, Memory<T> values)
        : base(shape)
    {
        if (values.Length != shape.ElementCount)
            throw new ShapeException($"A tensor of shape {shape} holds {shape.ElementCount:N0} values, not {values.Length:N0}.");
        _memory = values;
    }

    /// <inheritdoc/>
    public override ElementType ElementType => ElementTypes.Of<T>();

    /// <summary>The values in row-major order.</summary>
    public Memory<T> Memory => _memory;

    /// <summary>The values in row-major order.</summary>
    public Span<T> Values => _memory.Span;

    /// <inheritdoc/>
    public override Tensor<T> As(Shape shape) => new(shape, _memory);

    /// <summary>Some entries of the first axis, in the same memory.</summary>
    public Tensor<T> Rows(int first, int count)
    {
        int row = Shape.ElementCount / Shape[0];
        return new(Shape.With(0, count), _memory.Slice(first * row, count * row));
    }

    internal override Span<byte> Bytes(int first, int count) => MemoryMarshal.AsBytes(Values.Slice(first, count));

    /// <summary>A copy with memory of its own.</summary>
    public override Tensor<T> Clone() => new(Shape, Values.ToArray());
}
