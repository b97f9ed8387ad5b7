using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;
using Tensorial.Tests.Onnx;

namespace Tensorial.Tests.Execution;

/// <summary>
/// A network whose file fixes the batch at 1, a channel shuffle's reshapes included, learns from many images at once: what it learns is what
/// the same network with an open batch learns, and its file stays as it is but for its weights.
/// </summary>
public class FixedBatchTrainingTests
{
    [Fact]
    public void Gradients_are_those_of_the_network_with_an_open_batch()
    {
        Graph stored = Shuffled(1);
        using TrainedNetwork network = new(stored, threads: 1),
            open = new(Shuffled(-1), threads: 1);
        Tensor<float> x = new Sketch(7).Random([5, 3, 6, 4]),
            g = new Sketch(8).Random([5, 8, 6, 4]);
        Compare.Close(open.Forward(x), network.Forward(x), "output", 1e-6);
        open.Backward(g);
        network.Backward(g);
        foreach ((TrainedWeight wanted, TrainedWeight weight) in open.Weights.Zip(network.Weights))
            Compare.Close(wanted.Gradient, weight.Gradient, weight.Name, 1e-6);
        network.Weights[0].Value.Values.Fill(3);
        Graph trained = network.ToGraph();
        Assert.Equal(stored.Inputs[0].Dimensions!.Value, trained.Inputs[0].Dimensions!.Value);
        Assert.Equal([1, 2, 4, 6, 4], trained.Initializers["parts"].Of<long>().Values.ToArray());
        Assert.All(trained.Initializers[network.Weights[0].Name].Of<float>().Values.ToArray(), static value => Assert.Equal(3, value));
    }

    private static Graph Shuffled(int batch)
    {
        Sketch sketch = new();
        string y = sketch.Node("a", new Convolution { Pads = [1, 1, 1, 1] }, "x", sketch.Weights("w", [8, 3, 3, 3]));
        y = sketch.Node("b", new Reshape(), y, sketch.Constant("parts", new Tensor<long>([5], new long[] { batch, 2, 4, 6, 4 })));
        y = sketch.Node("c", new Transpose([0, 2, 1, 3, 4]), y);
        y = sketch.Node("d", new Reshape(), y, sketch.Constant("whole", new Tensor<long>([4], new long[] { batch, 8, 6, 4 })));
        _ = sketch.Node("e", new Convolution(), y, sketch.Weights("v", [8, 8, 1, 1]));
        Graph graph = sketch.Graph(3, 6, 4);
        return batch < 0 ? graph : graph with { Inputs = [graph.Inputs[0] with { Dimensions = [new(1), new(3), new(6), new(4)] }] };
    }
}
