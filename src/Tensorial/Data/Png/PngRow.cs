namespace Tensorial.Data.Png;

/// <summary>
/// One unfiltered row of a PNG file as bytes of grey or of red, green and blue, as Pillow's <c>convert("RGB")</c> has them: alpha dropped, samples
/// of fewer than 8 bits stretched to 0..255, of those of 16 bits the upper byte. Grey of 16 bits alone differs: Pillow makes white of all above
/// 255.
/// </summary>
internal readonly ref struct PngRow(PngHeader header, ReadOnlySpan<byte> palette, string name)
{
    private readonly ReadOnlySpan<byte> _palette = palette;

    /// <summary>Writes a row of pixels.</summary>
    /// <param name="row">The unfiltered bytes.</param>
    /// <param name="columns">Pixels in them.</param>
    /// <param name="to">Where the first pixel goes.</param>
    /// <param name="step">Pixels from one to the next.</param>
    /// <exception cref="BadInputException">A pixel has a colour that the palette does not have.</exception>
    public void Write(ReadOnlySpan<byte> row, int columns, Span<byte> to, int step)
    {
        int channels = header.Channels;
        if (header.Color == PngColor.Palette)
        {
            for (int x = 0; x < columns; x++)
                Colour(Sample(row, x)).CopyTo(to[(x * step * 3)..]);
            return;
        }
        if (header.Depth < 8)
        {
            int most = (1 << header.Depth) - 1;
            for (int x = 0; x < columns; x++)
                to[x * step] = (byte)(Sample(row, x) * 255 / most);
            return;
        }
        if (header.Depth == 8 && header.Samples == channels && step == 1)
        {
            row.CopyTo(to);
            return;
        }
        int bytes = header.Depth / 8,
            pixel = header.PixelBytes;
        for (int x = 0; x < columns; x++)
        for (int channel = 0; channel < channels; channel++)
            to[x * step * channels + channel] = row[x * pixel + channel * bytes];
    }

    /// <summary>A sample of at most 8 bits; in a byte the first pixel is in the highest bits.</summary>
    private int Sample(ReadOnlySpan<byte> row, int x)
    {
        int bit = x * header.Depth;
        return (row[bit / 8] >> 8 - header.Depth - bit % 8) & ((1 << header.Depth) - 1);
    }

    private ReadOnlySpan<byte> Colour(int index) =>
        3 * index < _palette.Length
            ? _palette.Slice(3 * index, 3)
            : throw new BadInputException($"'{name}' is damaged: it uses colour {index} of a palette of {_palette.Length / 3}.");
}
