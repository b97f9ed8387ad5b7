using System.Collections.Immutable;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Execution;

/// <summary>The fast executor against the plain one: outputs, gradients of all weights, running statistics.</summary>
public class TrainedNetworkTests
{
    private static readonly (string Name, Func<Graph> Build)[] Networks =
    [
        ("residual blocks", static () => Residual(3, 20, 36)),
        ("narrow channels", static () => Residual(2, 5, 7)),
        ("folded normalisation", Folded),
        ("poolings", Pooled),
        ("factored layers", Factored),
        ("kernels made from factors", MadeOfFactors),
        ("grouped convolutions", Grouped),
        ("sequences", Sequences),
        ("everything else", Mixed),
        ("normalisations before convolutions", Preactivated),
        ("one normalisation applied four times", SharedNorm),
        ("scales and shifts written out", WrittenOut),
    ];

    public static TheoryData<int, int, int> Cases()
    {
        TheoryData<int, int, int> cases = [];
        for (int network = 0; network < Networks.Length; network++)
            foreach ((int images, int threads) in ((int, int)[])[(3, 1), (19, 2)])
                cases.Add(network, images, threads);
        return cases;
    }

    [Theory, MemberData(nameof(Cases))]
    public void Agrees_with_the_plain_executor(int index, int images, int threads) =>
        AssertAgrees(Networks[index].Build(), images, threads);

    internal static void AssertAgrees(Graph graph, int images, int threads)
    {
        graph = WeightsAsInitializers.ForTraining(graph);
        using TrainedNetwork network = new(graph, threads: threads);
        Tensor<float> x = new Sketch(7).Random([images, .. network.ImageShape]);
        Tensor<float> g = new Sketch(8).Random([images, .. network.OutputShape]);

        TrainingForm form = TrainingForm.From(graph);
        string[] weights = [.. network.Weights.Select(static w => w.Name)];
        Graph wide = form.Graph with
        {
            Initializers = form.Graph.Initializers.ToImmutableDictionary(
                static c => c.Key,
                static c => c.Value is Tensor<float> ? c.Value.To(ElementType.Float64) : c.Value
            ),
        };
        Backpropagated wanted = Backpropagation.Run(
            wide with
            {
                Outputs = [.. wide.Outputs, .. form.Statistics.Select(static s => new Port(s.Renewed, ElementType.Float64, null))],
            },
            new Dictionary<string, Tensor> { [graph.Inputs[0].Name] = x.To(ElementType.Float64) },
            weights,
            outputs => new Dictionary<string, Tensor> { [graph.Outputs[0].Name] = g.To(ElementType.Float64) }
        );

        for (int round = 0; round < 2; round++)
        {
            Tensor<float> y = network.Forward(x);
            Close("output", wanted.Outputs[graph.Outputs[0].Name], y);
            network.Backward(g);
            foreach (TrainedWeight weight in network.Weights)
                Close(weight.Name, wanted.Gradients[weight.Name], weight.Gradient, images);
            if (round > 0)
                break;
            foreach (RunningStatistic statistic in form.Statistics)
                Close(statistic.Renewed, wanted.Outputs[statistic.Renewed], network.Statistics[statistic.Constant]);
        }
    }

    /// <summary>
    /// Feature maps stay blocked from the first layer to the last and back: what is converted is the images, and what dense layers read
    /// and give back.
    /// </summary>
    [Theory, InlineData("lenet5", 3), InlineData("resnet20", 2), InlineData("resnet50", 2)]
    public void Feature_maps_stay_blocked(string model, int conversions)
    {
        using TrainedNetwork network = new(ModelZoo.Create(model, [3, 32, 32], 10, seed: 0), threads: 1);
        string[] steps = [.. network.StepsFor(2)];
        string[] converted = [.. steps.Where(static label => label.StartsWith("block ") || label.StartsWith("unblock "))];
        Assert.True(converted.Length <= conversions, string.Join(", ", converted));
    }

