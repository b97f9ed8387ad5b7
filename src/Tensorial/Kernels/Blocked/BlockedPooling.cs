namespace Tensorial.Kernels.Blocked;

/// <summary>What an average divides by.</summary>
public enum AverageOver
{
    /// <summary>The taps that meet the input.</summary>
    Input,

    /// <summary>The taps that meet the input or its padding.</summary>
    Padding,
}

/// <summary>Pooling of blocked activations. Output extents are the caller's: a last window may reach beyond the padding (ceiling mode).</summary>
public static class BlockedPooling
{
    /// <summary>The largest value of each window; what lies outside the input takes no part. NaN wins. The halo is not read.</summary>
    public static void Maximum(
        in PlaneWindow window, ReadOnlySpan<float> input, BlockedLayout inputLayout, Span<float> output, BlockedLayout outputLayout, Workers workers) =>
        Walk(window, input, inputLayout, output, outputLayout, static (values, _) =>
        {
            float largest = float.NegativeInfinity;
            foreach (float value in values) largest = MathF.Max(largest, value);
            return largest;
        });

    /// <summary>The mean of each window. The halo is not read.</summary>
    public static void Average(
        in PlaneWindow window, AverageOver over, ReadOnlySpan<float> input, BlockedLayout inputLayout,
        Span<float> output, BlockedLayout outputLayout, Workers workers) =>
        Walk(window, input, inputLayout, output, outputLayout, (values, inPadding) =>
        {
            float sum = 0;
            foreach (float value in values) sum += value;
            return sum / (over == AverageOver.Input ? values.Length : inPadding);
        });

    /// <summary>The mean of every plane as plain [image][channel].</summary>
    public static void GlobalAverage(ReadOnlySpan<float> input, BlockedLayout layout, Span<float> means, Workers workers)
    {
        for (int image = 0; image < layout.Images; image++)
            for (int channel = 0; channel < layout.Channels; channel++)
            {
                double sum = 0;
                for (int y = 0; y < layout.Height; y++)
                    for (int x = 0; x < layout.Width; x++) sum += input[layout.Pixel(image, channel / 16, y, x) + channel % 16];
                means[image * layout.Channels + channel] = (float)(sum / (layout.Height * layout.Width));
            }
    }

    /// <summary>The mean of every plane as a blocked value of one pixel.</summary>
    public static void GlobalAverage(ReadOnlySpan<float> input, BlockedLayout layout, Span<float> means, BlockedLayout meansLayout, Workers workers)
    {
        float[] plain = new float[layout.Images * layout.Channels];
        GlobalAverage(input, layout, plain, workers);
        BlockedConversion.ToBlocked(plain, means, meansLayout, workers);
    }

    private delegate float Summary(ReadOnlySpan<float> values, int inPadding);

    private static void Walk(
        in PlaneWindow window, ReadOnlySpan<float> input, BlockedLayout inputLayout, Span<float> output, BlockedLayout outputLayout, Summary summary)
    {
        Span<float> values = stackalloc float[window.Height * window.Width];
        for (int image = 0; image < outputLayout.Images; image++)
            for (int channel = 0; channel < outputLayout.Channels; channel++)
                for (int y = 0; y < outputLayout.Height; y++)
                    for (int x = 0; x < outputLayout.Width; x++)
                    {
                        int count = 0, inPadding = 0;
                        for (int h = 0; h < window.Height; h++)
                            for (int v = 0; v < window.Width; v++)
                            {
                                int row = y * window.StrideY + h * window.DilationY - window.Padding.Top;
                                int column = x * window.StrideX + v * window.DilationX - window.Padding.Left;
                                if (row >= inputLayout.Height + window.Padding.Bottom || column >= inputLayout.Width + window.Padding.Right) continue;
                                inPadding++;
                                if (row < 0 || row >= inputLayout.Height || column < 0 || column >= inputLayout.Width) continue;
                                values[count++] = input[inputLayout.Pixel(image, channel / 16, row, column) + channel % 16];
                            }
                        output[outputLayout.Pixel(image, channel / 16, y, x) + channel % 16] = summary(values[..count], inPadding);
                    }
    }
}
