namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The gradient of a convolution's input: itself a convolution, of dy with the kernel turned by 180 degrees and its two channel axes exchanged. A stride
/// spreads dy apart first, zeros between. Channels are exchanged within their groups.
/// </summary>
internal static class InputGradient
{
    /// <summary>The convolution that carries dy back; null where the padding is wider than the kernel reaches, or groups are such that no blocked convolution takes them.</summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="height">Rows of its input.</param>
    /// <param name="width">Columns of its input.</param>
    /// <param name="spread">dy, spread apart by the strides.</param>
    public static ConvolutionShape? Of(in ConvolutionShape shape, int height, int width, BlockedLayout spread)
    {
        (int reachY, int reachX) = ((shape.KernelHeight - 1) * shape.DilationY, (shape.KernelWidth - 1) * shape.DilationX);
        int top = reachY - shape.Padding.Top, left = reachX - shape.Padding.Left;
        Halo padding = new(top, left, height + reachY - spread.Height - top, width + reachX - spread.Width - left);
        ConvolutionShape back = new(
            shape.OutputChannels, shape.InputChannels, shape.KernelHeight, shape.KernelWidth, 1, 1, shape.DilationY, shape.DilationX, padding, shape.Groups);
        bool narrow = Math.Min(Math.Min(padding.Top, padding.Left), Math.Min(padding.Bottom, padding.Right)) < 0;
        return narrow || !BlockedConvolution.Supports(back) ? null : back;
    }

    /// <summary>The layout of dy spread apart.</summary>
    public static BlockedLayout Spread(BlockedLayout upstream, in ConvolutionShape shape) => upstream with
    {
        Height = (upstream.Height - 1) * shape.StrideY + 1, Width = (upstream.Width - 1) * shape.StrideX + 1, Halo = default,
    };

    /// <summary>Spreads dy apart; the rest, halo included, becomes zero.</summary>
    public static void Spread(ReadOnlySpan<float> dy, BlockedLayout upstream, Span<float> target, BlockedLayout spread, in ConvolutionShape shape)
    {
        target[..spread.Length].Clear();
        for (int image = 0; image < upstream.Images; image++)
            for (int block = 0; block < upstream.Blocks; block++)
                for (int row = 0; row < upstream.Height; row++)
                {
                    int from = upstream.Pixel(image, block, row, 0), to = spread.Pixel(image, block, row * shape.StrideY, 0);
                    for (int column = 0; column < upstream.Width; column++, from += BlockedLayout.Lanes, to += shape.StrideX * BlockedLayout.Lanes)
                        dy.Slice(from, BlockedLayout.Lanes).CopyTo(target[to..]);
                }
    }

    /// <summary>The kernel [outputs, inputs / groups, height, width] turned, as [inputs, outputs / groups, height, width].</summary>
    public static void Turn(ReadOnlySpan<float> kernel, in ConvolutionShape shape, Span<float> turned)
    {
        int taps = shape.KernelHeight * shape.KernelWidth;
        (int outputs, int inputs) = (shape.OutputsPerGroup, shape.InputsPerGroup);
        for (int o = 0; o < shape.OutputChannels; o++)
            for (int i = 0; i < inputs; i++)
            {
                (int group, int output) = Math.DivRem(o, outputs);
                Span<float> to = turned.Slice(((group * inputs + i) * outputs + output) * taps, taps);
                kernel.Slice((o * inputs + i) * taps, taps).CopyTo(to);
                to.Reverse();
            }
    }
}
