namespace Tensorial.Data;

/// <summary>How pixels between pixels are made.</summary>
public enum Interpolation
{
    /// <summary>A triangle of width 2.</summary>
    Bilinear,

    /// <summary>Keys's cubic convolution with a = -0.5, of width 4.</summary>
    Bicubic,
}

/// <summary>
/// Changes the size of pictures by two passes of a separable filter, which is widened where the picture shrinks (antialiasing): Pillow's
/// <c>Image.resize</c> and torchvision's <c>resize</c> of a Pillow image, bit for bit.
/// </summary>
internal static class Resampling
{
    /// <summary>Fraction bits of weights: two for the sum of bicubic weights above 1, eight for a byte.</summary>
    private const int Bits = 32 - 8 - 2;

    /// <summary>For every pixel made, where its weights begin and how many pixels they are for.</summary>
    /// <param name="First">The first pixel read.</param>
    /// <param name="Count">Pixels read.</param>
    private readonly record struct Reach(int First, int Count);

    /// <summary>A picture [height, width, channels] of bytes at another size.</summary>
    public static Tensor<byte> Resize(Tensor<byte> pixels, int height, int width, Interpolation interpolation = Interpolation.Bilinear)
    {
        Tensor<byte> narrowed = pixels.Shape[1] == width ? pixels : Across(pixels, width, interpolation);
        return pixels.Shape[0] == height ? narrowed : Down(narrowed, height, interpolation);
    }

    private static Tensor<byte> Across(Tensor<byte> pixels, int width, Interpolation interpolation)
    {
        (int height, int from, int channels) = (pixels.Shape[0], pixels.Shape[1], pixels.Shape[2]);
        (Reach[] reaches, int[] weights, int most) = Weights(from, width, interpolation);
        Tensor<byte> result = new([height, width, channels]);
        for (int row = 0; row < height; row++)
        {
            ReadOnlySpan<byte> source = pixels.Values.Slice(row * from * channels, from * channels);
            Span<byte> target = result.Values.Slice(row * width * channels, width * channels);
            for (int column = 0; column < width; column++)
            {
                Reach reach = reaches[column];
                ReadOnlySpan<int> weight = weights.AsSpan(column * most, reach.Count);
                ReadOnlySpan<byte> read = source.Slice(reach.First * channels, reach.Count * channels);
                if (channels == 3)
                {
                    int red = 1 << (Bits - 1),
                        green = red,
                        blue = red;
                    for (int k = 0, at = 0; k < weight.Length && at + 2 < read.Length; k++, at += 3)
                    {
                        red += weight[k] * read[at];
                        green += weight[k] * read[at + 1];
                        blue += weight[k] * read[at + 2];
                    }
                    (target[3 * column], target[3 * column + 1], target[3 * column + 2]) = (Clip(red), Clip(green), Clip(blue));
                    continue;
                }
                for (int channel = 0; channel < channels; channel++)
                {
                    int sum = 1 << (Bits - 1);
                    for (int k = 0; k < weight.Length; k++)
                        sum += weight[k] * read[k * channels + channel];
                    target[column * channels + channel] = Clip(sum);
                }
            }
        }
        return result;
    }

    private static Tensor<byte> Down(Tensor<byte> pixels, int height, Interpolation interpolation)
    {
        int row = pixels.Shape[1] * pixels.Shape[2];
        (Reach[] reaches, int[] weights, int most) = Weights(pixels.Shape[0], height, interpolation);
        Tensor<byte> result = new([height, pixels.Shape[1], pixels.Shape[2]]);
        int[] sums = new int[row];
        for (int y = 0; y < height; y++)
        {
            Array.Fill(sums, 1 << (Bits - 1));
            for (int k = 0; k < reaches[y].Count; k++)
            {
                int weight = weights[y * most + k];
                ReadOnlySpan<byte> source = pixels.Values.Slice((reaches[y].First + k) * row, row);
                Span<int> to = sums.AsSpan(0, source.Length);
                for (int x = 0; x < source.Length; x++)
                    to[x] += weight * source[x];
            }
            Span<byte> target = result.Values.Slice(y * row, row);
            for (int x = 0; x < target.Length; x++)
                target[x] = Clip(sums[x]);
        }
        return result;
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> Bits, 0, 255);

    /// <summary>Weights in fixed point, so many for each pixel made; they sum to 1.</summary>
    private static (Reach[] Reaches, int[] Weights, int Most) Weights(int from, int to, Interpolation interpolation)
    {
        double scale = (double)from / to,
            widening = Math.Max(1, scale),
            support = (interpolation == Interpolation.Bilinear ? 1 : 2) * widening;
        int most = 2 * (int)Math.Ceiling(support) + 1;
        Reach[] reaches = new Reach[to];
        int[] weights = new int[to * most];
        double[] exact = new double[most];
        for (int k = 0; k < to; k++)
        {
            double center = (k + 0.5) * scale,
                total = 0;
            int first = Math.Max(0, (int)(center - support + 0.5)),
                count = Math.Min(from, (int)(center + support + 0.5)) - first;
            for (int x = 0; x < count; x++)
                total += exact[x] = Filter((x + first - center + 0.5) / widening, interpolation);
            for (int x = 0; x < count; x++)
            {
                double weight = (total == 0 ? exact[x] : exact[x] / total) * (1 << Bits);
                weights[k * most + x] = (int)(weight < 0 ? weight - 0.5 : weight + 0.5);
            }
            reaches[k] = new(first, count);
        }
        return (reaches, weights, most);
    }

    private static double Filter(double x, Interpolation interpolation)
    {
        const double a = -0.5;
        x = Math.Abs(x);
        return interpolation == Interpolation.Bilinear ? Math.Max(0, 1 - x)
            : x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1
            : x < 2 ? (((x - 5) * x + 8) * x - 4) * a
            : 0;
    }
}
