using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Execution;

/// <summary>What a gradient reads is made once more where that is cheap, and the gradients are the same numbers.</summary>
public class RecomputeTests
{
    [Fact]
    public void Gradients_stay_bit_by_bit_and_read_what_is_made_again()
    {
        Graph graph = TrainingForm.From(Chain()).Graph;
        Dictionary<string, Tensor> inputs = new() { ["x"] = new Sketch(3).Random([4, 3, 6, 6]) };
        string[] weights = ["w0", "w1", "w2", "w3", "w4", "w5", "one", "zero"];
        IReadOnlyDictionary<string, ValueInfo> shapes = ShapeInference.Run(
            graph,
            inputs.ToDictionary(static x => x.Key, static x => x.Value.Shape),
            weights.ToHashSet()
        );
        Differentiated kept = Differentiate.Apply(graph, shapes, weights, ["sum"]),
            made = Recompute.Apply(kept, shapes);
        inputs[kept.Seeds["sum"]] = new Sketch(4).Random([4, 16, 6, 6]);
        IReadOnlyDictionary<string, Tensor> wanted = Interpreter.Run(kept.Graph, inputs),
            gradients = Interpreter.Run(made.Graph, inputs);
        Assert.Equal(weights.Length, kept.Gradients.Count);
        foreach (string gradient in kept.Gradients.Values)
            Assert.Equal(wanted[gradient].Of<float>().Values.ToArray(), gradients[gradient].Of<float>().Values.ToArray());

        // "a" is added to the result, and "dear" multiplies too often: they are kept. All others between convolutions are made again.
        Node[] again = [.. made.Graph.Nodes.Where(static node => node.Outputs[0].EndsWith(" again", StringComparison.Ordinal))];
        Assert.Equal(["b again", "n2 again", "pointwise again", "taps again"], again.Select(static node => node.Outputs[0]).Order());
        HashSet<string> forward = [.. made.Graph.Nodes.Take(made.ForwardNodes).SelectMany(static node => node.Outputs)];
        foreach (Node node in made.Graph.Nodes.Skip(made.ForwardNodes))
            Assert.DoesNotContain(node.Inputs, static name => name is "pointwise" or "taps" or "b");
        Assert.Contains("a", made.Graph.Nodes.Skip(made.ForwardNodes).SelectMany(static node => node.Inputs));
        Assert.Contains("dear", made.Graph.Nodes.Skip(made.ForwardNodes).SelectMany(static node => node.Inputs));
    }

    /// <summary>Activations of a program take less when passing values are not kept.</summary>
    [Fact]
    public void A_program_keeps_less()
    {
        using TrainedNetwork network = new(Chain(), threads: 1);
        Assert.Contains("pointwise again", network.StepsFor(8));
        Assert.Contains("n2 again", network.StepsFor(8));
        // A map of 16 channels takes 8 × 8 with its halo, in bytes 4,096. With all values kept an image takes six and a half of them.
        long each = network.ActivationBytes(8192) / 8192;
        Assert.InRange(each, 1, 5 * 16 * 8 * 8 * sizeof(float));
    }

    private static Graph Chain()
    {
        Sketch net = new();
        net.Constant("one", Filled(1));
        net.Constant("zero", Filled(0));
        net.Node("c0", new Convolution { Pads = [1, 1, 1, 1] }, "x", net.Weights("w0", [16, 3, 3, 3]));
        net.Node("n1", new BatchNormalization(), "c0", "one", "zero", net.Constant("m1", Filled(0)), net.Constant("v1", Filled(1)));
        net.Node("a", new Relu(), "n1");
        net.Node("pointwise", new Convolution(), "a", net.Weights("w1", [5, 16, 1, 1]));
        net.Node("taps", new Convolution { Groups = 5, Pads = [1, 1, 1, 1] }, "pointwise", net.Weights("w2", [5, 1, 3, 3]));
        net.Node("whole", new Convolution(), "taps", net.Weights("w3", [16, 5, 1, 1]));
        net.Node("n2", new BatchNormalization(), "whole", "one", "zero", net.Constant("m2", Filled(0)), net.Constant("v2", Filled(1)));
        net.Node("b", new Relu(), "n2");
        net.Node("dear", new Convolution { Pads = [1, 1, 1, 1] }, "b", net.Weights("w4", [16, 16, 3, 3]));
        net.Node("last", new Convolution(), "dear", net.Weights("w5", [16, 16, 1, 1]));
        net.Node("sum", new Add(), "last", "a");
        return net.Graph(3, 6, 6);

        static Tensor<float> Filled(float value)
        {
            Tensor<float> tensor = new([16]);
            tensor.Values.Fill(value);
            return tensor;
        }
    }
}
