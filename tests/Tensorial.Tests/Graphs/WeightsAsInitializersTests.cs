using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Tests.Graphs;

/// <summary>Weights are found, and the network computes what it did before, however an exporter wrote them.</summary>
public class WeightsAsInitializersTests
{
    private static readonly Convolution Same = new() { KernelShape = [3, 3], Pads = [1, 1, 1, 1] };

    public static TheoryData<string, string[]> Cases() =>
        new()
        {
            { "constant node", ["w"] },
            { "identity", ["k"] },
            { "transpose", ["k"] },
            { "reshape", ["flat"] },
            { "weight norm", ["w"] },
            { "initializer that is an input", ["k"] },
        };

    [Theory, MemberData(nameof(Cases))]
    public void A_kernel_is_a_plain_initializer_of_the_same_function(string how, string[] names)
    {
        Graph graph = Written(how),
            plain = WeightsAsInitializers.Apply(graph);
        Assert.Equal(names, KernelWeights.From(plain).Kernels.Select(static kernel => kernel.Name));
        KernelWeight kernel = KernelWeights.From(plain).Kernels.Single();
        Assert.Equal(kernel.Name, kernel.Node.Inputs[1]);
        Assert.Equal("oihw", string.Concat(kernel.Axes));
        Assert.Single(plain.Nodes);
        Assert.Same(plain, WeightsAsInitializers.Apply(plain));
        AssertSame(graph, plain);
        Assert.Equal([kernel.Name], TrainableConstants.Of(plain).Select(static constant => constant.Name));
    }

    /// <summary>What is computed of whole numbers is made of no weight, and stays for the others that read it.</summary>
    [Fact]
    public void A_shape_that_a_weight_and_the_network_read_stays_with_the_network()
    {
        Sketch sketch = new();
        sketch.Constant("k", new Tensor<int>([2], new[] { 4, 4 }));
        sketch.Node("s", new Cast(ElementType.Int64), "k");
        sketch.Node("w", new Reshape(), sketch.Weights("flat", [2, 8]), "s");
        sketch.Node("p", new MatMul(), "x", "w");
        sketch.Node("y", new Reshape(), "p", "s");
        Graph graph = sketch.Graph(4),
            plain = WeightsAsInitializers.Apply(graph);

        Assert.Equal(["flat"], KernelWeights.From(plain).Kernels.Select(static kernel => kernel.Name));
        Tensor<float> x = sketch.Random([4, 4]);
        Assert.Equal(Sketch.Evaluate(graph, x).Values.ToArray(), Sketch.Evaluate(plain, x).Values.ToArray());
    }

    /// <summary>A constant that very many are added up to is no weight of a layer; the network is what it was.</summary>
    [Fact]
    public void A_sum_of_thousands_of_constants_is_left_to_be_computed()
    {
        Sketch sketch = new();
        string sum = sketch.Weights("c0", [1, 4]);
        for (int k = 1; k < 3000; k++)
            sum = sketch.Node($"s{k}", new Add(), sketch.Weights($"c{k}", [1, 4]), sum);
        sketch.Node("y", new Mul(), "x", sum);
        Graph graph = sketch.Graph(4),
            plain = WeightsAsInitializers.Apply(graph);
        Tensor<float> x = sketch.Random([2, 4]);
        Assert.Equal(Sketch.Evaluate(graph, x).Values.ToArray(), Sketch.Evaluate(plain, x).Values.ToArray());
        using Inference network = new(graph, threads: 1);
        Assert.Equal(Sketch.Evaluate(graph, x).Values.ToArray(), network.Run(x).Values.ToArray());
    }

