using System.Buffers.Binary;

namespace Tensorial.Data;

/// <summary>
/// Whether a picture file is there to its end, by the lengths it declares itself, in the formats that ImageSharp decodes: it fills what is
/// missing with black, which no measurement would show.
/// </summary>
internal static class WholeFile
{
    /// <summary>Whether nothing is missing at the end; true of formats that do not tell.</summary>
    public static bool Is(ReadOnlySpan<byte> file) =>
        file switch
        {
            [(byte)'R', (byte)'I', (byte)'F', (byte)'F', ..] => file.Length >= 8
                && file.Length - 8 >= BinaryPrimitives.ReadUInt32LittleEndian(file[4..]),
            [(byte)'G', (byte)'I', (byte)'F', ..] => IsGif(file),
            [(byte)'B', (byte)'M', ..] => IsBmp(file),
            _ => true,
        };

    /// <summary>Blocks up to the end of the first frame's pixels, which are blocks of at most 255 bytes and one of none.</summary>
    private static bool IsGif(ReadOnlySpan<byte> file)
    {
        int at = 13 + (file.Length > 10 ? Palette(file[10]) : 0);
        while (at < file.Length)
        {
            bool isFrame = file[at] == 0x2C;
            if (isFrame && at + 10 > file.Length)
                return false;
            at += isFrame ? 11 + Palette(file[at + 9]) : 2;
            while (at < file.Length && file[at] != 0)
                at += 1 + file[at];
            if (isFrame)
                return at < file.Length;
            at++;
        }
        return false;

        static int Palette(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << (flags & 7) + 1;
    }

    /// <summary>
    /// Rows of whole words where pixels are not compressed. In front of them are the colours, for which the decoder allocates whatever lies
    /// between.
    /// </summary>
    private static bool IsBmp(ReadOnlySpan<byte> file)
    {
        uint start = file.Length < 14 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(file[10..]);
        if (start > file.Length)
            return false;
        if (file.Length < 34 || BinaryPrimitives.ReadUInt32LittleEndian(file[14..]) < 40)
            return true;
        uint compression = BinaryPrimitives.ReadUInt32LittleEndian(file[30..]);
        long width = Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(file[18..])),
            height = Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(file[22..])),
            row = (width * BinaryPrimitives.ReadUInt16LittleEndian(file[28..]) + 31) / 32 * 4;
        return compression is not (0 or 3) || (UInt128)start + (UInt128)row * (UInt128)height <= (UInt128)file.Length;
    }
}
