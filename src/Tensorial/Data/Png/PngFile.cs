using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Tensorial.Data.Png;

/// <summary>
/// Reads PNG files of every depth and type of colour, interlaced or not (https://www.w3.org/TR/png-3). What a file declares is held against
/// what it has before anything is allocated, and the checksum of every chunk is checked.
/// </summary>
internal static class PngFile
{
    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    public static bool Begins(ReadOnlySpan<byte> file) => file.StartsWith(Signature);

    /// <summary>The pixels as [height, width, 1 or 3], without alpha, and how they are to be turned, 1 to 8 as in EXIF.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="name">What messages call the file.</param>
    /// <param name="cancel">Ends it between rows.</param>
    /// <exception cref="BadInputException">Not such a file, damaged, or one that needs an extension; names the file.</exception>
    public static (Tensor<byte> Pixels, int Orientation) Read(ReadOnlyMemory<byte> file, string name, CancellationToken cancel = default)
    {
        if (!Begins(file.Span))
        {
            throw new BadInputException(
                $"'{name}' is not a PNG file: it starts with " + $"{Convert.ToHexString(file.Span[..Math.Min(8, file.Length)])}."
            );
        }
        PngHeader? header = null;
        ReadOnlyMemory<byte> palette = default;
        int orientation = 1;
        using MemoryStream packed = new();
        for (int offset = Signature.Length; ; )
        {
            (string type, ReadOnlyMemory<byte> data) = Chunk(file, offset, name);
            offset += 12 + data.Length;
            switch (type)
            {
                case "IHDR" when header is null:
                    header = PngHeader.Read(data.Span, name);
                    break;
                case "IHDR":
                    throw new BadInputException($"'{name}' has a second header.");
                case var _ when header is null:
                    throw new BadInputException($"'{name}' starts with the chunk {type} instead of IHDR.");
                case "IDAT":
                    packed.Write(data.Span);
                    break;
                case "IEND":
                    return (Unpack(packed, header.Value, palette.Span, name, cancel), orientation);
                case "PLTE":
                    palette = data;
                    break;
                case "eXIf":
                    orientation = Exif.Orientation(data.Span);
                    break;
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
            throw new BadInputException($"'{name}' is cut: it ends at offset {file.Length:N0}, before its last chunk.");
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

    private static Tensor<byte> Unpack(
        MemoryStream packed,
        PngHeader header,
        ReadOnlySpan<byte> palette,
        string name,
        CancellationToken cancel
    )
    {
        long declared = header.Passes.Sum(pass => (long)pass.Rows * (1 + header.RowBytes(pass.Columns)));
        if (declared > packed.Length * Deflate.MostExpansion)
        {
            throw new BadInputException(
                $"'{name}' declares {declared:N0} bytes of pixels; its {packed.Length:N0} packed bytes cannot " + "hold so many."
            );
        }
        packed.Position = 0;
        using ZLibStream unpacked = new(packed, CompressionMode.Decompress);
        Tensor<byte> pixels = new([header.Height, header.Width, header.Channels]);
        PngRow writer = new(header, palette, name);
        int longest = header.RowBytes(header.Width);
        byte[] row = new byte[longest],
            above = new byte[longest];
        try
        {
            foreach (PngPass pass in header.Passes)
            {
                int bytes = header.RowBytes(pass.Columns);
                above.AsSpan(0, bytes).Clear();
                for (int y = 0; y < pass.Rows; y++)
                {
                    cancel.ThrowIfCancellationRequested();
                    int place = pass.Y + y * pass.Down,
                        filter = unpacked.ReadByte();
                    Span<byte> current = row.AsSpan(0, bytes);
                    if (unpacked.ReadAtLeast(current, bytes, throwOnEndOfStream: false) < bytes)
                        throw new BadInputException($"'{name}' ends in row {place:N0} of {header.Height:N0}.");
                    if (!PngFilter.Undo(filter, current, above, header.PixelBytes))
                        throw new BadInputException($"'{name}' has the unknown filter {filter} in row {place:N0}.");
                    int first = (place * header.Width + pass.X) * header.Channels;
                    writer.Write(current, pass.Columns, pixels.Values[first..], pass.Right);
                    (row, above) = (above, row);
                }
            }
            // At the end of the packed data is their checksum; bytes beyond the last row are left alone, as Pillow leaves them.
            _ = unpacked.Read(row);
            return pixels;
        }
        catch (InvalidDataException broken)
        {
            throw new BadInputException($"'{name}' is damaged: {broken.Message}", broken);
        }
    }
}
