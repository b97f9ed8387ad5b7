using System.Buffers.Binary;

namespace Tensorial.Data;

/// <summary>The one entry of EXIF metadata that changes what a picture shows.</summary>
internal static class Exif
{
    private const ushort OrientationTag = 0x0112;

    /// <summary>
    /// How a picture is stored, 1 (upright) to 8, from a TIFF header and its first directory; 1 where that says nothing or is damaged:
    /// metadata never makes pixels unreadable.
    /// </summary>
    public static int Orientation(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8 || !(tiff.StartsWith("II*\0"u8) || tiff.StartsWith("MM\0*"u8)))
            return 1;
        bool isLittle = tiff[0] == 'I';
        uint directory = isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (directory > tiff.Length - 2)
            return 1;
        int count = Number(tiff, (int)directory, isLittle);
        for (int entry = 0; entry < count; entry++)
        {
            int at = (int)directory + 2 + 12 * entry;
            if (at + 12 > tiff.Length)
                return 1;
            if (Number(tiff, at, isLittle) == OrientationTag)
                return Number(tiff, at + 8, isLittle) is >= 1 and <= 8 and var orientation ? orientation : 1;
        }
        return 1;
    }

    /// <summary>A picture [height, width, channels] as it is to be seen.</summary>
    /// <param name="pixels">As stored.</param>
    /// <param name="orientation">2 mirrored left to right, 3 turned by 180°, 4 mirrored top to bottom, 5 transposed, 6 to be turned
    /// clockwise, 7 transposed about the other diagonal, 8 to be turned counter-clockwise.</param>
    public static Tensor<byte> Upright(Tensor<byte> pixels, int orientation)
    {
        if (orientation == 1)
            return pixels;
        (int height, int width, int channels) = (pixels.Shape[0], pixels.Shape[1], pixels.Shape[2]);
        Tensor<byte> upright = new(orientation >= 5 ? [width, height, channels] : [height, width, channels]);
        for (int row = 0; row < upright.Shape[0]; row++)
        for (int column = 0; column < upright.Shape[1]; column++)
        {
            (int r, int c) = orientation switch
            {
                2 => (row, width - 1 - column),
                3 => (height - 1 - row, width - 1 - column),
                4 => (height - 1 - row, column),
                5 => (column, row),
                6 => (height - 1 - column, row),
                7 => (height - 1 - column, width - 1 - row),
                _ => (column, width - 1 - row),
            };
            pixels
                .Values.Slice((r * width + c) * channels, channels)
                .CopyTo(upright.Values[((row * upright.Shape[1] + column) * channels)..]);
        }
        return upright;
    }

    private static int Number(ReadOnlySpan<byte> tiff, int at, bool isLittle) =>
        isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(tiff[at..]) : BinaryPrimitives.ReadUInt16BigEndian(tiff[at..]);
}