    private static Graph Written(string how)
    {
        Sketch sketch = new();
        switch (how)
        {
            case "constant node":
                sketch.Node("w", new Constant(sketch.Random([6, 4, 3, 3])));
                break;
            case "identity":
                sketch.Node("w", new Identity(), sketch.Weights("k", [6, 4, 3, 3]));
                break;
            case "transpose":
                sketch.Node("w", new Transpose([3, 2, 0, 1]), sketch.Weights("k", [3, 3, 4, 6]));
                break;
            case "reshape":
                sketch.Node("w", new Reshape { Extents = [6, 4, 3, 3] }, sketch.Weights("flat", [6, 36]));
                break;
            case "weight norm":
                sketch.Node("n", new ReduceL2 { Axes = [1, 2, 3] }, sketch.Weights("v", [6, 4, 3, 3]));
                sketch.Node("u", new Div(), "v", "n");
                sketch.Node("w", new Mul(), "u", sketch.Weights("g", [6, 1, 1, 1]));
                break;
            default:
                sketch.Weights("k", [6, 4, 3, 3]);
                break;
        }
        sketch.Node("y", Same, "x", how.StartsWith("initializer", StringComparison.Ordinal) ? "k" : "w");
        Graph graph = sketch.Graph(4, 7, 7);
        return how.StartsWith("initializer", StringComparison.Ordinal)
            ? graph with
            {
                Inputs = graph.Inputs.Add(new("k", ElementType.Float32, [new(6), new(4), new(3), new(3)])),
            }
            : graph;
    }

    [Fact]
    public void Factors_of_a_larger_kernel_stay_factors()
    {
        Sketch sketch = new();
        sketch.Node("product", new MatMul(), sketch.Weights("a", [6, 2]), sketch.Weights("b", [2, 36]));
        sketch.Node("w", new Reshape { Extents = [6, 4, 3, 3] }, "product");
        sketch.Node("y", Same, "x", "w");
        Graph graph = sketch.Graph(4, 7, 7);
        Assert.Same(graph, WeightsAsInitializers.Apply(graph));
        Assert.Contains("made of other constants", Assert.Single(KernelWeights.From(graph).Uncut).Reason, StringComparison.Ordinal);
        Assert.Equal(["a", "b"], TrainableConstants.Of(graph).Select(static constant => constant.Name));
    }

    [Fact]
    public void Narrow_weights_behind_a_cast_stay_narrow_and_are_found()
    {
        Sketch sketch = new();
        sketch.Constant("half", sketch.Random([6, 4, 3, 3]).To(ElementType.Float16));
        sketch.Node("w", new Cast(ElementType.Float32), "half");
        sketch.Node("y", Same, "x", "w");
        Graph graph = sketch.Graph(4, 7, 7);
        Assert.Same(graph, WeightsAsInitializers.Apply(graph));
        KernelWeight kernel = KernelWeights.From(graph).Kernels.Single();
        Assert.Equal(("half", ElementType.Float16, ElementType.Float32), (kernel.Name, kernel.Weights.ElementType, kernel.ReadAs));
        Assert.Equal(["half"], TrainableConstants.Of(graph).Select(static constant => constant.Name));
    }

    [Fact]
    public void A_large_weight_that_another_node_reads_is_not_copied()
    {
        Sketch sketch = new();
        sketch.Weights("table", [100, 64]);
        sketch.Node("turned", new Transpose([1, 0]), "table");
        sketch.Node("a", new MatMul(), "x", "turned");
        sketch.Node("y", new MatMul(), "a", "table");
        Graph graph = sketch.Graph(64);
        Assert.Same(graph, WeightsAsInitializers.Apply(graph));
    }

    [Fact]
    public void Layers_that_share_a_kernel_are_one_weight()
    {
        Sketch sketch = new();
        sketch.Weights("k", [4, 4, 3, 3]);
        sketch.Node("a", Same, "x", "k");
        sketch.Node("again", new Identity(), "k");
        sketch.Node("y", Same, "a", "again");
        Graph graph = sketch.Graph(4, 7, 7);
        KernelWeight kernel = KernelWeights.From(graph).Kernels.Single();
        Assert.Equal(["a", "y"], kernel.Nodes.Select(static node => node.Name));
        AssertSame(graph, WeightsAsInitializers.Apply(graph));
    }

