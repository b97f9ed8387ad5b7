using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Tests.Compression;

/// <summary>
/// What calibration promises: the measure is the change of the layer's answers, and a layer makes up for those before it.
/// </summary>
public class CalibrationTests
{
    /// <summary>‖(K - K̃) Σ^½‖² / ‖K Σ^½‖² is the mean squared change of the answers over their mean square.</summary>
    [Theory]
    [InlineData(false), InlineData(true)]
    public void The_measure_is_the_change_of_the_answers(bool centred)
    {
        (Graph graph, CompressibleLayer layer, ImageSet images) = Second();
        InputMoments moments = InputMoments.From(layer, graph, null, images, 10, 1, CancellationToken.None);
        TensorFactors<double> fit = KernelFactorization.Fit(layer.Kernel, KernelFormat.SvdOut, [2], new(moments.Own(centred)));
        Tensor<float> before = Answers(graph, layer, images);
        Tensor<float> after = Answers(graph.With(layer.Name, fit.Reconstruct().To(ElementType.Float32)), layer, images);
        // Centred, what a bias could make right does not count, on either side.
        double[] shift = centred
            ? ShiftSlot.Shift(layer.Kernel, moments.Mean, fit.Reconstruct(), moments.Mean)
            : new double[layer.Kernel.Shape[0]];
        double[] mean = centred
            ? ShiftSlot.Shift(layer.Kernel, moments.Mean, new(layer.Kernel.Shape), moments.Mean)
            : new double[layer.Kernel.Shape[0]];
        double change = 0,
            all = 0;
        int plane = before.Shape.ElementCountOf(2, 4);
        for (int k = 0; k < before.Values.Length; k++)
        {
            int channel = k / plane % before.Shape[1];
            change += Math.Pow(after.Values[k] + shift[channel] - before.Values[k], 2);
            all += Math.Pow(before.Values[k] - mean[channel], 2);
        }
        Assert.Equal(fit.RelativeError, Math.Sqrt(change / all), 1e-3);
    }

    /// <summary>Weights of 1e30 are finite numbers; what they make of images is not, two layers on.</summary>
    [Fact]
    public void A_layer_that_reads_what_is_not_finite_is_named()
    {
        (Graph graph, CompressibleLayer layer, ImageSet images) = Second();
        Tensor<float> huge = graph.ConstantOf("w1")!.Of<float>().Clone();
        foreach (ref float value in huge.Values)
            value *= 1e30f;

        string message = Assert
            .Throws<NumericalException>(() => InputMoments.From(layer, graph.With("w1", huge), null, images, 10, 1, CancellationToken.None))
            .Message;

        Assert.Contains($"'{layer.Name}'", message);
        Assert.Contains(layer.Use.Data, message);
    }

    [Fact]
    public void With_data_the_answers_change_less_than_without()
    {
        (Graph graph, CompressibleLayer layer, ImageSet images) = Second();
        KernelMetric metric = new(InputMoments.From(layer, graph, null, images, 10, 1, CancellationToken.None).Own(false));
        foreach (KernelFormat format in KernelFormat.All)
        {
            ImmutableArray<int> ranks = layer.FormOf(format).RanksAt(0.4);
            double informed = Change(KernelFactorization.Fit(layer.Kernel, format, ranks, metric)),
                plain = Change(KernelFactorization.Fit(layer.Kernel, format, ranks));
            Assert.True(informed <= plain * 1.001, $"{format}: {informed} with data, {plain} without");
        }

        double Change(TensorFactors<double> fit)
        {
            Tensor<float> one = Answers(graph, layer, images),
                other = Answers(graph.With(layer.Name, fit.Reconstruct().To(ElementType.Float32)), layer, images);
            return Math.Sqrt(one.Values.ToArray().Zip(other.Values.ToArray(), static (a, b) => Math.Pow(a - b, 2)).Sum());
        }
    }

    /// <summary>Inputs halved by an earlier change are answered by a kernel twice as large.</summary>
    [Theory]
    [InlineData(false), InlineData(true)]
    public void The_target_makes_up_for_what_changed_before(bool centred)
    {
        (Graph graph, CompressibleLayer layer, ImageSet images) = Second();
        Tensor<float> first = ((Tensor<float>)graph.Initializers["w1"]).Clone();
        foreach (ref float value in first.Values)
            value /= 2;
        InputMoments moments = InputMoments.From(layer, graph.With("w1", first), graph, images, 10, 1, CancellationToken.None);
        Tensor<double> target = LayerMetrics.Target(
            layer.Kernel,
            moments.Own(centred),
            KernelMetric.Regularised(moments.Own(centred), 1e-9),
            moments.Cross(centred)
        );
        for (int k = 0; k < target.Values.Length; k++)
            Assert.Equal(2 * layer.Kernel.Values[k], target.Values[k], 1e-2);
    }

    [Fact]
    public void Shifted_images_keep_their_pixels_and_black_comes_in()
    {
        Tensor<byte> pixels = new([1, 1, 3, 3], new byte[] { 1, 2, 3, 4, 5, 6, 7, 8, 9 });
        ImageSet images = new("one", pixels, new[] { 0 }, 1, Normalization.None);
        HashSet<string> seen =
        [
            .. Enumerable
                .Range(0, 200)
                .Select(seed =>
                    string.Join(' ', images.Shifted(1, seed).Batch(0, 1).Values.ToArray().Select(static v => (int)Math.Round(v * 255)))
                ),
        ];
        Assert.Equal(9, seen.Count);
        Assert.Contains("1 2 3 4 5 6 7 8 9", seen);
        Assert.Contains("0 0 0 0 1 2 0 4 5", seen);
        Assert.Contains("5 6 0 8 9 0 0 0 0", seen);
    }

    /// <summary>Two convolutions with a Relu between them, and the second one's place in it.</summary>
    private static (Graph, CompressibleLayer, ImageSet) Second()
    {
        Random random = new(2);
        Tensor<float> Values(Shape shape)
        {
            Tensor<float> values = new(shape);
            foreach (ref float value in values.Values)
                value = random.NextSingle() - 0.5f;
            return values;
        }
        Convolution same = new() { KernelShape = [3, 3], Pads = [1, 1, 1, 1] },
            strided =
                new()
                {
                    KernelShape = [3, 3],
                    Pads = [0, 1, 1, 0],
                    Strides = [2, 1],
                };
        Graph graph = new(
            "two",
            [new("first", same, ["x", "w1"], ["a"]), new("relu", new Relu(), ["a"], ["b"]), new("second", strided, ["b", "w2"], ["y"])],
            [new("x", ElementType.Float32, [new(null, "N"), new(3), new(8), new(8)])],
            [new("y", ElementType.Float32, null)],
            ImmutableDictionary<string, Tensor>.Empty.Add("w1", Values([6, 3, 3, 3])).Add("w2", Values([8, 6, 3, 3]))
        );
        ImageSet images = new("noise", Values([40, 3, 8, 8]), new int[40], 1, Normalization.None);
        return (graph, CompressibleLayer.Of(graph).Layers.Single(static layer => layer.Name == "w2"), images);
    }

    private static Tensor<float> Answers(Graph graph, CompressibleLayer layer, ImageSet images)
    {
        using Inference network = new(graph, 1);
        return network.Run(images.Batch(0, images.Count));
    }
}
