using System.Buffers.Binary;
using System.IO.Compression;

namespace Tensorial.Data;

/// <summary>
/// Reads IDX files of bytes, as MNIST comes in: two zero bytes, the element type, the number of axes, every extent as a big-endian 32-bit
/// number, then the values, last axis fastest. See http://yann.lecun.com/exdb/mnist.
/// </summary>
internal static class IdxFile
{
    private const byte UnsignedByte = 0x08;

    /// <summary>Reads a file, unpacking it if its name ends in .gz.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rank">Axes it must have.</param>
    /// <param name="limit">At most so many entries along the first axis are read.</param>
    /// <exception cref="BadInputException">Not an IDX file of bytes with these axes, or shorter or longer than its header says.</exception>
    public static Tensor<byte> Read(string path, Range rank, int limit = int.MaxValue)
    {
        using FileStream file = InputFile.Open(path);
        if (!path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            return Read(file, path, file.Length, rank, limit);
        using GZipStream unpacked = new(file, CompressionMode.Decompress);
        return Read(unpacked, path, file.Length * Deflate.MostExpansion, rank, limit);
    }

    /// <inheritdoc cref="Read(string, Range, int)"/>
    /// <param name="stream">The unpacked bytes, from the first.</param>
    /// <param name="name">What messages call the file.</param>
    /// <param name="longest">More bytes than this the stream cannot have, whatever the header says.</param>
    /// <param name="rank">As above.</param>
    /// <param name="limit">As above.</param>
    internal static Tensor<byte> Read(Stream stream, string name, long longest, Range rank, int limit)
    {
        try
        {
            int[] extents = ReadHeader(stream, name, rank);
            long entry = 1;
            for (int axis = 1; axis < extents.Length; axis++)
                entry = Math.Min(entry * extents[axis], int.MaxValue + 1L);
            UInt128 declared = (UInt128)extents[0] * (UInt128)entry + (UInt128)(4 + 4 * extents.Length);
            if (declared > (UInt128)longest)
            {
                throw new BadInputException(
                    $"'{name}' declares the shape {string.Join('×', extents)}, which takes {declared:N0} bytes; "
                        + $"the file has at most {longest:N0}."
                );
            }

            bool whole = extents[0] <= limit;
            extents[0] = Math.Min(extents[0], limit);
            Tensor<byte> values = new(Shape.From(extents));
            int read = stream.ReadAtLeast(values.Values, values.Values.Length, throwOnEndOfStream: false);
            if (read < values.Values.Length)
            {
                throw new BadInputException(
                    $"'{name}' ends early: {read:N0} of {values.Values.Length:N0} values for the shape " + $"{values.Shape}."
                );
            }
            if (whole && stream.ReadByte() >= 0)
                throw new BadInputException($"'{name}' goes on after the {values.Values.Length:N0} values of its shape {values.Shape}.");
            return values;
        }
        catch (InvalidDataException broken)
        {
            throw new BadInputException($"'{name}' is not an intact gzip file: {broken.Message}", broken);
        }
    }

    private static int[] ReadHeader(Stream stream, string name, Range rank)
    {
        Span<byte> start = stackalloc byte[4];
        if (stream.ReadAtLeast(start, 4, throwOnEndOfStream: false) < 4)
            throw new BadInputException($"'{name}' is too short for an IDX file.");
        if (start[0] != 0 || start[1] != 0)
            throw new BadInputException($"'{name}' is not an IDX file: it starts with {Convert.ToHexString(start)}, not with 0000.");
        if (start[2] != UnsignedByte)
        {
            throw new UnsupportedException(
                $"'{name}' holds {TypeName(start[2])} (IDX type {start[2]:x2}); images and labels in IDX "
                    + "files must be unsigned bytes (08)."
            );
        }
        if (start[3] < rank.Start.Value || start[3] > rank.End.Value)
        {
            string wanted = rank.Start.Equals(rank.End) ? $"{rank.Start}" : $"{rank.Start} or {rank.End}";
            throw new BadInputException($"'{name}' has {start[3]} axes; {wanted} were expected.");
        }

        int[] extents = new int[start[3]];
        for (int axis = 0; axis < extents.Length; axis++)
        {
            if (stream.ReadAtLeast(start, 4, throwOnEndOfStream: false) < 4)
                throw new BadInputException($"'{name}' ends inside its header.");
            uint extent = BinaryPrimitives.ReadUInt32BigEndian(start);
            if (extent is 0 or > int.MaxValue)
                throw new BadInputException($"'{name}' declares the extent {extent:N0} for axis {axis}.");
            extents[axis] = (int)extent;
        }
        return extents;
    }

    private static string TypeName(byte type) =>
        type switch
        {
            0x09 => "signed bytes",
            0x0B => "16-bit integers",
            0x0C => "32-bit integers",
            0x0D => "32-bit floats",
            0x0E => "64-bit floats",
            _ => "an unknown element type",
        };
}
