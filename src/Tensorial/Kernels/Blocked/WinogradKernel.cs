using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>Kernels transformed for Winograd's convolution: [group of outputs][product][input][16 or 32 outputs].</summary>
internal static unsafe class WinogradKernel
{
    /// <summary>Whether a convolution has this form: 3×3, one step at a time, all channels connected.</summary>
    public static bool Supports(in ConvolutionShape shape) =>
        shape is { KernelHeight: 3, KernelWidth: 3, StrideY: 1, StrideX: 1, DilationY: 1, DilationX: 1, Groups: 1 };

    /// <summary>U = G g Gᵀ for every pair of channels, computed in double precision and rounded once.</summary>
    public static void Pack<TWinograd>(ReadOnlySpan<float> kernel, in ConvolutionShape shape, Span<float> packed)
        where TWinograd : struct, IWinograd => Pack<TWinograd>(VectorWidths.Best, kernel, shape, packed);

    internal static void Pack<TWinograd>(VectorWidth width, ReadOnlySpan<float> kernel, in ConvolutionShape shape, Span<float> packed)
        where TWinograd : struct, IWinograd
    {
        OutputGroups groups = new(shape);
        fixed (double* g = Filter<TWinograd>())
            using (Bounds.Know(g, 3 * TWinograd.Tile))
                fixed (
                    float* from = kernel,
                        to = packed
                )
                    using (Bounds.Know(from, kernel.Length, to, packed.Length))
                        for (int group = 0; group < groups.Count; group++)
                            width.Run<Group, double>(
                                new(shape, TWinograd.Tile, g, from, groups.FirstOutput(group), groups.Width(group), to)
                            );
    }

    /// <summary>The kernels of a group of outputs, side by side.</summary>
    private readonly struct Group(ConvolutionShape shape, int tile, double* g, float* kernel, int first, int width, float* packed)
        : IVectorKernel<double>
    {
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, double>
            where TVector : struct
        {
            const int most = 2 * BlockedLayout.ChannelBlock;
            double* taps = stackalloc double[9 * most],
                half = stackalloc double[tile * 3 * most],
                whole = stackalloc double[most];
            Bounds.Span(taps, 9 * most).Clear();
            int inputs = shape.InputChannels,
                outputs = Math.Min(width, shape.OutputChannels - first);
            float* to = packed + (nint)first * inputs * tile * tile;
            for (int i = 0; i < inputs; i++, to += width)
            {
                for (int o = 0; o < outputs; o++)
                for (int tap = 0; tap < 9; tap++)
                    taps[tap * most + o] = kernel[((first + o) * inputs + i) * 9 + tap];
                for (int r = 0; r < tile; r++)
                for (int c = 0; c < 3; c++)
                    Combine<TWidth, TVector>(g + r * 3, taps + c * most, 3 * most, half + (r * 3 + c) * most);
                for (int product = 0; product < tile * tile; product++)
                {
                    Combine<TWidth, TVector>(g + product % tile * 3, half + product / tile * 3 * most, most, whole);
                    TensorPrimitives.ConvertTruncating(Bounds.Span(whole, width), Bounds.Span(to + (nint)product * inputs * width, width));
                }
            }
        }

        /// <summary>g₀ a + g₁ b + g₂ c for vectors that lie a step apart.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Combine<TWidth, TVector>(double* by, double* from, int step, double* to)
            where TWidth : struct, IVectorWidth<TVector, double>
            where TVector : struct
        {
            TVector g0 = TWidth.Spread(by + 0),
                g1 = TWidth.Spread(by + 1),
                g2 = TWidth.Spread(by + 2);
            for (int at = 0; at < width; at += TWidth.Count)
            {
                TVector sum = TWidth.MultiplyAdd(g1, TWidth.Load(from + step + at), TWidth.Multiply(g0, TWidth.Load(from + at)));
                TWidth.Store(TWidth.MultiplyAdd(g2, TWidth.Load(from + 2 * step + at), sum), to + at);
            }
        }
    }

    /// <summary>G: row i is (1, p, p²) / Π (p - q) over the other points q; the last row, for infinity, is (0, 0, 1).</summary>
    public static double[,] Filter<TWinograd>()
        where TWinograd : struct, IWinograd
    {
        double[,] g = new double[TWinograd.Tile, 3];
        ReadOnlySpan<double> points = TWinograd.Points;
        for (int i = 0; i < points.Length; i++)
        {
            double scale = 1;
            for (int j = 0; j < points.Length; j++)
                if (j != i)
                    scale *= points[i] - points[j];
            for (int k = 0; k < 3; k++)
                g[i, k] = Math.Pow(points[i], k) / scale;
        }
        g[points.Length, 2] = 1;
        return g;
    }
}
