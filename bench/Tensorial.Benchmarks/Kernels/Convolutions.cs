using System.Diagnostics;
using System.Globalization;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Benchmarks.Kernels;

/// <summary>
/// The methods of a 3×3 convolution on one thread, against the floor: what the direct sums take at the speed of the matrix tile.
/// </summary>
internal static class Convolutions
{
    private static readonly (int Images, int Inputs, int Outputs, int Extent)[] Cases =
    [
        (4, 16, 16, 32),
        (4, 32, 32, 16),
        (4, 64, 64, 8),
        (8, 64, 64, 8),
        (1, 64, 64, 56),
        (1, 128, 128, 28),
        (1, 256, 256, 14),
        (1, 512, 512, 7),
        (4, 256, 256, 14),
        (4, 512, 512, 7),
    ];

    public static void Run()
    {
        foreach ((int images, int inputs, int outputs, int extent) in Cases)
        {
            ConvolutionShape shape = new(inputs, outputs, 3, 3) { Padding = new(1, 1, 1, 1) };
            double macs = 9.0 * images * inputs * outputs * extent * extent;
            double[] seconds = [.. Enum.GetValues<ConvolutionMethod>().Select(method => Least(shape, images, extent, method))];
            string line = string.Create(
                CultureInfo.InvariantCulture,
                $"{images} × {inputs, 3} -> {outputs, 3} at {extent, 2}²  direct {2e-9 * macs / seconds[0], 6:F1} GFLOP/s"
            );
            foreach (ConvolutionMethod method in Enum.GetValues<ConvolutionMethod>().Skip(1))
                line += string.Create(CultureInfo.InvariantCulture, $"   {method} {seconds[0] / seconds[(int)method]:F2} times as fast");
            Console.WriteLine(line);
        }
    }

    private static double Least(ConvolutionShape shape, int images, int extent, ConvolutionMethod method)
    {
        Random random = new(1);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
        BlockedLayout input = new(images, shape.InputChannels, extent, extent, shape.Padding),
            output = new(images, shape.OutputChannels, extent, extent, default);
        float[] x = Values(input.Length),
            y = new float[output.Length],
            bias = Values(shape.OutputChannels);
        PackedKernel kernel = BlockedConvolution.Pack(Values(shape.KernelCount), shape, method);
        double[] times = new double[81];
        for (int round = -10; round < times.Length; round++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int run = 0; run < 4; run++)
                BlockedConvolution.Run(shape, x, input, kernel, bias, [], default, Activation.Relu, y, output, Workers.Serial);
            if (round >= 0)
                times[round] = Stopwatch.GetElapsedTime(start).TotalSeconds / 4;
        }
        return times.Min();
    }
}
