using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.Operations;
using AttributeType = Tensorial.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace Tensorial.Tests.Onnx;

/// <summary>What stands for other nodes gives way to them; the same network written out by hand is what it is compared with.</summary>
public class InliningTests
{
    [Fact]
    public void Calls_of_functions_become_their_nodes()
    {
        ModelProto model = TinyModel.Of(
            [TinyModel.Floats("s", [4])],
            Call("twice", "one", ["x"], ["a"], Number("slope", 0.25f)),
            Call("twice", "two", ["a"], ["b"]),
            TinyModel.Node("Add", "", ["b", "s"], ["y"])
        );
        model.Functions.Add(
            Function(
                "twice",
                ["p"],
                ["q"],
                ["slope"],
                Call("leaky", "first", ["p"], ["m"], Refers("alpha", "slope")),
                Call("leaky", "", ["m"], ["q"])
            )
        );
        model.Functions.Add(
            Function("leaky", ["p"], ["q"], ["alpha"], TinyModel.Node("LeakyRelu", "f", ["p"], ["q"], Refers("alpha", "alpha")))
        );
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "own", Version = 1 });
        ModelProto plain = TinyModel.Of(
            [TinyModel.Floats("s", [4])],
            TinyModel.Node("LeakyRelu", "", ["x"], ["m1"], Number("alpha", 0.25f)),
            TinyModel.Node("LeakyRelu", "", ["m1"], ["a"]),
            TinyModel.Node("LeakyRelu", "", ["a"], ["m2"]),
            TinyModel.Node("LeakyRelu", "", ["m2"], ["b"]),
            TinyModel.Node("Add", "", ["b", "s"], ["y"])
        );

        Graph graph = model.Read();
        Assert.DoesNotContain(graph.Nodes, static node => node.Operation is Unknown);
        Assert.Equal(graph.Nodes.Length, graph.Nodes.Select(static node => node.Outputs[0]).Distinct().Count());
        AssertSame(plain.Read(), graph);
        Assert.Empty(OnnxWriter.Write(graph).Model.Functions);
    }

    [Fact]
    public void A_function_of_another_operator_set_is_kept()
    {
        ModelProto model = TinyModel.Of([], Call("soft", "n", ["x"], ["y"]));
        FunctionProto function = Function("soft", ["p"], ["q"], [], TinyModel.Node("Softmax", "", ["p"], ["q"]));
        function.OpsetImport[0].Version = 12;
        model.Functions.Add(function);
        Graph graph = model.Read();
        Assert.IsType<Unknown>(Assert.Single(graph.Nodes).Operation);
        Assert.Single(OnnxWriter.Write(graph).Model.Functions);
    }

    [Theory]
    [InlineData(1), InlineData(2)]
    public void Functions_that_never_end_are_refused(int calls)
    {
        ModelProto model = TinyModel.Of([], Call("f0", "n", ["x"], ["y"]));
        // Forty functions, each calling the next twice, stand for 2⁴⁰ nodes; one that calls itself for as many as one likes.
        for (int i = 0; i < 40; i++)
            model.Functions.Add(
                Function(
                    $"f{i}",
                    ["p"],
                    ["q"],
                    [],
                    calls == 1 ? [Call("f0", "", ["p"], ["q"])] : [Call($"f{i + 1}", "", ["p"], ["m"]), Call($"f{i + 1}", "", ["m"], ["q"])]
                )
            );
        Assert.Contains("functions", Assert.ThrowsAny<BadInputException>(() => model.Read()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void A_branch_that_a_constant_chooses_takes_the_place_of_the_node(bool condition)
    {
        ModelProto model = TinyModel.Of(
            [Flag("c", condition), TinyModel.Floats("outer", [4])],
            TinyModel.Node(
                "If",
                "if",
                ["c"],
                ["y"],
                TinyModel.Body("then_branch", Branch("Add")),
                TinyModel.Body("else_branch", Branch("Mul"))
            )
        );
        ModelProto plain = TinyModel.Of(
            [TinyModel.Floats("outer", [4]), TinyModel.Floats("inner", [4])],
            TinyModel.Node(condition ? "Add" : "Mul", "", ["x", "outer"], ["m"]),
            TinyModel.Node("Sub", "", ["m", "inner"], ["y"])
        );
        Graph graph = model.Read();
        Assert.DoesNotContain(graph.Nodes, static node => node.Operation is If);
        AssertSame(plain.Read(), graph);
    }

    /// <summary>A condition that an input may override decides nothing when the file is read, but at each run.</summary>
    [Theory]
    [InlineData(true), InlineData(false)]
    public void A_branch_that_an_input_chooses_is_taken_at_the_run(bool condition)
    {
        ModelProto model = TinyModel.Of(
            [Flag("c", !condition), TinyModel.Floats("outer", [4])],
            TinyModel.Node(
                "If",
                "if",
                ["c"],
                ["y"],
                TinyModel.Body("then_branch", Branch("Add")),
                TinyModel.Body("else_branch", Branch("Mul"))
            )
        );
        ValueInfoProto port = TinyModel.Port("c");
        port.Type.TensorType.ElemType = (int)TensorProto.Types.DataType.Bool;
        model.Graph.Input.Add(port);
        Graph graph = model.Read();
        Tensor<float> x = new([1, 4], new[] { 1f, -2, 3, -4 });
        Tensor y = Interpreter.Run(graph, new Dictionary<string, Tensor> { ["x"] = x, ["c"] = new Tensor<bool>([], new[] { condition }) })[
            "y"
        ];
        for (int i = 0; i < 4; i++)
        {
            float own = i + 0.5f;
            Assert.Equal((condition ? x.Values[i] + own : x.Values[i] * own) - own, y.Of<float>().Values[i]);
        }
    }

    [Theory]
    [InlineData("Relu"), InlineData("LeakyRelu", 0.25f), InlineData("Clip", -1f, 2f), InlineData("HardSigmoid", 0.3f, 0.4f), InlineData("")]
    public void Joined_convolutions_come_apart(string function, params float[] parameters)
    {
        NodeProto joined = TinyModel.Node("FusedConv", "c", ["i", "w", "b", "z"], ["y"], TinyModel.Ints("kernel_shape", 1, 1));
        joined.Domain = "com.microsoft";
        if (function.Length > 0)
        {
            joined.Attribute.Add(
                new AttributeProto
                {
                    Name = "activation",
                    Type = AttributeType.String,
                    S = Google.Protobuf.ByteString.CopyFromUtf8(function),
                }
            );
            joined.Attribute.Add(
                new AttributeProto
                {
                    Name = "activation_params",
                    Type = AttributeType.Floats,
                    Floats = { parameters },
                }
            );
        }
        TensorProto[] weights =
        [
            TinyModel.Floats("w", [3, 4, 1, 1]),
            TinyModel.Floats("b", [3]),
            TinyModel.Floats("z", [1, 3, 1, 1]),
            Whole("s", 0, 4, 1, 1),
        ];
        ModelProto model = TinyModel.Of(weights, TinyModel.Node("Reshape", "", ["x", "s"], ["i"]), joined);
        Graph graph = model.Read();
        Assert.Contains(graph.Nodes, static node => node.Operation is Convolution && node.Name == "c");
        Assert.Single(KernelWeights.From(graph).Kernels);
        float[] y = Run(graph).Of<float>().Values.ToArray();
        for (int o = 0; o < 3; o++)
        {
            float sum = o + 0.5f + (o + 0.5f);
            for (int i = 0; i < 4; i++)
                sum += (o * 4 + i + 0.5f) * Sample.Values[i];
            float expected = function switch
            {
                "Relu" => Math.Max(0, sum),
                "LeakyRelu" => sum < 0 ? parameters[0] * sum : sum,
                "Clip" => Math.Clamp(sum, parameters[0], parameters[1]),
                "HardSigmoid" => Math.Clamp(parameters[0] * sum + parameters[1], 0, 1),
                _ => sum,
            };
            Assert.Equal(expected, y[o], 1e-5f);
        }
    }

    /// <summary>Names of results that nobody wants do not make a batch normalisation one in training.</summary>
    [Fact]
    public void Absent_results_at_the_end_say_nothing()
    {
        ModelProto model = TinyModel.Of(
            [TinyModel.Floats("p", [4])],
            TinyModel.Node("BatchNormalization", "n", ["x", "p", "p", "p", "p"], ["y", "", "", "", ""])
        );
        model.OpsetImport[0].Version = 9;
        Graph graph = model.Read();
        Assert.IsType<BatchNormalization>(graph.Nodes[0].Operation);
        Assert.Equal(model, OnnxWriter.Write(graph).Whole());
    }

    private static Tensor<float> Sample { get; } = new([1, 4], new[] { 0.5f, -2, 1.5f, 0.25f });

    private static Tensor Run(Graph graph) => Interpreter.Run(graph, new Dictionary<string, Tensor> { ["x"] = Sample })["y"];

    private static void AssertSame(Graph expected, Graph graph) => Compare.Close(Run(expected), Run(graph), "y", 0);

    private static GraphProto Branch(string type) =>
        new()
        {
            Name = "branch",
            Initializer = { TinyModel.Floats("inner", [4]) },
            Node = { TinyModel.Node(type, "", ["x", "outer"], ["m"]), TinyModel.Node("Sub", "", ["m", "inner"], ["z"]) },
            Output = { TinyModel.Port("z") },
        };

    private static NodeProto Call(string function, string name, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        NodeProto node = TinyModel.Node(function, name, inputs, outputs, attributes);
        node.Domain = "own";
        return node;
    }

    private static FunctionProto Function(string name, string[] inputs, string[] outputs, string[] attributes, params NodeProto[] nodes) =>
        new()
        {
            Name = name,
            Domain = "own",
            Input = { inputs },
            Output = { outputs },
            Attribute = { attributes },
            Node = { nodes },
            OpsetImport =
            {
                new OperatorSetIdProto { Domain = "", Version = 13 },
                new OperatorSetIdProto { Domain = "own", Version = 1 },
            },
        };

    private static AttributeProto Number(string name, float value) =>
        new()
        {
            Name = name,
            Type = AttributeType.Float,
            F = value,
        };

    private static AttributeProto Refers(string name, string to) =>
        new()
        {
            Name = name,
            Type = AttributeType.Float,
            RefAttrName = to,
        };

    private static TensorProto Flag(string name, bool value) => OnnxTensors.Write(name, new Tensor<bool>([], new[] { value }));

    private static TensorProto Whole(string name, params long[] values) =>
        OnnxTensors.Write(name, new Tensor<long>([values.Length], values));
}
