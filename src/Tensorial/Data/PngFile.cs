using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Tensorial.Data;

/// <summary>
/// Reads PNG images of 8 bits a channel: grey, grey with alpha, RGB, RGBA; not interlaced, no palette. See the PNG specification
/// (https://www.w3.org/TR/png-3).
/// </summary>
internal static class PngFile
{
    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    private readonly record struct Header(int Width, int Height, int Channels)
    {
        public int RowBytes => Width * Channels;
    }

    /// <summary>The pixels as [height, width, channels].</summary>
    /// <exception cref="BadInputException">Not such a file, or damaged: every chunk's checksum is checked.</exception>
    public static Tensor<byte> Read(string path) => Read(InputFile.ReadBytes(path), path);

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="file">The file's bytes.</param>
    /// <param name="name">What messages call the file.</param>
    public static Tensor<byte> Read(ReadOnlyMemory<byte> file, string name)
    {
        if (!file.Span.StartsWith(Signature))
        {
            throw new BadInputException(
                $"'{name}' is not a PNG file: it starts with " + $"{Convert.ToHexString(file.Span[..Math.Min(8, file.Length)])}."
            );
        }
        Header? header = null;
        using MemoryStream packed = new();
        for (int offset = Signature.Length; ; )
        {
            (string type, ReadOnlyMemory<byte> data) = Chunk(file, offset, name);
            offset += 12 + data.Length;
            switch (type)
            {
                case "IHDR" when header is null:
                    header = ReadHeader(data.Span, name);
                    break;
                case "IHDR":
                    throw new BadInputException($"'{name}' has a second header.");
                case var _ when header is null:
                    throw new BadInputException($"'{name}' starts with the chunk {type} instead of IHDR.");
                case "IDAT":
                    packed.Write(data.Span);
                    break;
                case "IEND":
                    return Unpack(packed, header.Value, name);
                case "PLTE":
                    break; // A suggestion for screens with few colours; the pixels do not need it.
                case var _ when char.IsAsciiLetterUpper(type[0]):
                    throw new UnsupportedException($"'{name}' needs the chunk {type}, which is not known.");
            }
        }
    }

    /// <summary>A chunk is its length, its type in four letters, its data, and the checksum of type and data.</summary>
    private static (string Type, ReadOnlyMemory<byte> Data) Chunk(ReadOnlyMemory<byte> file, int offset, string name)
    {
        ReadOnlyMemory<byte> rest = file[offset..];
        if (rest.Length < 12)
            throw new BadInputException($"'{name}' ends at offset {file.Length:N0}, before its last chunk.");
        uint length = BinaryPrimitives.ReadUInt32BigEndian(rest.Span);
        if (length > rest.Length - 12)
        {
            throw new BadInputException(
                $"'{name}' has a chunk at offset {offset:N0} that declares {length:N0} bytes; the file has "
                    + $"{rest.Length - 12:N0} more."
            );
        }
        string type = Encoding.Latin1.GetString(rest.Span.Slice(4, 4));
        uint declared = BinaryPrimitives.ReadUInt32BigEndian(rest.Span[(8 + (int)length)..]);
        uint actual = Crc32.Append(0, rest.Span.Slice(4, 4 + (int)length));
        if (actual != declared)
        {
            throw new BadInputException(
                $"'{name}' is damaged: the chunk at offset {offset:N0} has the checksum {actual:x8}, the file " + $"says {declared:x8}."
            );
        }
        return (type, rest.Slice(8, (int)length));
    }

    private static Header ReadHeader(ReadOnlySpan<byte> data, string name)
    {
        if (data.Length != 13)
            throw new BadInputException($"'{name}' has a header of {data.Length} bytes instead of 13.");
        uint width = BinaryPrimitives.ReadUInt32BigEndian(data),
            height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        (int depth, int color, int compression, int filter, int interlace) = (data[8], data[9], data[10], data[11], data[12]);
        int channels = color switch
        {
            0 => 1,
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 0,
        };
        if (depth != 8 || channels == 0 || compression != 0 || filter != 0 || interlace != 0)
        {
            throw new UnsupportedException(
                $"'{name}' has bit depth {depth}, colour type {color}, compression {compression}, "
                    + $"filter {filter} and interlacing {interlace}; 8 bits, colour types 0, 2, 4 and 6, and zero for the others can be read."
            );
        }
        if (width == 0 || height == 0 || (UInt128)width * height * (uint)channels + height > (UInt128)Array.MaxLength)
        {
            throw new BadInputException(
                $"'{name}' declares {width:N0} × {height:N0} pixels of {channels} channels, " + "which is nothing or too much."
            );
        }
        return new((int)width, (int)height, channels);
    }

    private static Tensor<byte> Unpack(MemoryStream packed, Header header, string name)
    {
        long declared = (long)header.Height * (header.RowBytes + 1);
        if (declared > packed.Length * Deflate.MostExpansion)
        {
            throw new BadInputException(
                $"'{name}' declares {declared:N0} bytes of pixels; its {packed.Length:N0} packed bytes cannot " + "hold so many."
            );
        }
        packed.Position = 0;
        using ZLibStream unpacked = new(packed, CompressionMode.Decompress);
        Tensor<byte> pixels = new([header.Height, header.Width, header.Channels]);
        byte[] first = new byte[header.RowBytes];
        try
        {
            for (int row = 0; row < header.Height; row++)
            {
                Span<byte> current = pixels.Values.Slice(row * header.RowBytes, header.RowBytes);
                int filter = unpacked.ReadByte();
                if (unpacked.ReadAtLeast(current, current.Length, throwOnEndOfStream: false) < current.Length)
                    throw new BadInputException($"'{name}' ends in row {row:N0} of {header.Height:N0}.");
                ReadOnlySpan<byte> above = row == 0 ? first : pixels.Values.Slice((row - 1) * header.RowBytes, header.RowBytes);
                if (!PngFilter.Undo(filter, current, above, header.Channels))
                    throw new BadInputException($"'{name}' has the unknown filter {filter} in row {row:N0}.");
            }
            return unpacked.ReadByte() < 0 ? pixels : throw new BadInputException($"'{name}' has pixels after its last row.");
        }
        catch (InvalidDataException broken)
        {
            throw new BadInputException($"'{name}' is damaged: {broken.Message}", broken);
        }
    }
}
