using System.Runtime.InteropServices;

namespace Tensorial;

/// <summary>NumPy's .npy files: one array each.</summary>
public static class NpyFile
{
    /// <summary>Values moved at a time: the bytes of a large tensor would not fit one span.</summary>
    private const int Chunk = 1 << 20;

    /// <summary>
    /// Reads an array of numbers or booleans, little or big endian, in C or Fortran order (which becomes C order). Versions 1 to 3.
    /// </summary>
    /// <exception cref="BadInputException">Not such a file, or shorter or longer than its header says.</exception>
    public static Tensor Read(string path)
    {
        using FileStream file = InputFile.Open(path);
        return Read(file, path, file.Length);
    }

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="stream">The file's bytes, from the first.</param>
    /// <param name="name">What messages call the file.</param>
    /// <param name="longest">More bytes than this the stream cannot have; a header that declares more is refused before memory is
    /// taken.</param>
    public static Tensor Read(Stream stream, string name, long longest = long.MaxValue)
    {
        NpyHeader header = NpyHeader.Read(stream, name);
        long bytes = (long)header.Shape.ElementCount * header.Type.Size();
        if (bytes > longest)
        {
            throw new BadInputException(
                $"'{name}' declares {header.Type} values of shape {header.Shape}, which take {bytes:N0} bytes; "
                    + $"the file has at most {longest:N0}."
            );
        }
        return header.Type switch
        {
            ElementType.Float16 => Read<Half>(stream, name, header),
            ElementType.Float32 => Read<float>(stream, name, header),
            ElementType.Float64 => Read<double>(stream, name, header),
            ElementType.Int8 => Read<sbyte>(stream, name, header),
            ElementType.Int16 => Read<short>(stream, name, header),
            ElementType.Int32 => Read<int>(stream, name, header),
            ElementType.Int64 => Read<long>(stream, name, header),
            ElementType.UInt8 => Read<byte>(stream, name, header),
            ElementType.UInt16 => Read<ushort>(stream, name, header),
            ElementType.UInt32 => Read<uint>(stream, name, header),
            ElementType.UInt64 => Read<ulong>(stream, name, header),
            _ => Read<bool>(stream, name, header),
        };
    }

    /// <summary>Writes a tensor in C order, whole or not at all.</summary>
    /// <exception cref="UnsupportedException">NumPy has no such element type: BFloat16.</exception>
    public static void Write(Tensor tensor, string path) => AtomicFile.Write(path, stream => Write(tensor, stream));

    /// <inheritdoc cref="Write(Tensor, string)"/>
    public static void Write(Tensor tensor, Stream stream)
    {
        NpyHeader.Write(stream, tensor.ElementType, tensor.Shape);
        switch (tensor)
        {
            case Tensor<Half> values:
                Write(values, stream);
                break;
            case Tensor<float> values:
                Write(values, stream);
                break;
            case Tensor<double> values:
                Write(values, stream);
                break;
            case Tensor<sbyte> values:
                Write(values, stream);
                break;
            case Tensor<short> values:
                Write(values, stream);
                break;
            case Tensor<int> values:
                Write(values, stream);
                break;
            case Tensor<long> values:
                Write(values, stream);
                break;
            case Tensor<byte> values:
                Write(values, stream);
                break;
            case Tensor<ushort> values:
                Write(values, stream);
                break;
            case Tensor<uint> values:
                Write(values, stream);
                break;
            case Tensor<ulong> values:
                Write(values, stream);
                break;
            case Tensor<bool> values:
                Write(values, stream);
                break;
        }
    }

    private static void Write<T>(Tensor<T> tensor, Stream stream)
        where T : unmanaged
    {
        for (Span<T> rest = tensor.Values; !rest.IsEmpty; rest = rest[Math.Min(Chunk, rest.Length)..])
            stream.Write(MemoryMarshal.AsBytes(rest[..Math.Min(Chunk, rest.Length)]));
    }

    private static Tensor<T> Read<T>(Stream stream, string name, NpyHeader header)
        where T : unmanaged
    {
        Tensor<T> stored = new(header.Shape);
        for (Span<T> rest = stored.Values; !rest.IsEmpty; rest = rest[Math.Min(Chunk, rest.Length)..])
        {
            Span<byte> bytes = MemoryMarshal.AsBytes(rest[..Math.Min(Chunk, rest.Length)]);
            if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            {
                throw new BadInputException(
                    $"'{name}' ends before the last of the {header.Shape.ElementCount:N0} values of its shape " + $"{header.Shape}."
                );
            }
            if (header.IsBigEndian)
                ReverseEach(bytes, header.Type.Size());
            if (header.Type == ElementType.Bool && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
                throw new BadInputException($"'{name}' holds booleans that are neither 0 nor 1.");
        }
        if (stream.ReadByte() >= 0)
            throw new BadInputException($"'{name}' goes on after the {header.Shape.ElementCount:N0} values of its shape {header.Shape}.");
        return header.IsFortranOrder && header.Shape.Rank > 1 ? ToRowMajor(stored) : stored;
    }

    private static void ReverseEach(Span<byte> bytes, int size)
    {
        for (int start = 0; start < bytes.Length; start += size)
            bytes.Slice(start, size).Reverse();
    }

    /// <summary>Values stored with the first axis fastest, moved to where they belong with the last axis fastest.</summary>
    private static Tensor<T> ToRowMajor<T>(Tensor<T> stored)
        where T : unmanaged
    {
        Tensor<T> result = new(stored.Shape);
        int[] strides = new int[stored.Shape.Rank];
        for (int axis = 0, stride = 1; axis < strides.Length; stride *= stored.Shape[axis++])
            strides[axis] = stride;
        Strided.Gather<T>(stored.Shape, stored.Values, 0, strides, result.Values);
        return result;
    }
}
