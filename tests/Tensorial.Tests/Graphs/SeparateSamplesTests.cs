using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Tests.Graphs;

/// <summary>Which networks may be given a batch in parts.</summary>
public class SeparateSamplesTests
{
    [Fact]
    public void Convolutions_and_dense_layers_treat_samples_one_by_one()
    {
        Sketch net = new();
        net.Node("c", new Convolution(), "x", net.Weights("w", [4, 3, 3, 3]));
        net.Node("y", new Gemm { TransposeB = true }, net.Node("f", new Flatten(), "c"), net.Weights("d", [5, 64]));
        Assert.True(SeparateSamples.In(net.Graph(3, 6, 6)));
    }

    [Theory]
    [InlineData("mean over the batch"), InlineData("batch among the rows"), InlineData("products of samples"), InlineData("one result")]
    public void Networks_that_mix_them_are_found(string how)
    {
        Sketch net = new();
        net.Node("r", new Relu(), "x");
        switch (how)
        {
            case "mean over the batch":
                net.Node("y", new Sub(), "r", net.Node("mean", new ReduceMean { Axes = [0] }, "r"));
                break;
            case "batch among the rows":
                net.Node("y", new Softmax(0), "r");
                break;
            case "products of samples":
                net.Node("y", new MatMul(), "r", net.Node("t", new Transpose([1, 0]), "r"));
                break;
            default:
                net.Node("y", new ReduceSum(), "r");
                break;
        }
        Assert.False(SeparateSamples.In(net.Graph(6)));
    }
}
