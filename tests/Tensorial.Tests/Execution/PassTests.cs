using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Execution;

/// <summary>Each pass by itself: what it takes away or joins, what it leaves alone, and that answers stay.</summary>
public class PassTests
{
    [Fact]
    public void Identities_go_and_outputs_keep_their_names()
    {
        Sketch net = new();
        net.Node("a", new Identity(), "x");
        net.Node("b", new Relu(), "a");
        net.Node("c", new Identity(), "b");
        Graph graph = net.Graph(4, 4);
        Graph passed = DropIdentities.Apply(graph);

        AssertSame(graph, passed, [2, 4, 4]);
        Assert.Single(passed.Nodes, static node => node.Operation is Relu);
        Assert.True(passed.Nodes.Length <= 2);
        Assert.Equal("c", passed.Outputs[0].Name);
    }

    [Fact]
    public void Batch_norm_goes_into_the_only_convolution_it_follows()
    {
        Graph alone = Normalised(isReadTwice: false),
            shared = Normalised(isReadTwice: true);
        Graph folded = FoldBatchNorm.Apply(alone, new(alone), new()),
            kept = FoldBatchNorm.Apply(shared, new(shared), new());

        AssertSame(alone, folded, [2, 3, 5, 5]);
        Assert.DoesNotContain(folded.Nodes, static node => node.Operation is BatchNormalization);
        AssertSame(shared, kept, [2, 3, 5, 5]);
        // What the convolution itself answers is read as well.
        Assert.Contains(kept.Nodes, static node => node.Operation is BatchNormalization);
    }

    /// <summary>Weights of 1e30 times a scale of 1e20 leave float32, what the two layers make of a tiny map does not.</summary>
    [Fact]
    public void A_batch_norm_stays_where_folded_weights_would_overflow()
    {
        Sketch net = new();
        net.Node("c", new Convolution { KernelShape = [1, 1] }, "x", net.Weights("w", [3, 2, 1, 1], 1e30f, 2e30f));
        net.Constant("g", new Tensor<float>([3], new[] { 1e20f, 1e20f, 1e20f }));
        net.Node("y", new BatchNormalization(), "c", "g", net.Weights("b", [3]), net.Weights("m", [3]), net.Weights("v", [3], 1, 2));
        Graph graph = net.Graph(2, 4, 4);
        Tensor<float> x = net.Random([1, 2, 4, 4], 1e-26f, 2e-26f),
            expected = Sketch.Evaluate(graph, x);
        Assert.True(System.Numerics.Tensors.TensorPrimitives.IsFiniteAll<float>(expected.Values));

        using Inference network = new(graph, threads: 1);
        Tensor<float> given = network.Run(x);

        for (int k = 0; k < expected.Values.Length; k++)
            Assert.Equal(1, given.Values[k] / expected.Values[k], 1e-5);
    }

    [Fact]
    public void Constants_are_computed_once_but_not_those_that_training_changes()
    {
        Graph graph = Product();
        Dictionary<string, Shape> inputs = new() { ["x"] = [2, 6] };
        HashSet<string> changing = ["b"];
        Graph folded = FoldConstants.Apply(graph, ShapeInference.Run(graph, inputs), new()),
            training = FoldConstants.Apply(graph, ShapeInference.Run(graph, inputs, changing), new(), changing: changing);

        AssertSame(graph, folded, [2, 6]);
        Assert.Equal(["y"], folded.Nodes.Select(static node => node.Outputs[0]));
        Assert.Contains(training.Nodes, static node => node.Outputs[0] == "ab");
        AssertSame(graph, training, [2, 6]);
    }

    [Fact]
    public void Products_of_parameters_come_first_in_their_own_order()
    {
        Sketch net = new();
        net.Node("r", new Relu(), "x");
        net.Node("ab", new MatMul(), net.Weights("a", [6, 2]), net.Weights("b", [2, 3]));
        net.Node("abc", new MatMul(), "ab", net.Weights("c", [3, 4]));
        net.Node("y", new MatMul(), "r", "abc");
        Graph graph = net.Graph(6),
            passed = ParametersFirst.Apply(graph);

        Assert.Equal(["ab", "abc", "r", "y"], passed.Nodes.Select(static node => node.Outputs[0]));
        Assert.Equal(["ab", "abc"], ParametersFirst.Leading(passed).Select(static node => node.Outputs[0]));
        AssertSame(graph, passed, [2, 6]);
    }

