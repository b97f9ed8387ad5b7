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

        Graph passed = Recognized(WeightsAsInitializers.Apply(graph), x.Shape);
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

    /// <summary>What moves integers, or takes the largest of some, moves numbers as well; a cast that keeps the type is nothing.</summary>
    [Theory]
    [InlineData("pool"), InlineData("shape"), InlineData("cast"), InlineData("other cast")]
    public void Moves_between_integers_become_moves_of_numbers(string move)
    {
        Sketch net = new(3);
        net.Constant("s", new Tensor<float>([], new[] { 0.03f }));
        net.Constant("z", new Tensor<byte>([], new byte[] { 90 }));
        net.Node("q", new QuantizeLinear(), "x", "s", "z");
        string to = "q";
        switch (move)
        {
            case "pool":
                net.Node(
                    to = "m",
                    new MaxPool
                    {
                        KernelShape = [2, 2],
                        Strides = [2, 2],
                        Pads = [1, 1, 0, 0],
                    },
                    "q"
                );
                break;
            case "shape":
                net.Node("t", new Transpose([0, 2, 3, 1]), "q");
                net.Node(to = "m", new Flatten(), "t");
                break;
            case "cast":
                net.Node(to = "m", new Cast(ElementType.UInt8), "q");
                break;
            default:
                // 200 becomes -56: no cast to leave out.
                net.Node(to = "m", new Cast(ElementType.Int8), "q");
                net.Constant("z", new Tensor<byte>([], new byte[] { 90 }));
                net.Constant("zs", new Tensor<sbyte>([], new sbyte[] { 90 }));
                break;
        }
        net.Node("y", new DequantizeLinear(), to, "s", move == "other cast" ? "zs" : "z");
        Graph graph = net.Graph(3, 6, 6),
            passed = Recognized(graph, [2, 3, 6, 6]);
        Tensor<float> x = net.Random([2, 3, 6, 6], -4, 6);

        Assert.Equal(move == "other cast", passed.Nodes.Any(static node => node.Operation is QuantizeLinear));
        Assert.Equal("y", passed.Nodes[^1].Outputs[0]);
        Assert.Equal(Sketch.Evaluate(graph, x).Values.ToArray(), Sketch.Evaluate(passed, x).Values.ToArray());
        using Inference network = new(graph, threads: 1);
        Assert.Equal(Sketch.Evaluate(graph, x).Values.ToArray(), network.Run(x).Values.ToArray());
    }

    /// <summary>Operators on integers, as networks in the other form of storage have them, against exact integers.</summary>
    [Theory]
    [InlineData(false), InlineData(true)]
    public void Operators_on_integers_give_the_same_integers(bool byChannel)
    {
        Sketch net = new(4);
        Random random = new(4);
        foreach (
            (string name, float scale, byte zero) in ((string, float, byte)[])[("x", 0.03f, 100), ("c", 0.11f, 128), ("a", 0.13f, 120)]
        )
        {
            net.Constant($"{name}s", new Tensor<float>([], new[] { scale }));
            net.Constant($"{name}z", new Tensor<byte>([], new[] { zero }));
        }
        int scales = byChannel ? 5 : 1;
        sbyte[] weights = new sbyte[5 * 3 * 9],
            zeros = new sbyte[scales];
        foreach (ref sbyte weight in weights.AsSpan())
            weight = (sbyte)random.Next(-127, 128);
        net.Constant("w", new Tensor<sbyte>([5, 3, 3, 3], weights));
        net.Constant("ws", new Tensor<float>([scales], Enumerable.Range(1, scales).Select(static k => 0.004f * k).ToArray()));
        net.Constant("wz", new Tensor<sbyte>([scales], zeros));
        net.Constant("b", new Tensor<int>([5], new[] { 100, -2000, 30, 0, 5000 }));
        net.Node("q", new QuantizeLinear(), "x", "xs", "xz");
        net.Node(
            "c",
            new QLinearConv(new Convolution { KernelShape = [3, 3], Pads = [1, 1, 1, 1] }),
            "q",
            "xs",
            "xz",
            "w",
            "ws",
            "wz",
            "cs",
            "cz",
            "b"
        );
        net.Node("a", new QuantizedFunction("QLinearAdd", new Add(), 2), "c", "cs", "cz", "c", "cs", "cz", "as", "az");
        net.Node("y", new DequantizeLinear(), "a", "as", "az");
        Graph graph = net.Graph(3, 8, 8);
        Tensor<float> x = net.Random([2, 3, 8, 8], -3, 3);

        using Inference network = new(graph, threads: 2);
        Tensor<float> expected = Sketch.Evaluate(graph, x),
            actual = network.Run(x);
        int far = 0;
        for (int k = 0; k < expected.Values.Length; k++)
            far += Math.Abs(expected.Values[k] - actual.Values[k]) > 1e-4f ? 1 : 0;
        Assert.InRange(far, 0, expected.Values.Length / 100);
    }

    /// <summary>Products with one scale, with one for each row and column, and with zero points that differ.</summary>
    [Theory]
    [InlineData(1, 1), InlineData(4, 6), InlineData(1, 6)]
    public void Products_of_integers_give_the_same_integers(int rows, int columns)
    {
        Sketch net = new(6);
        Random random = new(6);
        sbyte[] weights = new sbyte[5 * 6];
        foreach (ref sbyte weight in weights.AsSpan())
            weight = (sbyte)random.Next(-127, 128);
        net.Constant("one", new Tensor<float>([], new[] { 0.02f }));
        net.Constant("oz", new Tensor<byte>([], new byte[] { 110 }));
        net.Constant("as", new Tensor<float>(rows == 1 ? [] : [rows], Enumerable.Range(1, rows).Select(static k => 0.02f * k).ToArray()));
        net.Constant(
            "az",
            new Tensor<byte>(rows == 1 ? [] : [rows], Enumerable.Range(0, rows).Select(static k => (byte)(110 + k)).ToArray())
        );
        net.Constant("w", new Tensor<sbyte>([5, 6], weights));
        net.Constant("ws", new Tensor<float>([columns], Enumerable.Range(1, columns).Select(static k => 0.003f * k).ToArray()));
        net.Constant("wz", new Tensor<sbyte>([columns], new sbyte[columns]));
        net.Constant("ys", new Tensor<float>([], new[] { 0.11f }));
        net.Constant("yz", new Tensor<byte>([], new byte[] { 128 }));
        net.Node("q", new QuantizeLinear(), "x", "one", "oz");
        net.Node("m", new QLinearMatMul(), "q", "as", "az", "w", "ws", "wz", "ys", "yz");
        net.Node("y", new DequantizeLinear(), "m", "ys", "yz");
        Graph graph = net.Graph(4, 5);
        Tensor<float> x = net.Random([3, 4, 5], -2, 2);
        using Inference network = new(graph, threads: 1);
        Tensor<float> expected = Sketch.Evaluate(graph, x),
            actual = network.Run(x);
        Assert.Equal(expected.Shape, actual.Shape);
        int far = 0;
        for (int k = 0; k < expected.Values.Length; k++)
            far += Math.Abs(expected.Values[k] - actual.Values[k]) > 1e-4f ? 1 : 0;
        Assert.InRange(far, 0, 1);
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
        Assert.Same(other, Recognized(other, [1, 3, 4, 4]));

        Sketch read = new(2);
        read.Constant("s", new Tensor<float>([], new[] { 0.1f }));
        read.Constant("z", new Tensor<byte>([], new byte[] { 3 }));
        read.Node("q", new QuantizeLinear(), "x", "s", "z");
        read.Node("d", new DequantizeLinear(), "q", "s", "z");
        read.Node("c", new Cast(ElementType.Float32), "q");
        read.Node("y", new Add(), "c", "d");
        Graph graph = read.Graph(3, 4, 4),
            passed = Recognized(graph, [1, 3, 4, 4]);
        Assert.Contains(passed.Nodes, static node => node.Operation is QuantizeLinear);
        Tensor<float> x = read.Random([1, 3, 4, 4], -3, 40);
        Assert.Equal(Sketch.Evaluate(graph, x).Values.ToArray(), Sketch.Evaluate(passed, x).Values.ToArray());
    }

    /// <summary>Of a negative scale the largest integer is the smallest number; integers may be quantised as well as numbers.</summary>
    [Theory]
    [InlineData(true), InlineData(false)]
    public void Negative_scales_and_quantised_integers_stay_as_they_are(bool isNegative)
    {
        Sketch net = new(8);
        net.Constant("s", new Tensor<float>([], new[] { isNegative ? -0.05f : 3f }));
        net.Constant("z", new Tensor<byte>([], new byte[] { 100 }));
        string from = "x";
        if (!isNegative)
            net.Node(from = "i", new Cast(ElementType.Int32), "x");
        net.Node("q", new QuantizeLinear(), from, "s", "z");
        net.Node("m", new MaxPool { KernelShape = [2, 2], Strides = [2, 2] }, "q");
        net.Node("y", new DequantizeLinear(), "m", "s", "z");
        Graph graph = net.Graph(3, 6, 6);
        Tensor<float> x = net.Random([2, 3, 6, 6], -40, 60);

        Assert.Contains(Recognized(graph, x.Shape).Nodes, static node => node.Operation is QuantizeLinear);
        using Inference network = new(graph, threads: 1);
        Assert.Equal(Sketch.Evaluate(graph, x).Values.ToArray(), network.Run(x).Values.ToArray());
    }

    private static Graph Recognized(Graph graph, Shape x) =>
        RecognizeFakeQuantization.Apply(graph, ShapeInference.Run(graph, new Dictionary<string, Shape> { ["x"] = x }));

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
