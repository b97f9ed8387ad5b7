using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Operations;

namespace Tensorial.Tests.Graphs;

/// <summary>Weights drawn anew: what a file's network forgets, and what it keeps.</summary>
public sealed class FreshWeightsTests
{
    [Theory]
    [InlineData("lenet5", 1, 28), InlineData("cnn4", 3, 32), InlineData("resnet20", 3, 32), InlineData("resnet50", 3, 64)]
    public void A_ready_made_network_gets_the_weights_it_would_be_made_with(string name, int channels, int side)
    {
        Graph fresh = FreshWeights.Initialize(ModelZoo.Create(name, [channels, side, side], 10, seed: 7), seed: 3),
            made = ModelZoo.Create(name, [channels, side, side], 10, seed: 3);
        foreach ((string weight, Tensor value) in made.Initializers)
            Assert.Equal(value.Of<float>().Values.ToArray(), fresh.Initializers[weight].Of<float>().Values.ToArray());
    }

    [Fact]
    public void Everything_that_was_learnt_is_forgotten_and_nothing_else()
    {
        Graph learnt = OnnxFile.Read(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx")),
            fresh = FreshWeights.Initialize(learnt, 1);
        Assert.Equal(learnt.Nodes, fresh.Nodes);
        Assert.Equal(learnt.Initializers.Keys.Order(), fresh.Initializers.Keys.Order());
        foreach ((string name, Tensor value) in learnt.Initializers)
            if (value is Tensor<float> weights)
                Assert.NotEqual(weights.Values.ToArray(), fresh.Initializers[name].Of<float>().Values.ToArray());
        Assert.All(fresh.Initializers["norm1.running_var"].Of<float>().Values.ToArray(), static v => Assert.Equal(1, v));
        Assert.All(fresh.Initializers["norm1.bias"].Of<float>().Values.ToArray(), static v => Assert.Equal(0, v));
        Assert.All(fresh.Initializers["dense.bias"].Of<float>().Values.ToArray(), static v => Assert.Equal(0, v));
    }

    /// <summary>Sample deviations over thousands of numbers, against those of the distributions.</summary>
    [Fact]
    public void Each_operation_draws_by_its_own_rule()
    {
        Sketch net = new();
        net.Node(
            "grouped",
            new Convolution
            {
                Groups = 4,
                KernelShape = [3, 3],
                Pads = [1, 1, 1, 1],
            },
            "x",
            net.Weights("g", [64, 8, 3, 3])
        );
        net.Node("slopes", new PRelu(), "grouped", net.Weights("slope", [64, 1, 1]));
        net.Node(
            "up",
            new ConvolutionTranspose { KernelShape = [2, 2], Strides = [2, 2] },
            "slopes",
            net.Weights("t", [64, 32, 2, 2]),
            net.Weights("shift", [32])
        );
        net.Node("flat", new Flatten(), "up");
        net.Node("product", new MatMul(), "flat", net.Weights("m", [128, 50]));
        net.Node("dense", new Gemm(), "product", net.Weights("d", [50, 64]));
        net.Node(
            "factors",
            new EinsumOf(Tensorial.Equations.Equation.Parse("nc,cr->nr")),
            "dense",
            net.Weights("e", [64, 64], -0.3f, 0.3f)
        );
        Graph graph = FreshWeights.Initialize(net.Graph(32, 1, 1), 5);
        Assert.Equal(Math.Sqrt(2.0 / (16 * 9)), Deviation("g"), 0.006);
        Assert.Equal(Math.Sqrt(2.0 / (32 * 4)), Deviation("t"), 0.006);
        Assert.Equal(1 / Math.Sqrt(3 * 128), Deviation("m"), 0.002);
        Assert.Equal(1 / Math.Sqrt(3 * 50), Deviation("d"), 0.004);
        Assert.Equal(0.6 / Math.Sqrt(12), Deviation("e"), 0.01);
        Assert.All(graph.Initializers["slope"].Of<float>().Values.ToArray(), static v => Assert.Equal(0.25f, v));
        Assert.All(graph.Initializers["shift"].Of<float>().Values.ToArray(), static v => Assert.Equal(0, v));

        double Deviation(string name) =>
            Math.Sqrt(graph.Initializers[name].Of<float>().Values.ToArray().Average(static v => (double)v * v));
    }
}
