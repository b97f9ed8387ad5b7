using Tensorial.Compression.Runtimes;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Execution;

/// <summary>QuantizeLinear and DequantizeLinear as one function: the same values, and where it must not be made.</summary>
public class FakeQuantizationTests
{
    [Fact]
    public void The_grid_is_that_of_exact_arithmetic()
    {
        Random random = new(1);
        const float scale = 0.25f;
        // Halves between two steps, which round to the even one, beyond both ends, and what is no multiple of anything.
        float[] x =
        [
            .. Enumerable.Range(-2400, 4800).Select(static k => k * 0.03125f),
            .. Enumerable.Range(0, 1001).Select(_ => (float)(60 * random.NextDouble() - 30)),
            float.PositiveInfinity,
            float.NegativeInfinity,
            0,
        ];
        float[] y = new float[x.Length];
        Rounding.ToGrid(x, y, scale, -100, 155);
        for (int k = 0; k < x.Length; k++)
        {
            double expected = Math.Clamp(Math.Round((double)x[k] / scale, MidpointRounding.ToEven), -100, 155) * scale;
            Assert.Equal(expected, y[k]);
        }
        Rounding.ToGrid([float.NaN], y.AsSpan(0, 1), scale, 0, 255);
        Assert.True(float.IsNaN(y[0]));
    }

    public static TheoryData<ElementType, int, string> Grids()
    {
        TheoryData<ElementType, int, string> data = [];
        foreach (string bound in (string[])["none", "relu", "clip", "tight"])
        {
            data.Add(ElementType.UInt8, 0, bound);
            data.Add(ElementType.UInt8, 117, bound);
            data.Add(ElementType.Int8, -128, bound);
            data.Add(ElementType.Int8, 5, bound);
            data.Add(ElementType.UInt16, 30000, bound);
        }
        return data;
    }

    /// <summary>Node by node, as one function, and in ONNX Runtime; both readers of the integers get their numbers.</summary>
    [Theory]
    [MemberData(nameof(Grids))]
    public void A_network_gives_the_values_that_its_nodes_give(ElementType type, int zero, string bound)
    {
        Graph graph = Quantized(type, zero, bound);
        Tensor<float> x = new Sketch(7).Random([2, 3, 6, 6], -3, 3);

        Graph passed = RecognizeFakeQuantization.Apply(WeightsAsInitializers.Apply(graph));
        Assert.DoesNotContain(passed.Nodes, static node => node.Operation is QuantizeLinear or DequantizeLinear);
        Assert.Single(passed.Nodes, static node => node.Operation is FakeQuantize);
        // Bounds go where the integers end there, or before.
        bool endsAtZero = (type, zero) is (ElementType.UInt8, 0) or (ElementType.Int8, -128);
        Assert.Equal(bound == "tight", passed.Nodes.Any(static node => node.Operation is Clip));
        Assert.Equal(bound == "relu" && !endsAtZero, passed.Nodes.Any(static node => node.Operation is Relu));

        Tensor<float> expected = Sketch.Evaluate(graph, x);
        Assert.Equal(expected.Values.ToArray(), Sketch.Evaluate(passed, x).Values.ToArray());
        using Inference network = new(graph, threads: 2);
        Close(expected, network.Run(x));
        // Which the operator set that is written does not have.
        if (type == ElementType.UInt16)
            return;
        using ISession theirs = OrtRuntime.Load(OnnxFile.ToBytes(graph), 1);
        Close(theirs.Run(graph, x), network.Run(x));
    }

    [Fact]
    public void Other_scales_and_integers_that_are_read_stay()
    {
        Sketch net = new(2);
        net.Constant("s", new Tensor<float>([], new[] { 0.1f }));
        net.Constant("t", new Tensor<float>([], new[] { 0.2f }));
        net.Constant("z", new Tensor<byte>([], new byte[] { 3 }));
        net.Node("q", new QuantizeLinear(), "x", "s", "z");
        net.Node("y", new DequantizeLinear(), "q", "t", "z");
        Graph other = net.Graph(3, 4, 4);
        Assert.Same(other, RecognizeFakeQuantization.Apply(other));

        Sketch read = new(2);
        read.Constant("s", new Tensor<float>([], new[] { 0.1f }));
        read.Constant("z", new Tensor<byte>([], new byte[] { 3 }));
        read.Node("q", new QuantizeLinear(), "x", "s", "z");
        read.Node("d", new DequantizeLinear(), "q", "s", "z");
        read.Node("c", new Cast(ElementType.Float32), "q");
        read.Node("y", new Add(), "c", "d");
        Graph graph = read.Graph(3, 4, 4),
            passed = RecognizeFakeQuantization.Apply(graph);
        Assert.Contains(passed.Nodes, static node => node.Operation is QuantizeLinear);
        Tensor<float> x = read.Random([1, 3, 4, 4], -3, 40);
        Assert.Equal(Sketch.Evaluate(graph, x).Values.ToArray(), Sketch.Evaluate(passed, x).Values.ToArray());
    }

    /// <summary>A convolution, a bound, integers read twice, and a convolution of what they stand for.</summary>
    private static Graph Quantized(ElementType type, int zero, string bound)
    {
        Sketch net = new(5);
        net.Constant("s", new Tensor<float>([], new[] { type == ElementType.UInt16 ? 1e-4f : 0.021f }));
        net.Constant("z", new Tensor<float>([], new[] { (float)zero }).To(type));
        net.Node("c", new Convolution { KernelShape = [3, 3], Pads = [1, 1, 1, 1] }, "x", net.Weights("w", [8, 3, 3, 3]));
        string from = "c";
        if (bound == "relu")
            net.Node(from = "r", new Relu(), "c");
        else if (bound != "none")
            // As far as the integers reach, or within them.
            net.Node(from = "r", bound == "clip" ? new Clip { Min = -3f, Max = 100 } : new Clip { Min = 0.1f, Max = 0.9f }, "c");
        net.Node("q", new QuantizeLinear(), from, "s", "z");
        net.Node("d", new DequantizeLinear(), "q", "s", "z");
        net.Node("e", new DequantizeLinear(), "q", "s", "z");
        net.Node("k", new Convolution { KernelShape = [1, 1] }, "d", net.Weights("v", [8, 8, 1, 1]));
        net.Node("y", new Add(), "k", "e");
        return net.Graph(3, 6, 6);
    }

    private static void Close(Tensor<float> expected, Tensor<float> actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        // A sum in another order may fall on the other side of a half: one step of the grid, in few places.
        int far = 0;
        for (int k = 0; k < expected.Values.Length; k++)
        {
            float difference = Math.Abs(expected.Values[k] - actual.Values[k]);
            Assert.True(difference < 0.1f, $"{expected.Values[k]} and {actual.Values[k]} at {k}");
            far += difference > 1e-4f ? 1 : 0;
        }
        Assert.InRange(far, 0, expected.Values.Length / 20);
    }
}
