using Google.Protobuf;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx.Proto;
using Tensorial.OnnxRuntime;
using Tensorial.Tests.Onnx;

namespace Tensorial.Tests.Compression;

/// <summary>Random inputs of networks that leave extents open; ONNX Runtime says whether they fit.</summary>
public class RandomInputsTests
{
    [Theory]
    [InlineData(20, 64), InlineData(100, 256), InlineData(2000, 4096)]
    public void A_signal_is_as_long_as_the_network_needs_and_a_state_has_the_batch(int padding, int length)
    {
        ModelProto model = Streaming(padding);
        Graph graph = model.Read();
        IReadOnlyDictionary<string, Tensor> inputs = RandomInputs.Create(graph, 3, 0);
        Assert.Equal(Shape.From([3, length]), inputs["x"].Shape);
        Assert.Equal(Shape.From([2, 3, 5]), inputs["state"].Shape);

        using ISession theirs = OrtRuntime.Load(model.ToByteArray(), 1);
        using ISession ours = new OwnRuntime().Load(graph, 1);
        Compare.Close(theirs.Run(inputs)["y"], ours.Run(inputs)["y"], "y");
    }

    [Fact]
    public void Layers_are_measured_at_extents_that_fit()
    {
        Graph guessed = Streaming(100).Read().WithGuessedExtents();
        Assert.Equal(256, guessed.GuessFor(Streaming(100).Read()));
        Assert.Empty(ShapeInference.Explore(guessed).Failures);
        Assert.Null(guessed.FreeInputs[0].Dimensions!.Value[0].Extent);
    }

    private static AttributeProto Mode(string value) =>
        new()
        {
            Name = "mode",
            Type = AttributeProto.Types.AttributeType.String,
            S = ByteString.CopyFromUtf8(value),
        };

    /// <summary>A signal, padded with its own mirror image and convolved, beside a state whose batch is its second axis.</summary>
    private static ModelProto Streaming(int padding)
    {
        ModelProto model = TinyModel.Empty();
        model.Graph.Input.Add(TinyModel.Port("x", "batch", "sequence"));
        model.Graph.Input.Add(TinyModel.Port("state", 2, "batch", 5));
        model.Graph.Output.Add(TinyModel.Port("y"));
        model.Graph.Initializer.Add(TinyModel.Floats("w", [8, 1, 16]));
        model.Graph.Initializer.Add(TinyModel.Longs("one", 1));
        model.Graph.Initializer.Add(TinyModel.Longs("pads", 0, 0, padding, 0, 0, padding));
        model.Graph.Initializer.Add(TinyModel.Scalar("first", 0));
        model.Graph.Node.Add([
            TinyModel.Node("Unsqueeze", "", ["x", "one"], ["u"]),
            TinyModel.Node("Pad", "", ["u", "pads"], ["p"], Mode("reflect")),
            TinyModel.Node("Conv", "", ["p", "w"], ["c"], TinyModel.Ints("strides", 8)),
            TinyModel.Node("ReduceMean", "", ["c"], ["m"], TinyModel.Ints("axes", 2), TinyModel.Int("keepdims", 0)),
            TinyModel.Node("Gather", "", ["state", "first"], ["s"]),
            TinyModel.Node("Concat", "", ["m", "s"], ["y"], TinyModel.Int("axis", 1)),
        ]);
        return model;
    }
}
