using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Compression;

/// <summary>The product of a recurrent layer with its input as two matrices, against the layer with their product, here and in ONNX Runtime.</summary>
public class RecurrentLayerTests
{
    private const int Steps = 5,
        Inputs = 24,
        Hidden = 6,
        Rank = 3;

    public static TheoryData<string, bool, bool> Kinds()
    {
        TheoryData<string, bool, bool> kinds = [];
        foreach (string type in (string[])["LSTM", "GRU", "RNN"])
        foreach (bool both in (bool[])[false, true])
        foreach (bool last in (bool[])[false, true])
            kinds.Add(type, both, last);
        return kinds;
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Factors_equal_the_matrix_that_they_make(string type, bool both, bool last)
    {
        Graph graph = Layer(type, both, last);
        CompressibleLayer layer = Assert.Single(CompressibleLayer.Of(graph).Layers);
        KernelFormat format = Assert.Single(layer.Formats);
        LayerForm form = LayerForm.From(layer, format, [Rank]);
        TensorFactors<double> fit = KernelFactorization.Fit(layer.Kernel, format, [Rank]);
        Graph small = FactorRewrite.Apply(graph, layer, form, fit),
            rebuilt = graph.With(layer.Name, layer.StoredAs(fit.Reconstruct()));
        Assert.DoesNotContain(layer.Name, small.Initializers.Keys);

        Dictionary<string, Tensor> inputs = new() { ["x"] = new Sketch(5).Random([Steps, 2, Inputs]) };
        using OrtRuntime runtime = new();
        using ISession session = runtime.Load(small, 1),
            whole = runtime.Load(rebuilt, 1);
        float[] wanted = [.. whole.Run(inputs)["y"].Of<float>().Values];
        Close(wanted, session.Run(inputs)["y"]);
        Close(wanted, Interpreter.Run(small, inputs)["y"]);

        // What is counted before is what is there afterwards.
        (GraphStatistics before, GraphStatistics after) = (GraphStatistics.From(graph), GraphStatistics.From(small));
        Assert.Equal(layer.Parameters - form.Parameters, before.Parameters - after.Parameters);
        Assert.Equal(layer.Macs - form.MacsOf(layer), before.Macs - after.Macs);
    }

    [Fact]
    public void They_are_timed_in_a_network_of_their_own()
    {
        CompressibleLayer layer = Assert.Single(CompressibleLayer.Of(Layer("GRU", true, false)).Layers);
        LatencyProbe probe = new([new OwnRuntime()], 1, 1);
        Assert.True(probe.Ratios(layer, LayerForm.From(layer, KernelFormat.SvdIn, [Rank])).Single() > 0);
    }

    private static void Close(float[] wanted, Tensor given) =>
        Assert.All(wanted.Zip([.. given.Of<float>().Values]), static pair => Assert.Equal(pair.First, pair.Second, 1e-4));

    /// <param name="type">The operator.</param>
    /// <param name="both">Whether it walks in both directions.</param>
    /// <param name="last">Whether the last state is read, and the sequence is not.</param>
    private static Graph Layer(string type, bool both, bool last)
    {
        (Recurrent operation, int gates) = type switch
        {
            "LSTM" => ((Recurrent)new Lstm(), 4),
            "GRU" => (new Gru { LinearBeforeReset = true }, 3),
            _ => (new Rnn(), 1),
        };
        operation = operation with { HiddenSize = Hidden, Direction = both ? SequenceDirection.Bidirectional : SequenceDirection.Reverse };
        int directions = both ? 2 : 1;
        Sketch sketch = new();
        ImmutableArray<string> inputs =
        [
            "x",
            sketch.Weights("w", [directions, gates * Hidden, Inputs]),
            sketch.Weights("r", [directions, gates * Hidden, Hidden]),
            sketch.Weights("b", [directions, 2 * gates * Hidden]),
        ];
        sketch.Node("y", operation, [.. inputs]);
        Graph graph = sketch.Graph(2, Inputs);
        return graph with
        {
            Nodes = [new("layer", operation, inputs, last ? ["", "y"] : ["y"])],
            Inputs = [new("x", ElementType.Float32, [new(Steps), new(2), new(Inputs)])],
        };
    }
}
