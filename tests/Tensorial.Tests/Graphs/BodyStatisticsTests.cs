using Tensorial.Graphs;
using Tensorial.Onnx.Proto;
using Tensorial.Tests.Onnx;

namespace Tensorial.Tests.Graphs;

/// <summary>Weights that lie inside branches, loops and unknown nodes are weights of the network: sizes and targets count them.</summary>
public class BodyStatisticsTests
{
    /// <summary>A product with a matrix 4 × 4 before, and one in each body; one of the branches has a second.</summary>
    [Theory]
    [InlineData("If", 16 + 16 + 32, 16 + 32)]
    [InlineData("Loop", 16 + 16, 16 + 3 * 16)]
    [InlineData("Scan", 16 + 16, 16)]
    public void Constants_of_bodies_count(string type, long parameters, long macs)
    {
        ModelProto model = TinyModel.Of(
            [TinyModel.Floats("w", [4, 4]), TinyModel.Scalar("three", 3), Truth("yes")],
            TinyModel.Node("MatMul", "first", ["x", "w"], ["a"]),
            TinyModel.Node("ReduceSum", "sum", ["a"], ["s"], TinyModel.Int("keepdims", 0)),
            TinyModel.Node("Greater", "test", ["s", "s"], ["c"]),
            type switch
            {
                "If" => TinyModel.Node(
                    "If",
                    "if",
                    ["c"],
                    ["y"],
                    TinyModel.Body("then_branch", Body("a", 1)),
                    TinyModel.Body("else_branch", Body("a", 2))
                ),
                "Loop" => TinyModel.Node("Loop", "loop", ["three", "yes", "a"], ["y"], TinyModel.Body("body", Round())),
                _ => TinyModel.Node(
                    "Scan",
                    "scan",
                    ["a", "x"],
                    ["y", "z"],
                    TinyModel.Body("body", Body("h", 1, "h", "v")),
                    TinyModel.Int("num_scan_inputs", 1)
                ),
            }
        );

        GraphStatistics statistics = GraphStatistics.From(model.Read());

        Assert.Equal(parameters, statistics.Parameters);
        Assert.Equal(macs, statistics.Macs);
    }

    /// <summary>Products one after the other, of what the body captures or is given.</summary>
    private static GraphProto Body(string from, int products, params string[] inputs)
    {
        GraphProto body = new() { Name = "body" };
        body.Input.Add(inputs.Select(static name => TinyModel.Port(name)));
        for (int k = 0; k < products; k++)
        {
            body.Initializer.Add(TinyModel.Floats($"w{k}", [4, 4]));
            body.Node.Add(TinyModel.Node("MatMul", $"m{k}", [k == 0 ? from : $"p{k - 1}", $"w{k}"], [$"p{k}"]));
        }
        body.Output.Add(TinyModel.Port($"p{products - 1}"));
        return body;
    }

    private static TensorProto Truth(string name) =>
        new()
        {
            Name = name,
            DataType = (int)TensorProto.Types.DataType.Bool,
            Int32Data = { 1 },
        };

    private static GraphProto Round()
    {
        GraphProto body = Body("h", 1, "round", "goes", "h");
        body.Node.Add(TinyModel.Node("Identity", "on", ["goes"], ["goes on"]));
        body.Output.Insert(0, TinyModel.Port("goes on"));
        return body;
    }
}
