using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Execution;

/// <summary>Chains that reorder channels, and others that look like them, give what their nodes give one after another.</summary>
public class ChannelOrderTests
{
    /// <summary>Reshape, transpose, reshape, as ShuffleNet writes it; the last shape decides whether it is a shuffle.</summary>
    private static Sketch Shuffle(Sketch net, string x, long[] split, int[] order, long[] joined)
    {
        net.Node("split", new Reshape(), x, net.Constant("split shape", Longs(split)));
        net.Node("turned", new Transpose([.. order]), "split");
        net.Node("joined", new Reshape(), "turned", net.Constant("joined shape", Longs(joined)));
        return net;
    }

    private static Tensor<long> Longs(params long[] values) => new([values.Length], values);

    private static Graph Between(Func<Sketch, string> middle)
    {
        Sketch net = new(4);
        net.Node("before", new Convolution { Pads = [1, 1, 1, 1] }, "x", net.Weights("w1", [24, 5, 3, 3]));
        string made = middle(net);
        net.Node("after", new Convolution(), made, net.Weights("w2", [7, 12, 1, 1]));
        return net.Graph(5, 6, 8);
    }

    private static Graph Whole() =>
        Between(net =>
        {
            Shuffle(net, "before", [-1, 2, 12, 6, 8], [0, 2, 1, 3, 4], [-1, 24, 6, 8]);
            return net.Node(
                "half",
                new Gather(1),
                "joined",
                net.Constant("half order", Longs([.. Enumerable.Range(0, 12).Select(static i => 23L - i)]))
            );
        });

    private static Graph HalvesFirst() =>
        Between(net =>
        {
            Shuffle(net, "before", [12, 2, 48], [1, 0, 2], [2, 1, 12, 6, 8]);
            return net.Node("half", new Gather(0), "joined", net.Constant("second", new Tensor<long>([], new[] { 1L })));
        });

    /// <summary>Rows and columns change places: no order of channels.</summary>
    private static Graph Turned() =>
        Between(net =>
        {
            net.Node("turned", new Transpose([0, 1, 3, 2]), "before");
            net.Node("as if", new Reshape(), "turned", net.Constant("shape", Longs(-1, 24, 6, 8)));
            return net.Node(
                "half",
                new Gather(1),
                "as if",
                net.Constant("order", Longs([.. Enumerable.Range(0, 12).Select(static i => (long)i)]))
            );
        });

    private static void Check(Graph graph, int images)
    {
        Tensor<float> x = new Sketch(9).Random([images, 5, 6, 8]);
        using Inference network = new(graph, 1);
        float[] ours = network.Run(x).Values.ToArray(),
            wanted = Sketch.Evaluate(graph, x).Values.ToArray();
        Assert.Equal(wanted.Length, ours.Length);
        for (int i = 0; i < wanted.Length; i++)
            Assert.Equal(wanted[i], ours[i], 1e-4f);
    }

    [Fact]
    public void A_shuffle_and_what_is_taken_of_it() => Check(Whole(), 3);

    [Fact]
    public void A_shuffle_whose_halves_come_one_after_the_other() => Check(HalvesFirst(), 1);

    [Fact]
    public void Planes_that_are_turned_are_no_order_of_channels() => Check(Turned(), 2);

    [Fact]
    public void A_shuffle_becomes_one_node()
    {
        Graph graph = HalvesFirst();
        Dictionary<string, Shape> inputs = new() { ["x"] = [1, 5, 6, 8] };
        Graph found = RecognizeChannelOrders.Apply(graph, ShapeInference.Run(graph, inputs));
        Assert.Equal(["before", "half", "after"], found.Nodes.Select(static node => node.Label));
        Assert.IsType<Gather>(found.Nodes[1].Operation);
        graph = Turned();
        Assert.Same(graph, RecognizeChannelOrders.Apply(graph, ShapeInference.Run(graph, inputs)));
    }
}
