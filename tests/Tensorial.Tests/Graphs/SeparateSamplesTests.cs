using Tensorial.Equations;
using Tensorial.Execution;
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

    /// <summary>A token that is joined with the patches of a picture, and attention as equations: in a file for one picture too.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void A_token_for_the_class_is_one_for_each_sample(bool isFixed)
    {
        Graph graph = Attending(expands: !isFixed);
        if (isFixed)
            graph = OpenBatch.Apply(graph.WithBatch(1));
        Assert.True(SeparateSamples.In(graph));
        Tensor<float> x = new Sketch(3).Random([5, 4, 6]);
        Tensor<float> together = Sketch.Evaluate(graph, x);
        for (int sample = 0; sample < 5; sample++)
        {
            Tensor<float> alone = Sketch.Evaluate(Attending(expands: false), x.Rows(sample, 1));
            for (int k = 0; k < alone.Values.Length; k++)
                Assert.Equal(alone.Values[k], together.Values[sample * alone.Values.Length + k], 1e-5f);
        }
    }

    [Theory]
    [InlineData("bi,ci->bc"), InlineData("bi,bi->i"), InlineData("bi,bj->ij")]
    public void Equations_that_pair_or_sum_samples_are_found(string equation)
    {
        Sketch net = new();
        net.Node("r", new Relu(), "x");
        net.Node("y", new EinsumOf(Equation.Parse(equation)), "x", "r");
        Assert.False(SeparateSamples.In(net.Graph(6)));
    }

    /// <summary>A batch that cannot be freed is the only one that is trained on, and the node that stands against it is named.</summary>
    [Fact]
    public void A_fixed_batch_that_mixes_samples_is_trained_as_it_is()
    {
        Sketch net = new();
        net.Node("a", new MatMul(), "x", net.Weights("w", [6, 6]));
        net.Node("y", new Sub(), "a", net.Node("mean", new ReduceMean { Axes = [0] }, "a"));
        using TrainedNetwork network = new(net.Graph(6).WithBatch(4), threads: 1);
        Assert.Equal([4, 6], network.Forward(net.Random([4, 6])).Shape);
        string message = Assert.Throws<BadInputException>(() => network.Forward(net.Random([3, 6]))).Message;
        Assert.Contains("fixes its batch at 4", message, StringComparison.Ordinal);
    }

    private static Graph Attending(bool expands)
    {
        Sketch net = new();
        string token = net.Weights("token", [1, 1, 6]);
        if (expands)
        {
            net.Constant("rest", new Tensor<long>([2], new[] { 1L, 6 }));
            net.Node("extents", new Concat(0), net.Node("samples", new ShapeOf(0, 1), "x"), "rest");
            token = net.Node("tokens", new Expand(), token, "extents");
        }
        net.Node("t", new Concat(1), token, "x");
        net.Node("q", new MatMul(), "t", net.Weights("wq", [6, 6]));
        net.Node("p", new Softmax(-1), net.Node("s", new EinsumOf(Equation.Parse("bid,bjd->bij")), "q", "t"));
        net.Node("a", new EinsumOf(Equation.Parse("bij,bjd->bid")), "p", "t");
        net.Constant("first", new Tensor<long>([], new[] { 0L }));
        net.Node("y", new MatMul(), net.Node("c", new Gather(1), "a", "first"), net.Weights("wy", [6, 3]));
        return net.Graph(4, 6);
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
