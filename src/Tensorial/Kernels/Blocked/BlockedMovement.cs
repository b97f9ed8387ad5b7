namespace Tensorial.Kernels.Blocked;

/// <summary>Parts of blocked activations brought to another place. Interiors only; halos are neither read nor written. Input and output do not overlap.</summary>
public static unsafe class BlockedMovement
{
    private const int Lanes = BlockedLayout.Lanes;

    /// <summary>output[:, first + i] = input[:, inputFirst + i] for <paramref name="count"/> channels: concatenation, slices and padding along channels.</summary>
    public static void CopyChannels(
        ReadOnlySpan<float> input, BlockedLayout inputLayout, int inputFirst, int count,
        Span<float> output, BlockedLayout outputLayout, int outputFirst, Workers workers)
    {
        for (int image = 0; image < outputLayout.Images; image++)
            for (int c = 0; c < count; c++)
                for (int y = 0; y < outputLayout.Height; y++)
                    for (int x = 0; x < outputLayout.Width; x++)
                        output[outputLayout.Pixel(image, (outputFirst + c) / Lanes, y, x) + (outputFirst + c) % Lanes] =
                            input[inputLayout.Pixel(image, (inputFirst + c) / Lanes, y, x) + (inputFirst + c) % Lanes];
    }

    /// <summary>output[:, first .. first + count] = value.</summary>
    public static void FillChannels(float value, Span<float> output, BlockedLayout outputLayout, int first, int count, Workers workers)
    {
        for (int image = 0; image < outputLayout.Images; image++)
            for (int c = first; c < first + count; c++)
                for (int y = 0; y < outputLayout.Height; y++)
                    for (int x = 0; x < outputLayout.Width; x++) output[outputLayout.Pixel(image, c / Lanes, y, x) + c % Lanes] = value;
    }

    /// <summary>output[y, x] = input[firstY + strideY · y, firstX + strideX · x], over the whole output.</summary>
    public static void Slice(
        ReadOnlySpan<float> input, BlockedLayout inputLayout, int firstY, int firstX, int strideY, int strideX,
        Span<float> output, BlockedLayout outputLayout, Workers workers)
    {
        for (int image = 0; image < outputLayout.Images; image++)
            for (int block = 0; block < outputLayout.Blocks; block++)
                for (int y = 0; y < outputLayout.Height; y++)
                    for (int x = 0; x < outputLayout.Width; x++)
                        input.Slice(inputLayout.Pixel(image, block, firstY + strideY * y, firstX + strideX * x), Lanes)
                            .CopyTo(output[outputLayout.Pixel(image, block, y, x)..]);
    }

    /// <summary>Puts the input into the output with its first pixel at (top, left), which may be negative, and <paramref name="value"/> around it.</summary>
    public static void Pad(
        ReadOnlySpan<float> input, BlockedLayout inputLayout, int top, int left, float value,
        Span<float> output, BlockedLayout outputLayout, Workers workers)
    {
        for (int image = 0; image < outputLayout.Images; image++)
            for (int block = 0; block < outputLayout.Blocks; block++)
                for (int y = 0; y < outputLayout.Height; y++)
                    for (int x = 0; x < outputLayout.Width; x++)
                    {
                        Span<float> pixel = output.Slice(outputLayout.Pixel(image, block, y, x), Lanes);
                        bool inside = y >= top && y < top + inputLayout.Height && x >= left && x < left + inputLayout.Width;
                        if (inside) input.Slice(inputLayout.Pixel(image, block, y - top, x - left), Lanes).CopyTo(pixel);
                        else pixel.Fill(value);
                    }
    }

    /// <summary>output[y, x] = input[y / factorY, x / factorX].</summary>
    public static void Repeat(
        ReadOnlySpan<float> input, BlockedLayout inputLayout, int factorY, int factorX, Span<float> output, BlockedLayout outputLayout, Workers workers)
    {
        for (int image = 0; image < outputLayout.Images; image++)
            for (int block = 0; block < outputLayout.Blocks; block++)
                for (int y = 0; y < outputLayout.Height; y++)
                    for (int x = 0; x < outputLayout.Width; x++)
                        input.Slice(inputLayout.Pixel(image, block, y / factorY, x / factorX), Lanes).CopyTo(output[outputLayout.Pixel(image, block, y, x)..]);
    }
}
