using System.Buffers.Binary;

namespace Tensorial.Data.Png;

/// <summary>What IHDR declares: extents, bits of a sample, and which samples make a pixel (the PNG specification, 11.2.1).</summary>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Depth">Bits of a sample: 1, 2, 4, 8 or 16.</param>
/// <param name="Color">The type of colour.</param>
/// <param name="IsInterlaced">Whether pixels come in seven passes (Adam7).</param>
internal readonly record struct PngHeader(int Width, int Height, int Depth, PngColor Color, bool IsInterlaced)
{
    /// <summary>Samples of a pixel as stored.</summary>
    public int Samples =>
        Color switch
        {
            PngColor.Rgb => 3,
            PngColor.GrayAlpha => 2,
            PngColor.Rgba => 4,
            _ => 1,
        };

    /// <summary>Channels of a pixel as read, without alpha: 1 or 3.</summary>
    public int Channels => Color is PngColor.Gray or PngColor.GrayAlpha ? 1 : 3;

    /// <summary>Bytes from one pixel to the next, at least one: how far to the left a filter looks.</summary>
    public int PixelBytes => Math.Max(1, Samples * Depth / 8);

    /// <summary>The parts in which the pixels are stored; those without a pixel are left out, as in the file.</summary>
    public IEnumerable<PngPass> Passes =>
        IsInterlaced
            ? [.. PngPass.Adam7.Select(Within).Where(static pass => pass is { Columns: > 0, Rows: > 0 })]
            : [new(0, 0, 1, 1, Width, Height)];

    /// <summary>Bytes of a row of so many pixels, without its filter's number.</summary>
    public int RowBytes(int columns) => checked((int)(((long)columns * Samples * Depth + 7) / 8));

    private PngPass Within(PngPass pass) =>
        pass with
        {
            Columns = (Width - pass.X + pass.Right - 1) / pass.Right,
            Rows = (Height - pass.Y + pass.Down - 1) / pass.Down,
        };

    /// <summary>Reads the chunk's data.</summary>
    /// <exception cref="BadInputException">It declares what PNG does not have, or no pixel; names the file.</exception>
    public static PngHeader Read(ReadOnlySpan<byte> data, string name)
    {
        if (data.Length != 13)
            throw new BadInputException($"'{name}' has a header of {data.Length} bytes instead of 13.");
        uint width = BinaryPrimitives.ReadUInt32BigEndian(data),
            height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        (int depth, int color, int compression, int filter, int interlace) = (data[8], data[9], data[10], data[11], data[12]);
        bool isKnown = (PngColor)color switch
        {
            PngColor.Gray => depth is 1 or 2 or 4 or 8 or 16,
            PngColor.Palette => depth is 1 or 2 or 4 or 8,
            PngColor.Rgb or PngColor.GrayAlpha or PngColor.Rgba => depth is 8 or 16,
            _ => false,
        };
        if (!isKnown || compression != 0 || filter != 0 || interlace > 1)
        {
            throw new BadInputException(
                $"'{name}' declares {depth} bits, colour type {color}, compression {compression}, filter method {filter} and interlacing "
                    + $"{interlace}, which PNG does not have together."
            );
        }
        ImageFile.CheckSize(name, width, height);
        return new((int)width, (int)height, depth, (PngColor)color, interlace == 1);
    }
}

/// <summary>The types of colour, by their numbers in the file.</summary>
internal enum PngColor
{
    Gray = 0,
    Rgb = 2,
    Palette = 3,
    GrayAlpha = 4,
    Rgba = 6,
}

/// <summary>A part of the pixels: from a first one in steps, row by row.</summary>
internal readonly record struct PngPass(int X, int Y, int Right, int Down, int Columns = 0, int Rows = 0)
{
    /// <summary>The seven passes of an interlaced picture.</summary>
    public static IReadOnlyList<PngPass> Adam7 { get; } =
    [new(0, 0, 8, 8), new(4, 0, 8, 8), new(0, 4, 4, 8), new(2, 0, 4, 4), new(0, 2, 2, 4), new(1, 0, 2, 2), new(0, 1, 1, 2)];
}