    [Fact]
    public void Activations_written_out_are_one_node_and_lookalikes_are_not()
    {
        Sketch swish = new();
        swish.Node("s", new Sigmoid(), "x");
        swish.Node("y", new Mul(), "x", "s");
        Graph graph = swish.Graph(8),
            passed = RecognizeActivations.Apply(graph);
        Assert.Single(passed.Nodes);
        AssertSame(graph, passed, [3, 8]);

        // σ of something else, and a second reader of σ.
        Sketch other = new();
        other.Node("r", new Relu(), "x");
        other.Node("s", new Sigmoid(), "r");
        other.Node("p", new Mul(), "x", "s");
        other.Node("y", new Add(), "p", "s");
        Assert.Equal(4, RecognizeActivations.Apply(other.Graph(8)).Nodes.Length);
    }

    /// <summary>As PyTorch and Paddle write HardSwish and HardSigmoid before operator set 14.</summary>
    [Theory]
    [InlineData("x clip / 6"), InlineData("clip / 6 x"), InlineData("x clip sixth"), InlineData("bounds as inputs"), InlineData("clip / 6")]
    public void Hard_gates_written_out_are_one_node(string form)
    {
        Graph graph = HardGate(form),
            passed = RecognizeActivations.Apply(graph);

        Node only = Assert.Single(passed.Nodes, static node => node.Operation is not Constant);
        Assert.Equal(form == "clip / 6" ? new HardSigmoid(1f / 6, 0.5f) : new HardSwish(), only.Operation);
        AssertSame(graph, passed, [3, 8]);
    }

    /// <summary>Other numbers, the gate of another value, and a gate that something else reads.</summary>
    [Theory]
    [
        InlineData("another bound"),
        InlineData("another offset"),
        InlineData("of another"),
        InlineData("read twice"),
        InlineData("divided by")
    ]
    public void What_only_looks_like_a_hard_gate_stays(string form)
    {
        Graph graph = HardGate(form),
            passed = RecognizeActivations.Apply(graph);

        Assert.DoesNotContain(passed.Nodes, static node => node.Operation is HardSwish);
        AssertSame(graph, passed, [3, 8]);
    }

    private static Graph HardGate(string form)
    {
        Sketch net = new();
        foreach ((string name, float value) in new[] { ("zero", 0), ("two", 2), ("three", 3), ("six", 6), ("sixth", 1f / 6) })
            net.Constant(name, new Tensor<float>(form == "bounds as inputs" ? [] : [1], new[] { value }));
        string from = form == "of another" ? net.Node("r", new Tanh(), "x") : "x",
            sum = net.Node("sum", new Add(), from, form == "another offset" ? "two" : "three"),
            clip = form == "bounds as inputs"
                ? net.Node("clip", new Clip(), sum, "zero", "six")
                : net.Node("clip", new Clip(0, form == "another bound" ? 5 : 6), sum);
        switch (form)
        {
            case "clip / 6":
                net.Node("y", new Div(), clip, "six");
                break;
            case "clip / 6 x":
                net.Node("y", new Mul(), net.Node("gate", new Div(), clip, "six"), "x");
                break;
            case "x clip sixth":
                net.Node("y", new Mul(), "sixth", net.Node("p", new Mul(), clip, "x"));
                break;
            case "read twice":
                net.Node("y", new Add(), net.Node("q", new Div(), net.Node("p", new Mul(), "x", clip), "six"), clip);
                break;
            case "divided by":
                net.Node("y", new Div(), "six", net.Node("p", new Mul(), "x", net.Node("e", new Exp(), clip)));
                break;
            default:
                net.Node("y", new Div(), net.Node("p", new Mul(), "x", clip), "six");
                break;
        }
        return net.Graph(8);
    }

    /// <summary>As PyTorch, Hugging Face and TensorFlow write GELU: constants on either side, halves anywhere.</summary>
    [Theory]
    [InlineData("x (1 + erf) / 2"), InlineData("x (erf + 1) half"), InlineData("half first"), InlineData("half inside")]
    [InlineData("tanh by powers"), InlineData("tanh by products")]
    public void Gelu_written_out_is_one_node(string form)
    {
        Graph graph = Gelu(form),
            passed = RecognizeActivations.Apply(graph);

        Node only = Assert.Single(passed.Nodes, static node => node.Operation is not Constant);
        Assert.Equal(new Gelu(form.StartsWith("tanh", StringComparison.Ordinal)), only.Operation);
        AssertSame(graph, passed, [3, 8]);
        Assert.Equal(graph.Nodes.Length, RecognizeActivations.Apply(graph, graph.Initializers.Keys.ToHashSet()).Nodes.Length);
    }

