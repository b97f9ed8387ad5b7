using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Compression.Runtimes;

/// <summary>Any number of inputs and outputs, of any element type, by name.</summary>
public class RuntimeTests
{
    public static TheoryData<ElementType> Types() => [.. Enum.GetValues<ElementType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void Each_element_type_goes_in_and_comes_out(ElementType type)
    {
        Tensor values = new Tensor<float>([2, 3], new float[] { 0, 1, 2, 3, 4, 5 }).To(type);
        Graph graph = GraphOf([new("same", new Identity(), ["x"], ["y"])], [("x", type)], [("y", type)]);
        foreach (IRuntime runtime in (IRuntime[])[new OwnRuntime(), new OrtRuntime()])
        {
            using ISession session = runtime.Load(graph, 1);
            Tensor result = session.Run(new Dictionary<string, Tensor> { ["x"] = values })["y"];
            Assert.Equal(type, result.ElementType);
            Assert.Equal(values.Shape, result.Shape);
            Assert.Equal(
                ((Tensor<float>)values.To(ElementType.Float32)).Values.ToArray(),
                ((Tensor<float>)result.To(ElementType.Float32)).Values.ToArray()
            );
        }
    }

    /// <summary>Half precision is a way of storing: our executor computes in float32, and gives what was declared.</summary>
    [Theory]
    [InlineData(ElementType.Float16), InlineData(ElementType.BFloat16)]
    public void Networks_in_half_precision_keep_their_types(ElementType type)
    {
        Sketch net = new(4);
        net.Node("c", new Convolution { KernelShape = [3, 3], Pads = [1, 1, 1, 1] }, "x", net.Weights("w", [8, 3, 3, 3]));
        net.Node("r", new Relu(), "c");
        net.Node("p", new MaxPool { KernelShape = [2, 2], Strides = [2, 2] }, "r");
        net.Node("y", new Convolution { KernelShape = [1, 1] }, "p", net.Weights("v", [5, 8, 1, 1]));
        Graph graph = net.Graph(3, 8, 8),
            half =
                graph with
                {
                    Inputs = [graph.Inputs[0] with { Type = type }],
                    Outputs = [graph.Outputs[0] with { Type = type }],
                    Initializers = graph.Initializers.ToImmutableDictionary(static pair => pair.Key, pair => pair.Value.To(type)),
                };
        Tensor<float> x = net.Random([2, 3, 8, 8]),
            expected = Sketch.Evaluate(graph, x);
        using OwnRuntime runtime = new();
        using ISession session = runtime.Load(half, 1);

        Tensor y = session.Run(new Dictionary<string, Tensor> { ["x"] = x.To(type) })["y"];

        Assert.Equal((type, expected.Shape), (y.ElementType, y.Shape));
        // Eleven bits of a number, or eight, in weights, inputs and results.
        double tolerance = type == ElementType.Float16 ? 0.01 : 0.08;
        foreach ((float a, float b) in expected.Values.ToArray().Zip(y.To(ElementType.Float32).Of<float>().Values.ToArray()))
            Assert.Equal(a, b, tolerance);
        Assert.Contains(
            type.ToString(),
            Assert.Throws<BadInputException>(() => session.Run(new Dictionary<string, Tensor> { ["x"] = x })).Message
        );
        Assert.NotEmpty(runtime.TimeSteps(half, new Dictionary<string, Tensor> { ["x"] = x.To(type) }, 1, 3));
    }

    [Fact]
    public void Inputs_and_outputs_are_told_apart_by_name()
    {
        Graph graph = GraphOf(
            [new("difference", new Sub(), ["a", "b"], ["d"]), new("size", new ShapeOf(), ["b"], ["s"])],
            [("a", ElementType.Float32), ("b", ElementType.Float32)],
            [("s", ElementType.Int64), ("d", ElementType.Float32)]
        );
        Dictionary<string, Tensor> inputs = new()
        {
            ["b"] = new Tensor<float>([2, 3], new float[] { 1, 1, 1, 1, 1, 1 }),
            ["a"] = new Tensor<float>([2, 3], new float[] { 5, 6, 7, 8, 9, 10 }),
        };
        foreach (IRuntime runtime in (IRuntime[])[new OwnRuntime(), new OrtRuntime()])
        {
            using ISession session = runtime.Load(graph, 1);
            IReadOnlyDictionary<string, Tensor> outputs = session.Run(inputs);
            Assert.Equal([4f, 5, 6, 7, 8, 9], outputs["d"].Of<float>().Values.ToArray());
            Assert.Equal([2L, 3], outputs["s"].Of<long>().Values.ToArray());
            Assert.Contains(
                "'a'",
                Assert.Throws<BadInputException>(() => session.Run(new Dictionary<string, Tensor> { ["b"] = inputs["b"] })).Message
            );
        }
    }

    [Fact]
    public void Refusals_of_onnx_runtime_are_bad_input()
    {
        Assert.Contains("ONNX Runtime refuses", Assert.Throws<BadInputException>(static () => OrtRuntime.Load([1, 2, 3], 1)).Message);
        Graph graph = GraphOf([new("same", new Identity(), ["x"], ["y"])], [("x", ElementType.Float32)], [("y", ElementType.Float32)]);
        using OrtRuntime runtime = new();
        using ISession session = runtime.Load(graph, 1);
        Assert.Contains(
            "ONNX Runtime refuses",
            Assert
                .Throws<BadInputException>(() => session.Run(new Dictionary<string, Tensor> { ["x"] = new Tensor<float>([2, 4]) }))
                .Message
        );
    }

    private static Graph GraphOf(
        ImmutableArray<Node> nodes,
        (string Name, ElementType Type)[] inputs,
        (string Name, ElementType Type)[] outputs
    ) =>
        new(
            "ports",
            nodes,
            [.. inputs.Select(static port => new Port(port.Name, port.Type, [new(null, "N"), new(3)]))],
            [.. outputs.Select(static port => new Port(port.Name, port.Type, null))],
            ImmutableDictionary<string, Tensor>.Empty
        );
}
