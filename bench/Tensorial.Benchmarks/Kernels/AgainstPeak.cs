using System.Diagnostics;
using System.Globalization;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Benchmarks.Kernels;

/// <summary>
/// Matrix products and the convolutions of the ResNets, one thread, as shares of the floor: the multiply-adds of the plain sums at the peak of
/// this core, which is measured before and after every sample, as clocks wander. Winograd's methods do fewer sums and may go beyond 1.
/// </summary>
internal static class AgainstPeak
{
    private const int Rounds = 31;

    /// <summary>Images, channels, extent of the square kernel, stride, extent of the square output.</summary>
    private static readonly (string Network, int Images, int Inputs, int Outputs, int Kernel, int Stride, int Extent)[] Layers =
    [
        ("ResNet-20", 1, 16, 16, 3, 1, 32),
        ("ResNet-20", 1, 16, 32, 3, 2, 16),
        ("ResNet-20", 1, 32, 32, 3, 1, 16),
        ("ResNet-20", 1, 32, 64, 3, 2, 8),
        ("ResNet-20", 1, 64, 64, 3, 1, 8),
        ("ResNet-20", 16, 64, 64, 3, 1, 8),
        ("ResNet-50", 1, 3, 64, 7, 2, 112),
        ("ResNet-50", 1, 64, 64, 1, 1, 56),
        ("ResNet-50", 1, 64, 64, 3, 1, 56),
        ("ResNet-50", 1, 64, 256, 1, 1, 56),
        ("ResNet-50", 1, 256, 64, 1, 1, 56),
        ("ResNet-50", 1, 256, 128, 1, 1, 56),
        ("ResNet-50", 1, 128, 128, 3, 2, 28),
        ("ResNet-50", 1, 256, 512, 1, 2, 28),
        ("ResNet-50", 1, 128, 128, 3, 1, 28),
        ("ResNet-50", 1, 128, 512, 1, 1, 28),
        ("ResNet-50", 1, 512, 128, 1, 1, 28),
        ("ResNet-50", 1, 256, 256, 3, 2, 14),
        ("ResNet-50", 1, 512, 1024, 1, 2, 14),
        ("ResNet-50", 1, 256, 256, 3, 1, 14),
        ("ResNet-50", 1, 256, 1024, 1, 1, 14),
        ("ResNet-50", 1, 1024, 256, 1, 1, 14),
        ("ResNet-50", 1, 512, 512, 3, 2, 7),
        ("ResNet-50", 1, 1024, 2048, 1, 2, 7),
        ("ResNet-50", 1, 512, 512, 3, 1, 7),
        ("ResNet-50", 1, 512, 2048, 1, 1, 7),
        ("ResNet-50", 1, 2048, 512, 1, 1, 7),
        ("ResNet-50", 8, 512, 512, 3, 1, 7),
    ];

