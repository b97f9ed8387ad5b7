using System.Numerics.Tensors;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Tests.Execution;

namespace Tensorial.Tests.Graphs;

public class NetworkBuilderTests
{
    [Theory]
    [
        InlineData("nchw,cap,phwb->nab"),
        InlineData("nchw,cp,hpaq,qwb->nab"),
        InlineData("nchw,chwab->nab"),
        InlineData("nchw,pb,ca,chwp->nab")
    ]
    public void A_tensorial_layer_reads_features_as_they_are(string equation)
    {
        NetworkBuilder net = new("small", [3, 8, 8], seed: 2);
        Features x = net.MaxPool("pool", net.Relu("relu", net.Convolution("conv", net.Input, 5, 3, padding: 1)), 2, 2);
        x = net.Contraction(
            "fc",
            x,
            equation,
            new Dictionary<char, int>
            {
                ['a'] = 3,
                ['b'] = 4,
                ['p'] = 6,
                ['q'] = 2,
            }
        );
        Graph graph = net.ToGraph(x);

        Assert.Equal([3, 4], x.Extents);
        TrainedNetworkTests.AssertAgrees(graph, 4, 2);
    }

    [Fact]
    public void Its_answers_are_as_wide_as_a_dense_layers()
    {
        double[] widths =
        [
            .. ((string?[])[null, "nchw,cap,phwb->nab", "nchw,capq,phq,qwb->nab"]).Select(equation =>
            {
                NetworkBuilder net = new("wide", [8, 12, 12], seed: 3);
                Graph graph = net.ToGraph(
                    equation is null
                        ? net.Dense("fc", net.Flatten("flat", net.Input), 120)
                        : net.Contraction(
                            "fc",
                            net.Input,
                            equation,
                            new Dictionary<char, int>
                            {
                                ['a'] = 10,
                                ['b'] = 12,
                                ['p'] = 30,
                                ['q'] = 20,
                            }
                        )
                );
                using Inference network = new(graph, 1);
                ReadOnlySpan<float> answers = network.Run(new Sketch(4).Random([20, 8, 12, 12])).Values;
                return Math.Sqrt(TensorPrimitives.SumOfSquares(answers) / answers.Length);
            }),
        ];
        Assert.All(widths, width => Assert.InRange(width / widths[0], 0.7, 1.4));
    }

    [Theory]
    [InlineData("nchw,ca->nahw", "no extent"), InlineData("nch,cp->np", "take an equation"), InlineData("nchw->nc", "take an equation")]
    [InlineData("nchw,ncp->np", "take an equation"), InlineData("nchw,cp->p", "take an equation"), InlineData("nchw,cp->np", "5 was given")]
    public void What_does_not_fit_is_refused(string equation, string message)
    {
        NetworkBuilder net = new("refused", [3, 8, 8], seed: 2);
        Dictionary<char, int> extents = message.StartsWith('5') ? new() { ['p'] = 4, ['c'] = 5 } : new() { ['p'] = 4 };
        Assert.Contains(message, Assert.Throws<BadInputException>(() => net.Contraction("fc", net.Input, equation, extents)).Message);
    }
}
