using Google.Protobuf;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.Tests.Onnx;
using Tensorial.Tests.Operations;

namespace Tensorial.Tests.Hostile;

/// <summary>Branches and loops in each other: what is asked of the outermost must not double at every depth, or run as long as a file likes.</summary>
public class NestedBodyTests
{
    /// <summary>As deep as protocol buffers are read.</summary>
    private const int Deep = 28;

    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    public static TheoryData<string> Cases() => [.. Models.Keys];

    private static readonly Dictionary<string, Func<ModelProto>> Models = new()
    {
        ["branches with a constant condition"] = static () => Nested(Deep, static (body, depth) => Branch("yes", body)),
        ["branches that the input decides"] = static () => Nested(Deep, static (body, depth) => Branch("big", body)),
        ["loops of no round"] = static () => Nested(Deep, static (body, depth) => Loop("none", body, depth)),
        ["loops of one round"] = static () => Nested(Deep, static (body, depth) => Loop("one", body, depth)),
        ["loops of a thousand rounds"] = static () => Nested(6, static (body, depth) => Loop("thousand", body, depth)),
        ["a loop of sixteen million rounds"] = static () => Nested(1, static (body, depth) => Loop("millions", body, depth)),
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task They_are_computed_or_refused(string name)
    {
        Graph graph = OnnxFile.Read(Models[name]().ToByteArray(), "nested.onnx");

        _ = await Task.Run(() => ShapeInference.Explore(graph)).WaitAsync(Hang);
        _ = await Task.Run(() => GraphStatistics.From(graph)).WaitAsync(Hang);
        Exception? refusal = await Task.Run(() =>
                Record.Exception(() => Interpreter.Run(graph, new Dictionary<string, Tensor> { ["x"] = Some.Real<float>([1, 2], 1) }))
            )
            .WaitAsync(Hang);
        if (name.Contains("thousand") || name.Contains("million"))
            Assert.Contains("is not supported", Assert.IsAssignableFrom<BadInputException>(refusal).Message);
        else
            Assert.Null(refusal);
    }

    private static NodeProto Branch(string condition, GraphProto body) =>
        TinyModel.Node("If", "", [condition], ["r"], TinyModel.Body("then_branch", body), TinyModel.Body("else_branch", Leaf("Neg")));

    private static NodeProto Loop(string rounds, GraphProto inner, int depth)
    {
        GraphProto body = inner.Clone();
        body.Input.Add(new ValueInfoProto { Name = $"round{depth}" });
        body.Input.Add(new ValueInfoProto { Name = $"goes{depth}" });
        body.Input.Add(new ValueInfoProto { Name = $"carried{depth}" });
        body.Node.Add(TinyModel.Node("Identity", "", [$"goes{depth}"], [$"on{depth}"]));
        body.Output.Insert(0, new ValueInfoProto { Name = $"on{depth}" });
        return TinyModel.Node("Loop", "", [rounds, "yes", "x"], ["r"], TinyModel.Body("body", body));
    }

    private static GraphProto Leaf(string operation) =>
        new()
        {
            Name = "leaf",
            Node = { TinyModel.Node(operation, "", ["x"], ["r"]) },
            Output = { new ValueInfoProto { Name = "r" } },
        };

    private static ModelProto Nested(int depth, Func<GraphProto, int, NodeProto> around)
    {
        GraphProto body = Leaf("Relu");
        for (int k = 0; k < depth; k++)
            body = new()
            {
                Name = "body",
                Node = { around(body, k) },
                Output = { new ValueInfoProto { Name = "r" } },
            };
        ModelProto model = TinyModel.Empty();
        model.Graph.Input.Add(TinyModel.Port("x", 1, 2));
        model.Graph.Output.Add(TinyModel.Port("y"));
        model.Graph.Initializer.Add([
            new TensorProto
            {
                Name = "yes",
                DataType = (int)TensorProto.Types.DataType.Bool,
                Int32Data = { 1 },
            },
            TinyModel.Scalar("none", 0),
            TinyModel.Scalar("one", 1),
            TinyModel.Scalar("thousand", 1000),
            TinyModel.Scalar("millions", (1 << 24) - 1),
            TinyModel.Scalar("zero", 0),
        ]);
        model.Graph.Node.Add([
            TinyModel.Node("ReduceMax", "", ["x"], ["most"], TinyModel.Int("keepdims", 0)),
            TinyModel.Node("Greater", "", ["most", "limit"], ["big"]),
            .. body.Node,
            TinyModel.Node("Identity", "", ["r"], ["y"]),
        ]);
        model.Graph.Initializer.Add(
            new TensorProto
            {
                Name = "limit",
                DataType = (int)TensorProto.Types.DataType.Float,
                FloatData = { -100 },
            }
        );
        return model;
    }
}