    /// <summary>
    /// Exporters join constants that hold one number throughout: of fresh normalisations the scale and the running variance, which is not
    /// trained. Bounds of an activation come as nodes.
    /// </summary>
    [Fact]
    public void Joined_constants_play_one_part_each_and_feature_maps_stay_blocked()
    {
        Sketch sketch = new();
        sketch.Constant("one", Filled([16], 1));
        sketch.Constant("zero", Filled([16], 0));
        sketch.Node("low", new Constant(Filled([], 0)));
        sketch.Node("high", new Constant(Filled([], 6)));
        string map = sketch.Node("c0", new Convolution(), "x", sketch.Weights("w0", [16, 3, 1, 1]));
        for (int k = 1; k <= 2; k++)
        {
            map = sketch.Node($"n{k}", new BatchNormalization(), map, "one", "zero", "zero", "one");
            map = sketch.Node($"a{k}", new Clip(), map, "low", "high");
            map = sketch.Node($"c{k}", new Convolution(), map, sketch.Weights($"w{k}", [16, 16, 1, 1]));
        }
        sketch.Node("y", new GlobalAveragePool(), map);
        using TrainedNetwork network = new(sketch.Graph(3, 8, 8), threads: 1);

        Assert.Equal(3 + 2 * 2, network.Weights.Length);
        Assert.Equal(2 * 2, network.Statistics.Count);
        string[] steps = [.. network.StepsFor(2)];
        Assert.Equal(["block x"], steps.Where(static label => label.StartsWith("block ") || label.StartsWith("unblock ")));
    }

    /// <summary>Large batches sum kernel gradients transformed. No value of this one lies so near a bound that rounding decides its gradient.</summary>
    [Fact]
    public void A_large_batch_agrees_too() => AssertAgrees(Residual(3, 20, 36), images: 99, threads: 2);

