using Google.Protobuf;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.OnnxRuntime;
using static Tensorial.Tests.Onnx.TinyModel;

namespace Tensorial.Tests.Onnx;

/// <summary>A node of an old operator set and what it becomes in set 13 answer alike in ONNX Runtime.</summary>
public class OpsetUpgradeTests
{
    public static TheoryData<string> Names() => [.. Cases.Keys];

    private static readonly Dictionary<string, (int Opset, NodeProto Node, TensorProto[] Constants)> Cases = new()
    {
        ["Clip"] = (7, Node("Clip", "n", ["x"], ["y"], Float("min", 3), Float("max", 11)), []),
        ["Pad"] = (9, Node("Pad", "n", ["x"], ["y"], Ints("pads", 0, 0, 1, 2, 0, 0, 3, 0), Float("value", 5)), []),
        ["Slice"] = (9, Node("Slice", "n", ["x"], ["y"], Ints("starts", 1, 0), Ints("ends", 4, 2), Ints("axes", 3, 2)), []),
        ["Split"] = (11, Node("Split", "n", ["x"], ["y", "rest"], Int("axis", 2), Ints("split", 1, 3)), []),
        ["Squeeze"] = (11, Node("Squeeze", "n", ["x"], ["y"], Ints("axes", 0)), []),
        ["Unsqueeze"] = (9, Node("Unsqueeze", "n", ["x"], ["y"], Ints("axes", 1)), []),
        ["ReduceSum"] = (11, Node("ReduceSum", "n", ["x"], ["y"], Ints("axes", 1, 3), Int("keepdims", 0)), []),
        ["Softmax over the channels and all behind"] = (9, Node("Softmax", "n", ["x"], ["y"], Int("axis", 1)), []),
        ["Softmax over the last axis"] = (9, Node("Softmax", "n", ["x"], ["y"], Int("axis", 3)), []),
        ["Upsample with an attribute"] = (8, Node("Upsample", "n", ["x"], ["y"], Floats("scales", 1, 1, 2, 2)), []),
        ["Upsample linear"] = (9, Node("Upsample", "n", ["x", "s"], ["y"], Text("mode", "linear")), [Scales()]),
        ["Resize"] = (10, Node("Resize", "n", ["x", "s"], ["y"], Text("mode", "nearest")), [Scales()]),
        ["TopK"] = (9, Node("TopK", "n", ["x"], ["y", "places"], Int("axis", 1), Int("k", 1)), []),
        ["Dropout"] = (9, Node("Dropout", "n", ["x"], ["y"], Float("ratio", 0.3f)), []),
        ["Flatten"] = (9, Node("Flatten", "n", ["x"], ["y"], Int("axis", 2)), []),
        ["BatchNormalization"] = (
            7,
            Node("BatchNormalization", "n", ["x", "a", "b", "m", "v"], ["y"], Float("epsilon", 0.01f)),
            [TinyModel.Floats("a", [2]), TinyModel.Floats("b", [2]), TinyModel.Floats("m", [2]), TinyModel.Floats("v", [2])]
        ),
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void The_function_stays_the_same(string name)
    {
        (int opset, NodeProto node, TensorProto[] constants) = Cases[name];
        ModelProto model = Empty();
        model.OpsetImport[0].Version = opset;
        model.Graph.Input.Add(Port("x", 1, 2, 4, 4));
        model.Graph.Output.Add(Port("y"));
        model.Graph.Output[0].Type.TensorType.Shape = null;
        model.Graph.Initializer.Add(constants);
        model.Graph.Node.Add(node);
        Graph graph = model.Read(),
            later = OpsetUpgrade.ToAtLeast(graph, 13);
        ModelProto written = ModelProto.Parser.ParseFrom(OnnxFile.ToBytes(later));
        Assert.Equal(13, written.OpsetImport.Single(static import => import.Domain.Length == 0).Version);
        Tensor<float> x = new([1, 2, 4, 4], Enumerable.Range(0, 32).Select(static k => (float)(k * 7 % 32) / 2).ToArray());
        using ISession before = OrtRuntime.Load(OnnxFile.ToBytes(graph), 1),
            after = OrtRuntime.Load(OnnxFile.ToBytes(later), 1);
        Dictionary<string, Tensor> inputs = new() { ["x"] = x };
        Tensor<float> expected = before.Run(inputs)["y"].Of<float>(),
            actual = after.Run(inputs)["y"].Of<float>();
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.Equal(expected.Values.ToArray(), actual.Values.ToArray(), static (a, b) => Math.Abs(a - b) <= 1e-5f);
    }

    [Fact]
    public void A_set_that_is_late_enough_stays()
    {
        Graph graph = Convolutional().Read();
        Assert.Same(graph, OpsetUpgrade.ToAtLeast(graph, 13));
    }

    private static TensorProto Scales() =>
        new()
        {
            Name = "s",
            DataType = (int)TensorProto.Types.DataType.Float,
            Dims = { 4 },
            FloatData = { 1, 1, 2, 2 },
        };

    private static AttributeProto Float(string name, float value) =>
        new()
        {
            Name = name,
            Type = AttributeProto.Types.AttributeType.Float,
            F = value,
        };

    private static AttributeProto Floats(string name, params float[] values) =>
        new()
        {
            Name = name,
            Type = AttributeProto.Types.AttributeType.Floats,
            Floats = { values },
        };

    private static AttributeProto Text(string name, string value) =>
        new()
        {
            Name = name,
            Type = AttributeProto.Types.AttributeType.String,
            S = ByteString.CopyFromUtf8(value),
        };
}