    /// <summary>Other numbers, the function of another value, and values that something else reads.</summary>
    [Theory]
    [InlineData("another scale"), InlineData("no half"), InlineData("of another"), InlineData("read twice"), InlineData("divided by")]
    [InlineData("an axis")]
    public void What_only_looks_like_gelu_stays(string form)
    {
        Graph graph = Gelu(form),
            passed = RecognizeActivations.Apply(graph);

        Assert.DoesNotContain(passed.Nodes, static node => node.Operation is Gelu);
        AssertSame(graph, passed, [3, 8]);
    }

    private static Graph Gelu(string form)
    {
        Sketch net = new();
        foreach ((string name, double value) in new[] { ("one", 1), ("half", 0.5), ("two", 2), ("three", 3), ("root", Math.Sqrt(2)) })
            net.Constant(name, new Tensor<float>([], new[] { (float)value }));
        net.Constant("cubic", new Tensor<float>([], new[] { 0.044715f }));
        net.Constant("slope", new Tensor<float>([], new[] { (float)Math.Sqrt(2 / Math.PI) }));
        net.Constant("other", new Tensor<float>([], new[] { 1.5f }));
        net.Constant("row", new Tensor<float>([1, 1, 1], new[] { 0.5f }));
        if (form.StartsWith("tanh", StringComparison.Ordinal))
        {
            string cube = form.EndsWith("powers", StringComparison.Ordinal)
                ? net.Node("cube", new Pow(), "x", "three")
                : net.Node("cube", new Mul(), "x", net.Node("square", new Mul(), "x", "x"));
            string inner = net.Node("inner", new Add(), "x", net.Node("small", new Mul(), "cubic", cube));
            string bent = net.Node("bent", new Tanh(), net.Node("steep", new Mul(), "slope", inner));
            net.Node("y", new Mul(), net.Node("h", new Mul(), "half", "x"), net.Node("gate", new Add(), "one", bent));
            return net.Graph(8);
        }
        string from = form == "of another" ? net.Node("r", new Relu(), "x") : "x",
            erf = net.Node("erf", new Erf(), net.Node("scaled", new Div(), from, form == "another scale" ? "other" : "root"));
        string sum = form == "x (erf + 1) half" ? net.Node("sum", new Add(), erf, "one") : net.Node("sum", new Add(), "one", erf);
        switch (form)
        {
            case "x (1 + erf) / 2":
                net.Node("y", new Div(), net.Node("p", new Mul(), "x", sum), "two");
                break;
            case "half first":
                net.Node("y", new Mul(), net.Node("p", new Mul(), "x", "half"), sum);
                break;
            case "half inside":
                net.Node("y", new Mul(), "x", net.Node("p", new Mul(), "half", sum));
                break;
            case "divided by":
                net.Node("y", new Div(), net.Node("p", new Mul(), "x", "half"), sum);
                break;
            case "an axis":
                net.Node("y", new Mul(), net.Node("p", new Mul(), "x", sum), "row");
                break;
            default:
                net.Node("y", new Mul(), net.Node("p", new Mul(), "x", sum), form == "no half" ? "other" : "half");
                break;
        }
        if (form == "read twice")
            net.Node("z", new Add(), "y", sum);
        return net.Graph(8);
    }

    private static Graph Product()
    {
        Sketch net = new();
        net.Node("ab", new MatMul(), net.Weights("a", [6, 2]), net.Weights("b", [2, 3]));
        net.Node("y", new MatMul(), "x", "ab");
        return net.Graph(6);
    }

    private static Graph Normalised(bool isReadTwice)
    {
        Sketch net = new();
        net.Node("conv", new Convolution { Pads = [1, 1, 1, 1] }, "x", net.Weights("w", [4, 3, 3, 3]), net.Weights("b", [4]));
        net.Node(
            "norm",
            new BatchNormalization(),
            "conv",
            net.Weights("scale", [4], 0.5f, 2),
            net.Weights("shift", [4]),
            net.Weights("mean", [4]),
            net.Weights("variance", [4], 0.5f, 2)
        );
        net.Node("y", isReadTwice ? new Add() : new Relu(), isReadTwice ? ["norm", "conv"] : ["norm"]);
        return net.Graph(3, 5, 5);
    }

    private static void AssertSame(Graph graph, Graph passed, Shape shape)
    {
        Tensor<float> x = new Sketch(5).Random(shape);
        float[] expected = [.. Sketch.Evaluate(graph, x).Values],
            actual = [.. Sketch.Evaluate(passed, x).Values];
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-4f * (1 + Math.Abs(expected[i])));
    }
}
