namespace Tensorial.Data.Jpeg;

/// <summary>
/// The inverse cosine transform of an 8×8 block in integers, as Loeffler, Ligtenberg and Moschytz (1989) factor it, with the constants and
/// the rounding of libjpeg's accurate method: the same samples, bit for bit.
/// </summary>
internal static class JpegTransform
{
    /// <summary>Fraction bits of the constants.</summary>
    private const int Bits = 13;

    /// <summary>Fraction bits kept between the passes.</summary>
    private const int Between = 2;

    /// <param name="block">Coefficients in rows.</param>
    /// <param name="quantization">Their steps.</param>
    /// <param name="samples">Receives eight rows of eight.</param>
    /// <param name="stride">From one row to the next.</param>
    public static void Inverse(ReadOnlySpan<short> block, ReadOnlySpan<ushort> quantization, Span<byte> samples, int stride)
    {
        Span<int> middle = stackalloc int[64];
        block = block[..64];
        quantization = quantization[..64];
        for (int k = 0; k < 8; k++)
        {
            int dc = block[k] * quantization[k];
            if (
                block[k + 8] == 0
                && block[k + 16] == 0
                && block[k + 24] == 0
                && block[k + 32] == 0
                && block[k + 40] == 0
                && block[k + 48] == 0
                && block[k + 56] == 0
            )
            {
                dc <<= Between;
                for (int row = 0; row < 64; row += 8)
                    middle[row + k] = dc;
                continue;
            }
            Pass(
                dc,
                block[k + 8] * quantization[k + 8],
                block[k + 16] * quantization[k + 16],
                block[k + 24] * quantization[k + 24],
                block[k + 32] * quantization[k + 32],
                block[k + 40] * quantization[k + 40],
                block[k + 48] * quantization[k + 48],
                block[k + 56] * quantization[k + 56],
                middle[k..],
                8,
                Bits - Between
            );
        }
        for (int row = 0; row < 8; row++)
        {
            Span<int> line = middle.Slice(8 * row, 8);
            Span<byte> target = samples.Slice(row * stride, 8);
            if ((line[1] | line[2] | line[3] | line[4] | line[5] | line[6] | line[7]) == 0)
            {
                target.Fill(Sample((line[0] + (1 << (Between + 2))) >> (Between + 3)));
                continue;
            }
            Pass(line[0], line[1], line[2], line[3], line[4], line[5], line[6], line[7], line, 1, Bits + Between + 3);
            for (int k = 0; k < 8; k++)
                target[k] = Sample(line[k]);
        }
    }

    private static byte Sample(int value) => (byte)Math.Clamp(value + 128, 0, 255);

    /// <summary>Eight coefficients to eight values, rounded to so many bits less.</summary>
    private static void Pass(int c0, int c1, int c2, int c3, int c4, int c5, int c6, int c7, Span<int> to, int step, int shift)
    {
        int shared = (c2 + c6) * 4433,
            even2 = shared - c6 * 15137,
            even3 = shared + c2 * 6270,
            even0 = (c0 + c4) << Bits,
            even1 = (c0 - c4) << Bits;
        int first = even0 + even3,
            second = even1 + even2,
            third = even1 - even2,
            fourth = even0 - even3;
        int a = (c7 + c1) * -7373,
            b = (c5 + c3) * -20995,
            all = (c7 + c3 + c5 + c1) * 9633,
            c = (c7 + c3) * -16069 + all,
            d = (c5 + c1) * -3196 + all;
        int odd0 = c7 * 2446 + a + c,
            odd1 = c5 * 16819 + b + d,
            odd2 = c3 * 25172 + b + c,
            odd3 = c1 * 12299 + a + d;
        int half = 1 << (shift - 1);
        to[7 * step] = (first - odd3 + half) >> shift;
        to[0] = (first + odd3 + half) >> shift;
        to[step] = (second + odd2 + half) >> shift;
        to[6 * step] = (second - odd2 + half) >> shift;
        to[2 * step] = (third + odd1 + half) >> shift;
        to[5 * step] = (third - odd1 + half) >> shift;
        to[3 * step] = (fourth + odd0 + half) >> shift;
        to[4 * step] = (fourth - odd0 + half) >> shift;
    }
}