    [Fact]
    public void Joined_constants_are_parted_by_role_and_a_layer_applied_twice_stays_one()
    {
        Sketch sketch = new();
        sketch.Constant("one", Filled(4, 1));
        sketch.Constant("zero", Filled(4, 0));
        sketch.Node("a", new BatchNormalization(), "x", "one", "zero", "zero", "one");
        foreach (string name in (string[])["scale", "shift", "mean", "variance"])
            sketch.Constant(name, Filled(4, 2));
        sketch.Node("b", new BatchNormalization(), "a", "scale", "shift", "mean", "variance");
        sketch.Node("y", new BatchNormalization(), "b", "scale", "shift", "mean", "variance");
        Graph graph = sketch.Graph(4, 5, 5),
            parted = WeightsAsInitializers.ForTraining(graph);
        Assert.Equal(4, parted.Nodes[0].Inputs.Skip(1).Distinct().Count());
        Assert.Equal(parted.Nodes[1].Inputs.Skip(1), parted.Nodes[2].Inputs.Skip(1));
        Assert.Equal(8, parted.Initializers.Count);
        AssertSame(graph, parted);
    }

    [Fact]
    public void Dead_nodes_and_unread_constants_go()
    {
        Sketch sketch = new();
        sketch.Node("dead", Same, "x", sketch.Weights("unused", [6, 4, 3, 3]));
        sketch.Weights("unread", [7]);
        sketch.Node("y", Same, "x", sketch.Weights("k", [6, 4, 3, 3]));
        Graph plain = WeightsAsInitializers.Apply(sketch.Graph(4, 7, 7));
        Assert.Equal("y", Assert.Single(plain.Nodes).Name);
        Assert.Equal("k", Assert.Single(plain.Initializers).Key);
    }

    /// <summary>A stack of 300,000 calls would end the process, and a walk over all paths of 40 diamonds never.</summary>
    [Fact]
    public void Long_chains_and_diamonds_are_walked_in_linear_time()
    {
        Sketch chain = new();
        string value = chain.Weights("k", [6, 4, 3, 3]);
        for (int k = 0; k < 300_000; k++)
            value = chain.Node($"i{k}", new Identity(), value);
        chain.Node("y", Same, "x", value);
        Graph graph = chain.Graph(4, 7, 7);
        Assert.Equal("k", KernelWeights.From(graph).Kernels.Single().Name);
        Assert.Equal("k", TrainableConstants.Of(graph).Single().Name);
        Assert.Single(WeightsAsInitializers.Apply(graph).Nodes);

        Sketch diamonds = new();
        value = diamonds.Weights("k", [6, 4, 3, 3]);
        for (int k = 0; k < 40; k++)
            value = diamonds.Node($"m{k}", new Mul(), value, value);
        diamonds.Node("y", Same, "x", value);
        graph = diamonds.Graph(4, 7, 7);
        Assert.Equal("k", TrainableConstants.Of(graph).Single().Name);
        Assert.Single(WeightsAsInitializers.Apply(graph).Nodes);
    }

    private static Tensor<float> Filled(int count, float value)
    {
        Tensor<float> filled = new([count]);
        filled.Values.Fill(value);
        return filled;
    }

    /// <summary>Node by node, as the operations define themselves.</summary>
    private static void AssertSame(Graph one, Graph other)
    {
        Shape shape = [2, .. one.Inputs[0].Dimensions!.Value.Skip(1).Select(static dimension => dimension.Extent!.Value)];
        Dictionary<string, Tensor> inputs = new() { ["x"] = new Sketch(5).Random(shape) };
        float[] wanted = Interpreter.Run(one, inputs)["y"].Of<float>().Values.ToArray(),
            actual = Interpreter.Run(other, inputs)["y"].Of<float>().Values.ToArray();
        Assert.Equal(wanted.Length, actual.Length);
        Assert.All(wanted.Zip(actual), static pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }
}
