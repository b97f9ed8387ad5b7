using System.Buffers;
using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Tensorial.Onnx;

/// <summary>The bytes of a tensor as ONNX stores them, little-endian and row-major.</summary>
internal static class TensorBytes
{
    /// <summary>Values moved at a time: the bytes of a large tensor would not fit one span.</summary>
    private const int Chunk = 1 << 20;

    public static long Count(Tensor tensor) => (long)tensor.Shape.ElementCount * tensor.ElementType.Size();

    /// <summary>The bytes without a copy, as long as the tensor lives and nobody writes to it. Not for tensors of 2 GB and more.</summary>
    public static ByteString View(Tensor tensor)
    {
        if (BitConverter.IsLittleEndian)
            return UnsafeByteOperations.UnsafeWrap(new Owner(tensor).Memory);
        MemoryStream copy = new();
        Write(tensor, copy);
        return ByteString.CopyFrom(copy.ToArray());
    }

    public static void Write(Tensor tensor, Stream stream)
    {
        for (int first = 0; first < tensor.Shape.ElementCount; first += Chunk)
        {
            Span<byte> bytes = tensor.Bytes(first, Math.Min(Chunk, tensor.Shape.ElementCount - first));
            if (!BitConverter.IsLittleEndian)
                ReverseEach(bytes = bytes.ToArray(), tensor.ElementType.Size());
            stream.Write(bytes);
        }
    }

    /// <summary>Fills a tensor with the next bytes of a stream.</summary>
    /// <exception cref="EndOfStreamException">There are too few.</exception>
    public static void Read(Stream stream, Tensor tensor)
    {
        for (int first = 0; first < tensor.Shape.ElementCount; first += Chunk)
        {
            Span<byte> bytes = tensor.Bytes(first, Math.Min(Chunk, tensor.Shape.ElementCount - first));
            stream.ReadExactly(bytes);
            Settle(bytes, tensor.ElementType);
        }
    }

    /// <summary>Fills a tensor with exactly its bytes.</summary>
    public static void Read(ReadOnlySpan<byte> stored, Tensor tensor)
    {
        Span<byte> bytes = tensor.Bytes(0, tensor.Shape.ElementCount);
        stored.CopyTo(bytes);
        Settle(bytes, tensor.ElementType);
    }

    /// <summary>Brings stored bytes into this machine's order. A truth value that is not 0 counts as 1, whatever else was stored.</summary>
    private static void Settle(Span<byte> bytes, ElementType type)
    {
        if (!BitConverter.IsLittleEndian)
            ReverseEach(bytes, type.Size());
        if (type != ElementType.Bool)
            return;
        foreach (ref byte value in bytes)
            value = value == 0 ? (byte)0 : (byte)1;
    }

    private static void ReverseEach(Span<byte> bytes, int size)
    {
        for (int at = 0; at < bytes.Length; at += size)
            bytes.Slice(at, size).Reverse();
    }

    /// <summary>A tensor over stored bytes, without a copy; null where they have to be brought into this machine's order or form.</summary>
    public static Tensor? Over(ByteString stored, ElementType type, Shape shape) =>
        !BitConverter.IsLittleEndian
            ? null
            : type switch
            {
                ElementType.Float32 => new Tensor<float>(shape, new Values<float>(stored).Memory),
                ElementType.Float64 => new Tensor<double>(shape, new Values<double>(stored).Memory),
                ElementType.Float16 => new Tensor<Half>(shape, new Values<Half>(stored).Memory),
                _ => null,
            };

    /// <summary>Bytes that a parser has read for us alone, as numbers.</summary>
    private sealed class Values<T>(ByteString stored) : MemoryManager<T>
        where T : unmanaged
    {
        public override Memory<T> Memory => CreateMemory(MemoryMarshal.Cast<byte, T>(stored.Span).Length);

        public override Span<T> GetSpan()
        {
            ReadOnlySpan<T> numbers = MemoryMarshal.Cast<byte, T>(stored.Span);
            return MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(numbers), numbers.Length);
        }

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException("The bytes of a file are not pinned.");

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }

    private sealed class Owner(Tensor tensor) : MemoryManager<byte>
    {
        public override Memory<byte> Memory => CreateMemory(checked((int)Count(tensor)));

        public override Span<byte> GetSpan() => tensor.Bytes(0, tensor.Shape.ElementCount);

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException("The bytes of a tensor are not pinned.");

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}
