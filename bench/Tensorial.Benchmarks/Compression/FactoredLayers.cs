using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;

namespace Tensorial.Benchmarks.Compression;

/// <summary>
/// Time of one layer in factors over the dense layer's, pair by pair, in our executor and in ONNX Runtime: which formats are faster where,
/// and by how much less than their multiply-accumulates promise.
/// </summary>
internal static class FactoredLayers
{
    /// <summary>Channels, extent of the plane, kernel: the 3×3 layers of ResNet-32 and of ResNet-50, and two of the latter's 1×1.</summary>
    private static readonly (int Channels, int Extent, int Kernel)[] Shapes =
    [
        (16, 32, 3),
        (32, 16, 3),
        (64, 8, 3),
        (64, 56, 3),
        (128, 28, 3),
        (256, 14, 3),
        (512, 7, 3),
        (256, 28, 1),
        (1024, 14, 1),
    ];

    public static void Run(int batch, int threads)
    {
        using IRuntime own = new OwnRuntime(),
            other = new OrtRuntime();
        LatencyProbe probe = new([own, other], batch, threads);
        Console.WriteLine(
            $"time over the dense layer's at batch {batch}, {threads} threads: {own.Name} / {other.Name}; in brackets the multiply-accumulates"
        );
        foreach ((int channels, int extent, int kernel) in Shapes)
        {
            CompressibleLayer layer = Layer(channels, extent, kernel);
            Console.WriteLine($"{channels} channels, {extent}x{extent}, kernel {kernel}x{kernel}");
            foreach (KernelFormat format in KernelFormat.All.Where(format => layer.Formats.Contains(format) && !format.IsReshaped))
                Console.WriteLine(
                    $"  {format, -12}{string.Concat(((double[])[0.125, 0.25, 0.5]).Select(rate => Cell(probe, layer, format, rate)))}"
                );
        }
    }

    private static string Cell(LatencyProbe probe, CompressibleLayer layer, KernelFormat format, double rate)
    {
        LayerForm form = LayerForm.From(layer, format, layer.FormOf(format).RanksAt(rate, 8));
        ImmutableArray<double> ratios = probe.Ratios(layer, form);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"   {rate, 5}: {ratios[0]:F2} / {ratios[1]:F2} ({(double)form.MacsOf(layer) / layer.Macs:F2})"
        );
    }

    private static CompressibleLayer Layer(int channels, int extent, int kernel)
    {
        Tensor<float> weights = new([channels, channels, kernel, kernel]);
        weights.Values.Fill(0.01f);
        Node node = new(
            "conv",
            new Convolution { KernelShape = [kernel, kernel], Pads = [kernel / 2, kernel / 2, kernel / 2, kernel / 2] },
            ["x", "w"],
            ["y"]
        );
        Port PortOf(string name) => new(name, ElementType.Float32, [new(null, "N"), new(channels), new(extent), new(extent)]);
        Graph graph = new("layer", [node], [PortOf("x")], [PortOf("y")], ImmutableDictionary<string, Tensor>.Empty.Add("w", weights));
        return CompressibleLayer.Of(graph).Layers.Single();
    }
}
