namespace Tensorial.Data.Jpeg;

/// <summary>What the components of a JPEG file mean.</summary>
internal enum JpegColorSpace
{
    Gray,
    YCbCr,
    Rgb,
    Cmyk,

    /// <summary>YCbCr of the complement, and black.</summary>
    Ycck,
}

/// <summary>From a JPEG file's components to RGB, in the 16-bit fixed point of libjpeg; CMYK as Pillow converts it.</summary>
internal static class JpegColor
{
    private const int Half = 1 << 15;

    /// <summary>One row.</summary>
    /// <param name="space">What the components are.</param>
    /// <param name="isInverted">Whether inks are stored as what is left of the paper's white, as Adobe does.</param>
    /// <param name="rows">One row of every component.</param>
    /// <param name="to">Receives pixels: grey, or R, G, B.</param>
    /// <param name="width">Pixels.</param>
    public static void Row(JpegColorSpace space, bool isInverted, ReadOnlySpan<byte[]> rows, Span<byte> to, int width)
    {
        switch (space)
        {
            case JpegColorSpace.Gray:
                rows[0].AsSpan(0, width).CopyTo(to);
                break;
            case JpegColorSpace.YCbCr:
                FromYCbCr(rows[0].AsSpan(0, width), rows[1].AsSpan(0, width), rows[2].AsSpan(0, width), to);
                break;
            case JpegColorSpace.Rgb:
                for (int k = 0; k < width; k++)
                    (to[3 * k], to[3 * k + 1], to[3 * k + 2]) = (rows[0][k], rows[1][k], rows[2][k]);
                break;
            case JpegColorSpace.Ycck:
                FromYCbCr(rows[0].AsSpan(0, width), rows[1].AsSpan(0, width), rows[2].AsSpan(0, width), to);
                for (int k = 0; k < width; k++)
                for (int c = 0; c < 3; c++)
                    to[3 * k + c] = Printed((byte)(255 - to[3 * k + c]), rows[3][k], isInverted);
                break;
            default:
                for (int k = 0; k < width; k++)
                for (int c = 0; c < 3; c++)
                    to[3 * k + c] = Printed(rows[c][k], rows[3][k], isInverted);
                break;
        }
    }

    /// <summary>An ink and black on white paper: (255 - black) (255 - ink) / 255.</summary>
    private static byte Printed(byte ink, byte black, bool isInverted)
    {
        (int c, int k) = isInverted ? (255 - ink, 255 - black) : (ink, black);
        int left = 255 - k,
            product = c * left + 128;
        return (byte)Math.Clamp(left - ((product >> 8) + product >> 8), 0, 255);
    }

    private static void FromYCbCr(ReadOnlySpan<byte> ys, ReadOnlySpan<byte> blues, ReadOnlySpan<byte> reds, Span<byte> to)
    {
        for (int k = 0; k < ys.Length; k++)
        {
            int y = ys[k],
                cb = blues[k] - 128,
                cr = reds[k] - 128;
            to[3 * k] = Clamp(y + ((91881 * cr + Half) >> 16));
            to[3 * k + 1] = Clamp(y + ((-22554 * cb - 46802 * cr + Half) >> 16));
            to[3 * k + 2] = Clamp(y + ((116130 * cb + Half) >> 16));
        }
    }

    private static byte Clamp(int value) => (byte)Math.Clamp(value, 0, 255);
}
