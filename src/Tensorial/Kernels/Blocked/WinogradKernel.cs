namespace Tensorial.Kernels.Blocked;

/// <summary>Kernels transformed for Winograd's convolution: [group of 32 outputs][product][input][32 outputs].</summary>
internal static class WinogradKernel
{
    /// <summary>Whether a convolution has this form: 3×3, one step at a time, all channels connected.</summary>
    public static bool Supports(in ConvolutionShape shape) =>
        shape is { KernelHeight: 3, KernelWidth: 3, StrideY: 1, StrideX: 1, DilationY: 1, DilationX: 1, Groups: 1 };

    /// <summary>U = G g Gᵀ for every pair of channels, computed in double precision and rounded once.</summary>
    public static void Pack<TWinograd>(ReadOnlySpan<float> kernel, in ConvolutionShape shape, Span<float> packed) where TWinograd : struct, IWinograd
    {
        double[,] g = Filter<TWinograd>();
        OutputGroups groups = new(shape);
        int tile = TWinograd.Tile, products = tile * tile, inputs = shape.InputChannels;
        Span<double> half = stackalloc double[tile * 3];
        for (int group = 0; group < groups.Count; group++)
        {
            int first = groups.FirstOutput(group), width = groups.Width(group);
            Span<float> part = packed.Slice(first * inputs * products, width * inputs * products);
            for (int o = first; o < Math.Min(first + width, shape.OutputChannels); o++)
                for (int i = 0; i < inputs; i++)
                {
                    ReadOnlySpan<float> taps = kernel.Slice((o * inputs + i) * 9, 9);
                    for (int r = 0; r < tile; r++)
                        for (int c = 0; c < 3; c++) half[r * 3 + c] = g[r, 0] * taps[c] + g[r, 1] * taps[3 + c] + g[r, 2] * taps[6 + c];
                    for (int r = 0; r < tile; r++)
                        for (int c = 0; c < tile; c++)
                            part[((r * tile + c) * inputs + i) * width + o - first] =
                                (float)(half[r * 3] * g[c, 0] + half[r * 3 + 1] * g[c, 1] + half[r * 3 + 2] * g[c, 2]);
                }
        }
    }

    /// <summary>G: row i is (1, p, p²) / Π (p - q) over the other points q; the last row, for infinity, is (0, 0, 1).</summary>
    private static double[,] Filter<TWinograd>() where TWinograd : struct, IWinograd
    {
        double[,] g = new double[TWinograd.Tile, 3];
        ReadOnlySpan<double> points = TWinograd.Points;
        for (int i = 0; i < points.Length; i++)
        {
            double scale = 1;
            for (int j = 0; j < points.Length; j++)
                if (j != i) scale *= points[i] - points[j];
            for (int k = 0; k < 3; k++) g[i, k] = Math.Pow(points[i], k) / scale;
        }
        g[points.Length, 2] = 1;
        return g;
    }
}