    /// <param name="part">What the rows to run have in their names.</param>
    public static void Run(string part)
    {
        Console.WriteLine("share of the multiply-add peak of one core; medians, and the quarters around them");
        foreach (int n in new[] { 512, 1024, 2048 }.Where(n => $"GEMM {n}³".Contains(part, StringComparison.Ordinal)))
            Console.WriteLine($"GEMM {n}³  {Text(Product(n))}");
        List<double> direct = [],
            winograd = [];
        foreach ((string network, int images, int inputs, int outputs, int kernel, int stride, int extent) in Layers)
        {
            int before = (kernel - 1) / 2;
            ConvolutionShape shape = new(inputs, outputs, kernel, kernel, stride, stride)
            {
                Padding = new(before, before, kernel / 2, kernel / 2),
            };
            string line = string.Create(
                CultureInfo.InvariantCulture,
                $"{network}  {images, 2} × {inputs, 4} -> {outputs, 4}  {kernel}×{kernel}{(stride == 1 ? "  " : $"/{stride}")} to {extent, 3}²"
            );
            if (!line.Contains(part, StringComparison.Ordinal))
                continue;
            double[] plain = Convolution(shape, images, extent, ConvolutionMethod.Direct);
            direct.Add(plain[Rounds / 2]);
            line += $"  direct {Text(plain)}";
            if (WinogradKernel.Supports(shape))
            {
                double[] second = Convolution(shape, images, extent, ConvolutionMethod.Winograd2),
                    fourth = Convolution(shape, images, extent, ConvolutionMethod.Winograd4);
                line +=
                    $"  F(2) {Text(second)}  F(4) {Text(fourth)}  taken: {ConvolutionChoice.Best(shape, extent, extent, images, threads: 1)}";
                if (inputs >= 64)
                    winograd.Add(Math.Max(second[Rounds / 2], fourth[Rounds / 2]));
            }
            Console.WriteLine(line);
        }
        if (part.Length > 0)
            return;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"direct: {direct.Min():F2} to {direct.Max():F2}, mean {direct.Average():F2}; the better of Winograd's at 64 channels and more: {winograd.Min():F2} to {winograd.Max():F2}, mean {winograd.Average():F2}"
            )
        );
    }

    private static double[] Product(int n)
    {
        float[] a = Values(n * n),
            b = Values(n * n),
            c = new float[n * n];
        return Shares((double)n * n * n, () => MatrixProduct.Multiply(n, n, n, 1f, a, n, 1, b, n, 1, 0f, c, n, Workers.Serial));
    }

    private static double[] Convolution(ConvolutionShape shape, int images, int extent, ConvolutionMethod method)
    {
        int read = (extent - 1) * shape.StrideX + shape.KernelWidth - shape.Padding.Left - shape.Padding.Right;
        bool isPlanar = PlanarConvolution.Supports(shape);
        BlockedLayout input = new(images, shape.InputChannels, read, read, shape.Padding),
            output = new(images, shape.OutputChannels, extent, extent, default);
        float[] x = Values(isPlanar ? images * shape.InputChannels * read * read : input.Length),
            y = new float[output.Length],
            bias = Values(shape.OutputChannels);
        double macs =
            (double)images * shape.InputChannels * shape.OutputChannels * shape.KernelHeight * shape.KernelWidth * extent * extent;
        if (isPlanar)
        {
            PackedKernel folded = BlockedConvolution.Pack(
                PlanarConvolution.Fold(shape, Values(shape.KernelCount)),
                PlanarConvolution.Folded(shape),
                ConvolutionMethod.Direct
            );
            BlockedLayout planes = new(images, shape.InputChannels, read, read, default);
            return Shares(macs, () => PlanarConvolution.Run(shape, x, planes, folded, bias, Activation.Relu, y, output, Workers.Serial));
        }
        PackedKernel kernel = BlockedConvolution.Pack(Values(shape.KernelCount), shape, method);
        return Shares(
            macs,
            () => BlockedConvolution.Run(shape, x, input, kernel, bias, [], default, Activation.Relu, y, output, Workers.Serial)
        );
    }

    /// <summary>Shares of the peak, sorted; each of some milliseconds between two measurements of the peak.</summary>
    private static double[] Shares(double macs, Action action)
    {
        long began = Stopwatch.GetTimestamp();
        int runs = 0;
        for (; runs < 40 || Stopwatch.GetElapsedTime(began).TotalSeconds < 0.3; runs++)
            action();
        runs = Math.Max(1, (int)(0.004 * runs / Stopwatch.GetElapsedTime(began).TotalSeconds));
        double[] shares = new double[Rounds];
        double before = PeakRate.Sample();
        for (int round = 0; round < Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int run = 0; run < runs; run++)
                action();
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds / runs,
                after = PeakRate.Sample();
            shares[round] = macs / seconds / ((before + after) / 2);
            before = after;
        }
        Array.Sort(shares);
        return shares;
    }

    private static float[] Values(int count)
    {
        Random random = new(1);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }

    private static string Text(double[] shares) =>
        string.Create(CultureInfo.InvariantCulture, $"{shares[Rounds / 2]:F2} ({shares[Rounds / 4]:F2} to {shares[3 * Rounds / 4]:F2})");
}