    /// <summary>Lanes, not threads, decide in which order sums are formed.</summary>
    [Fact]
    public void The_number_of_threads_changes_no_bit()
    {
        Graph graph = Residual(3, 20, 36);
        float[][] results =
        [
            .. new[] { 1, 2, 3 }.Select(threads =>
            {
                using TrainedNetwork network = new(graph, threads: threads);
                Tensor<float> y = network.Forward(new Sketch(7).Random([100, 3, 8, 8]));
                network.Backward(y.Clone());
                return network.Weights.SelectMany(static w => w.Gradient.Values.ToArray()).ToArray();
            }),
        ];
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    [Fact]
    public void An_operation_without_a_gradient_is_refused_by_name()
    {
        Sketch sketch = new();
        sketch.Node("h", new Convolution(), "x", sketch.Weights("w", [2, 3, 1, 1]));
        sketch.Node("odd", new Unknown("com.example", "Twist", "it is odd."), "h");
        Graph graph = sketch.Graph(3, 4, 4);
        Assert.Contains("Twist", Assert.Throws<UnsupportedException>(() => new TrainedNetwork(graph)).Message);
    }

    [Fact]
    public void The_trained_network_keeps_what_was_not_trained()
    {
        Graph graph = Residual(3, 5, 7);
        using TrainedNetwork network = new(graph, [new("w0", WeightRole.Kernel)]);
        network.Forward(new Sketch(7).Random([4, 3, 8, 8]));
        network.Weights[0].Value.Values.Fill(3);
        Graph after = network.ToGraph();
        Assert.All(after.Initializers["w0"].Of<float>().Values.ToArray(), static v => Assert.Equal(3, v));
        Assert.Same(graph.Initializers["w1"], after.Initializers["w1"]);
        Assert.NotEqual(
            graph.Initializers["n0.mean"].Of<float>().Values.ToArray(),
            after.Initializers["n0.mean"].Of<float>().Values.ToArray()
        );
    }

    private static void Close(string name, Tensor wanted, Tensor<float> actual, int images = 1)
    {
        ReadOnlySpan<double> numbers = wanted.Of<double>().Values;
        // A bias before a normalisation has the gradient 0: what is left are the roundings of a sum over all images.
        double scale = 2e-3 * Math.Max(5, Math.Sqrt(images));
        foreach (double number in numbers)
            scale = Math.Max(scale, Math.Abs(number));
        Assert.Equal(wanted.Shape, actual.Shape);
        for (int i = 0; i < numbers.Length; i++)
            Assert.True(
                Math.Abs(numbers[i] - actual.Values[i]) <= 1e-4 * scale,
                $"{name}[{i}] of {wanted.Shape} is {actual.Values[i]} instead of {numbers[i]}; the largest is {scale:G3}."
            );
    }

    private static string Norm(Sketch sketch, string name, string input, int channels) =>
        sketch.Node(
            name,
            new BatchNormalization(),
            input,
            sketch.Weights($"{name}.scale", [channels], 0.5f, 1.5f),
            sketch.Weights($"{name}.shift", [channels]),
            sketch.Weights($"{name}.mean", [channels]),
            sketch.Weights($"{name}.variance", [channels], 0.5f, 1.5f)
        );

    private static Graph Residual(int inputs, int first, int second)
    {
        Sketch sketch = new();
        Convolution same = new() { Pads = [1, 1, 1, 1] };
        sketch.Node("c0", same, "x", sketch.Weights("w0", [first, inputs, 3, 3]));
        sketch.Node("r0", new Relu(), Norm(sketch, "n0", "c0", first));
        sketch.Node("c1", same, "r0", sketch.Weights("w1", [first, first, 3, 3]));
        sketch.Node("r1", new Relu(), Norm(sketch, "n1", "c1", first));
        sketch.Node("c2", same, "r1", sketch.Weights("w2", [first, first, 3, 3]), sketch.Weights("b2", [first]));
        sketch.Node("a2", new Add(), "r0", Norm(sketch, "n2", "c2", first));
        sketch.Node("r2", new Relu(), "a2");
        sketch.Node("c3", same with { Strides = [2, 2] }, "r2", sketch.Weights("w3", [second, first, 3, 3]));
        sketch.Node("r3", new Relu(), Norm(sketch, "n3", "c3", second));
        sketch.Node("c4", same, "r3", sketch.Weights("w4", [second, second, 3, 3]));
        Norm(sketch, "n4", "c4", second);
        sketch.Node("c5", new Convolution { Strides = [2, 2] }, "r2", sketch.Weights("w5", [second, first, 1, 1]));
        sketch.Node("a4", new Add(), "n4", Norm(sketch, "n5", "c5", second));
        sketch.Node("r4", new Relu(), "a4");
        sketch.Node("p", new GlobalAveragePool(), "r4");
        sketch.Node("f", new Flatten(), "p");
        sketch.Node("y", new Gemm { TransposeB = true }, "f", sketch.Weights("wd", [10, second]), sketch.Weights("bd", [10]));
        return sketch.Graph(inputs, 8, 8);
    }

    /// <summary>A normalisation's input is read twice; one of them stands before any convolution.</summary>
    private static Graph Preactivated()
    {
        Sketch sketch = new();
        Convolution same = new() { Pads = [1, 1, 1, 1] };
        sketch.Node("c0", same, Norm(sketch, "first", "x", 3), sketch.Weights("w0", [20, 3, 3, 3]));
        string value = "c0";
        for (int block = 1; block <= 2; block++)
        {
            sketch.Node($"r{block}", new Relu(), Norm(sketch, $"n{block}", value, 20));
            sketch.Node($"c{block}", same, $"r{block}", sketch.Weights($"w{block}", [20, 20, 3, 3]));
            value = sketch.Node($"a{block}", new Add(), value, $"c{block}");
        }
        sketch.Node("c3", same, Norm(sketch, "n3", value, 20), sketch.Weights("w3", [20, 20, 3, 3]));
        sketch.Node("a3", new Add(), "c3", value);
        sketch.Node("p", new GlobalAveragePool(), "a3");
        sketch.Node("y", new Flatten(), "p");
        return sketch.Graph(3, 6, 7);
    }

    private static Graph SharedNorm()
    {
        Sketch sketch = new();
        Convolution same = new() { Pads = [1, 1, 1, 1] };
        foreach ((string part, float low) in ((string, float)[])[("scale", 0.5f), ("shift", -0.5f), ("mean", -0.5f), ("variance", 0.5f)])
            sketch.Weights(part, [6], low, low + 1);
        string value = "x";
        for (int k = 0; k < 4; k++)
        {
            sketch.Node($"c{k}", same, value, sketch.Weights($"w{k}", [6, k == 0 ? 3 : 6, 3, 3]));
            sketch.Node($"n{k}", new BatchNormalization(), $"c{k}", "scale", "shift", "mean", "variance");
            value = sketch.Node($"r{k}", new Relu(), $"n{k}");
        }
        sketch.Node("p", new GlobalAveragePool(), value);
        sketch.Node("y", new Flatten(), "p");
        return sketch.Graph(3, 6, 7);
    }

    /// <summary>Bias, scale and shift, layer scale: all of them weights.</summary>
    private static Graph WrittenOut()
    {
        Sketch sketch = new();
        Convolution same = new() { Pads = [1, 1, 1, 1] };
        sketch.Node("c0", same, "x", sketch.Weights("w0", [6, 3, 3, 3]));
        sketch.Node("b0", new Add(), "c0", sketch.Weights("bias", [6, 1, 1]));
        sketch.Node("r0", new Relu(), "b0");
        sketch.Node("c1", same, "r0", sketch.Weights("w1", [6, 6, 3, 3]));
        sketch.Node("m1", new Mul(), "c1", sketch.Weights("scale", [1, 6, 1, 1]));
        sketch.Node("s1", new Add(), sketch.Weights("shift", [1, 6, 1, 1]), "m1");
        sketch.Node("l1", new Mul(), sketch.Weights("gamma", [6, 1, 1]), "s1");
        sketch.Node("a1", new Add(), "r0", "l1");
        sketch.Node("p", new GlobalAveragePool(), "a1");
        sketch.Node("y", new Flatten(), "p");
        return sketch.Graph(3, 6, 7);
    }

    private static Graph Folded()
    {
        Sketch sketch = new();
        Convolution same = new() { Pads = [1, 1, 1, 1] };
        sketch.Node("c0", same, "x", sketch.Weights("w0", [18, 3, 3, 3]), sketch.Weights("b0", [18]));
        sketch.Node("r0", new Relu(), "c0");
        sketch.Node(
            "c1",
            new Convolution { Pads = [2, 1, 0, 1], Dilations = [2, 1] },
            "r0",
            sketch.Weights("w1", [18, 18, 2, 3]),
            sketch.Weights("b1", [18])
        );
        sketch.Node("a1", new Add(), "c1", "r0");
        sketch.Node("r1", new Relu(), "a1");
        sketch.Node("c2", new Convolution { Strides = [3, 2] }, "r1", sketch.Weights("w2", [6, 18, 2, 3]), sketch.Weights("b2", [6]));
        sketch.Node("m", new ReduceMean { Axes = [2, 3], KeepDims = false }, "c2");
        sketch.Node("y", new MatMul(), "m", sketch.Weights("wd", [6, 4]));
        return sketch.Graph(3, 9, 7);
    }

    private static Graph Pooled()
    {
        Sketch sketch = new();
        sketch.Node("c0", new Convolution { Pads = [2, 2, 2, 2] }, "x", sketch.Weights("w0", [6, 1, 5, 5]), sketch.Weights("b0", [6]));
        sketch.Node("r0", new Relu(), "c0");
        sketch.Node(
            "p0",
            new MaxPool
            {
                KernelShape = [3, 3],
                Strides = [2, 2],
                Pads = [1, 1, 1, 1],
            },
            "r0"
        );
        sketch.Node("c1", new Convolution(), "p0", sketch.Weights("w1", [16, 6, 3, 3]), sketch.Weights("b1", [16]));
        sketch.Node(
            "p1",
            new AveragePool
            {
                KernelShape = [2, 2],
                Strides = [1, 1],
                Pads = [0, 1, 1, 0],
                CountIncludePad = true,
            },
            "c1"
        );
        sketch.Node("p2", new AveragePool { KernelShape = [2, 2], Strides = [2, 2] }, "p1");
        sketch.Node("f", new Flatten(), "p2");
        sketch.Node("y", new Gemm { TransposeB = true }, "f", sketch.Weights("wd", [10, 64]), sketch.Weights("bd", [10]));
        return sketch.Graph(1, 12, 12);
    }

    /// <summary>What compression makes of convolutions: 1×1, depthwise columns and rows, 1×1.</summary>
    private static Graph Factored()
    {
        Sketch sketch = new();
        sketch.Node("c0", new Convolution(), "x", sketch.Weights("w0", [21, 3, 1, 1]));
        sketch.Node(
            "c1",
            new Convolution
            {
                Groups = 21,
                Pads = [1, 0, 1, 0],
                Strides = [2, 1],
            },
            "c0",
            sketch.Weights("w1", [21, 1, 3, 1])
        );
        sketch.Node(
            "c2",
            new Convolution
            {
                Groups = 21,
                Pads = [0, 1, 0, 1],
                Strides = [1, 2],
            },
            "c1",
            sketch.Weights("w2", [21, 1, 1, 3])
        );
        sketch.Node("c3", new Convolution(), "c2", sketch.Weights("w3", [18, 21, 1, 1]));
        sketch.Node("r3", new Relu(), Norm(sketch, "n3", "c3", 18));
        sketch.Node("c4", new Convolution { Groups = 3 }, "r3", sketch.Weights("w4", [6, 6, 2, 2]), sketch.Weights("b4", [6]));
        sketch.Node("f", new Flatten(), "c4");
        sketch.Node("y", new Gemm { TransposeB = true }, "f", sketch.Weights("wd", [5, 6 * 4 * 3]), sketch.Weights("bd", [5]));
        return sketch.Graph(3, 10, 8);
    }

    /// <summary>Groups of four channels, of twenty, of one to two, strided and not.</summary>
    private static Graph Grouped()
    {
        Sketch sketch = new();
        sketch.Node("c0", new Convolution(), "x", sketch.Weights("w0", [40, 3, 1, 1]));
        sketch.Node(
            "c1",
            new Convolution { Groups = 10, Pads = [1, 1, 1, 1] },
            "c0",
            sketch.Weights("w1", [40, 4, 3, 3]),
            sketch.Weights("b1", [40])
        );
        sketch.Node("r1", new Relu(), "c1");
        sketch.Node(
            "c2",
            new Convolution
            {
                Groups = 2,
                Pads = [1, 1, 1, 1],
                Strides = [2, 2],
            },
            "r1",
            sketch.Weights("w2", [8, 20, 3, 3])
        );
        sketch.Node("c3", new Convolution { Groups = 8 }, Norm(sketch, "n2", "c2", 8), sketch.Weights("w3", [16, 1, 2, 2]));
        sketch.Node("f", new Flatten(), "c3");
        sketch.Node("y", new Gemm { TransposeB = true }, "f", sketch.Weights("wd", [5, 16 * 4 * 3]), sketch.Weights("bd", [5]));
        return sketch.Graph(3, 10, 8);
    }

    /// <summary>Feature maps of one axis.</summary>
    private static Graph Sequences()
    {
        Sketch sketch = new();
        sketch.Node(
            "c0",
            new Convolution { Pads = [2, 1], Strides = [2] },
            "x",
            sketch.Weights("w0", [20, 3, 5]),
            sketch.Weights("b0", [20])
        );
        sketch.Node("r0", new Relu(), Norm(sketch, "n0", "c0", 20));
        sketch.Node(
            "p0",
            new MaxPool
            {
                KernelShape = [3],
                Strides = [2],
                Pads = [1, 1],
            },
            "r0"
        );
        sketch.Node("c1", new Convolution { Pads = [2, 2], Dilations = [2] }, "p0", sketch.Weights("w1", [20, 20, 3]));
        sketch.Node("s", new Add(), "c1", "p0");
        sketch.Node("g", new GlobalAveragePool(), "s");
        sketch.Node("f", new Flatten(), "g");
        sketch.Node("y", new Gemm { TransposeB = true }, "f", sketch.Weights("wd", [5, 20]), sketch.Weights("bd", [5]));
        return sketch.Graph(3, 21);
    }

    /// <summary>
    /// Weights that depend on others: products, moves of axes, a slice, one that two layers share, one in a node, one that is read on its
    /// own too.
    /// </summary>
    private static Graph MadeOfFactors()
    {
        Sketch sketch = new();
        string[] factors = [sketch.Weights("a", [8, 4]), sketch.Weights("b", [4, 8 * 9])];
        sketch.Node("ab", new MatMul(), factors[0], factors[1]);
        sketch.Node("k", new Reshape { Extents = [8, 8, 3, 3] }, "ab");
        sketch.Node("kt", new Transpose([1, 0, 2, 3]), "k");
        sketch.Node(
            "first",
            new Slice
            {
                Starts = [0],
                Ends = [3],
                Axes = [1],
            },
            "kt"
        );
        sketch.Node("c0", new Convolution { Pads = [1, 1, 1, 1] }, "x", "first");
        sketch.Node("r0", new Relu(), Norm(sketch, "n0", "c0", 8));
        sketch.Node("c1", new Convolution { Pads = [1, 1, 1, 1] }, "r0", "k");
        sketch.Node("held", new Constant(new Sketch(9).Random([8, 8, 1, 1])));
        sketch.Node("c2", new Convolution { Strides = [2, 2] }, "c1", "held");
        sketch.Node("m", new GlobalAveragePool(), "c2");
        sketch.Node("f", new Flatten(), "m");
        sketch.Node("fa", new MatMul(), "f", factors[0]);
        sketch.Node("y", new Gemm { TransposeB = true }, "fa", sketch.Weights("wd", [5, 4]), sketch.Weights("bd", [5]));
        return sketch.Graph(3, 6, 6);
    }

    /// <summary>Values that change hands between blocked and plain ones, and gradients that meet from both.</summary>
    private static Graph Mixed()
    {
        Sketch sketch = new();
        Convolution same = new() { Pads = [1, 1, 1, 1] };
        sketch.Node("c0", same, "x", sketch.Weights("w0", [6, 2, 3, 3]));
        sketch.Node("t0", new Sigmoid(), Norm(sketch, "n0", "c0", 6));
        sketch.Node("g", new Convolution { Pads = [1, 1, 1, 1], Groups = 6 }, "t0", sketch.Weights("wg", [6, 1, 3, 3]));
        sketch.Node("c1", same, "t0", sketch.Weights("w1", [6, 6, 3, 3]));
        sketch.Node("s", new Mul(), "c1", "g");
        sketch.Node("c2", same, "s", sketch.Weights("w2", [5, 6, 3, 3]));
        sketch.Node("k", new Concat(1), "c2", "c1", "x");
        sketch.Node("pr", new PRelu(), "k", sketch.Weights("slopes", [13, 1, 1]));
        sketch.Node("u", new ConvolutionTranspose { Strides = [2, 2] }, "pr", sketch.Weights("wu", [13, 4, 2, 2]));
        sketch.Node("m", new GlobalMaxPool(), "u");
        sketch.Node("f", new Reshape { Extents = [0, -1] }, "m");
        sketch.Node("l", new LayerNormalization(), "f", sketch.Weights("ls", [4]), sketch.Weights("lb", [4]));
        sketch.Node("y", new LogSoftmax(), "l");
        return sketch.Graph(2, 6, 6);
    }

    /// <summary>Kernels go by the shapes that a network was compiled for, with pointers.</summary>
    [Fact]
    public void Values_of_another_shape_are_refused_before_they_are_read()
    {
        using TrainedNetwork network = new(Folded(), threads: 1);
        int[] extents = [2, .. network.ImageShape];
        Assert.Throws<ShapeException>(() => network.Forward(new Tensor<float>([.. extents[..^1], extents[^1] + 1])));
        Tensor<float> output = network.Forward(new Tensor<float>(Shape.From(extents)));
        Assert.Throws<ShapeException>(() => network.Backward(new Tensor<float>([output.Shape.ElementCount - 1])));
        network.Backward(new Tensor<float>([output.Shape.ElementCount]));
    }

    private static Tensor<float> Filled(Shape shape, float value)
    {
        Tensor<float> tensor = new(shape);
        tensor.Values.Fill(value);
        return tensor;
    }
}
