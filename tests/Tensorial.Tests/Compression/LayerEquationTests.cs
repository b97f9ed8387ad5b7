using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Tests.Compression;

/// <summary>Factored layers as equations: the order of factors is the cheapest of all, and every layer that runs has a plan.</summary>
public class LayerEquationTests
{
    /// <summary>Brute force over all orders: every ordered partition of the factors.</summary>
    [Theory]
    [InlineData(1, 1), InlineData(2, 1), InlineData(1, 4)]
    public void No_order_is_cheaper_than_the_planned_one(int stride, int groups)
    {
        int count = 0;
        foreach ((int outputs, int inputs) in (ReadOnlySpan<(int, int)>)[(8, 12), (64, 32)])
        {
            Graph graph = FactorRewriteTests.Convolved(new(1), outputs, inputs, 3, 3, stride, 1, groups, false);
            CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
            foreach (KernelFormat format in layer.Formats.Where(static format => format.Ragged is null))
            foreach (double rate in (double[])[0.1, 0.4])
            {
                KernelForm form = layer.FormOf(format);
                ImmutableArray<int> ranks = form.RanksAt(rate);
                int factors = form.Tensor.Equation.Inputs.Length;
                if (factors > 5 || form.Folding.Padded.ElementCount != form.Folding.Shape.ElementCount)
                    continue;
                LayerEquation equation = new(form, ranks, layer);
                double planned = Price(LayerEquation.Cheapest(form, ranks, layer)),
                    least = Orders(factors).Where(order => Stage.Of(form, ranks, order, layer) is not null).Min(Price);
                // Products of factors cost next to nothing, and decide between equals.
                Assert.True(planned <= least * (1 + 1e-3), $"{format} {string.Join('×', ranks)}: {planned:G6} s, not {least:G6}");
                count++;

                double Price(FactorOrder order) => equation.Steps(order).Sum(static step => step.Seconds);
            }
        }
        Assert.True(count >= 10, $"only {count} orders were planned");
    }

    /// <summary>Tucker-2 at a stride, counted by hand.</summary>
    [Fact]
    public void Steps_name_the_axes_of_the_format()
    {
        NetworkBuilder net = new("layer", [16, 12, 12], seed: 0);
        Graph graph = net.ToGraph(net.Convolution("conv", net.Input, 32, 3, stride: 2, padding: 1));
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
        LayerForm form = LayerForm.From(layer, KernelFormat.Tucker2, [4, 5]) with
        {
            Order = new([
                [0],
                [1],
                [2],
            ]),
        };
        ImmutableArray<LayerStep> steps = form.Steps(layer);

        Assert.Equal(["nihw,ri->nrhw", "nrhw,rshw->nshw", "nshw,so->nohw"], steps.Select(static step => Sorted(step.Equation)));
        // 12×12 places before the stride, 6×6 behind it.
        Assert.Equal([4L * 16 * 144, 5L * 4 * 9 * 36, 32L * 5 * 36], steps.Select(static step => step.Macs));

        // Axes of a term in a fixed order: channels, then space.
        static string Sorted(string equation) =>
            string.Join("->", equation.Split("->").Select(static side => string.Join(',', side.Split(',').Select(Term))));

        static string Term(string axes) => string.Concat(axes.OrderBy(static axis => "nrsiohw".IndexOf(axis)));
    }

    /// <summary>Dense or factored, forward and backward: what runs is an equation with a plan.</summary>
    [Theory]
    [
        InlineData(null),
        InlineData("tucker2"),
        InlineData("cp"),
        InlineData("tt"),
        InlineData("rcp:2"),
        InlineData("bt:2"),
        InlineData("basis")
    ]
    public void Every_layer_that_runs_has_a_plan(string? format)
    {
        NetworkBuilder net = new("small", [3, 8, 8], seed: 1);
        Features x = net.Relu("relu1", net.BatchNormalization("bn1", net.Convolution("conv1", net.Input, 12, 3, padding: 1)));
        x = net.Relu("relu2", net.BatchNormalization("bn2", net.Convolution("conv2", x, 16, 3, stride: 2, padding: 1)));
        Graph graph = net.ToGraph(net.Dense("fc", net.Flatten("flat", x), 10));
        if (format is not null)
            graph = Tensorization.InitializeFactorized(
                graph,
                Tensorization.Choose(CompressibleLayer.Of(graph).Layers, KernelFormat.Parse(format), 0.4, images: 8),
                seed: 0
            );
        Shape images = [4, 3, 8, 8];
        var inference = Inference.Compile(graph, new Dictionary<string, Shape> { [graph.Inputs[0].Name] = images }, new());
        using TrainedNetwork training = new(graph, threads: 1);
        NodePlan[] backward = [.. training.Plans(images[0]).Where(static plan => plan.Node.Operation is GradientOf)];

        string[] layers = [.. graph.Nodes.Where(static node => node.Operation is Convolution or Gemm).Select(static node => node.Label)];
        Assert.Equal(layers, inference.Plans.Select(static plan => plan.Node.Label).Intersect(layers));
        // The gradient of each layer's weights, and of its map but for the first one's.
        int gradients = backward.Count(plan => layers.Any(layer => plan.Node.Name == $"{layer} gradient"));
        Assert.Equal(2 * layers.Length - 1, gradients);
        Assert.All(backward, static plan => Assert.True(plan.Plan.Macs > 0 && plan.Plan.Steps.Length == 1));
    }

    private static IEnumerable<FactorOrder> Orders(int factors) =>
        Partitions([.. Enumerable.Range(0, factors)]).Select(static stages => new FactorOrder(stages));

    private static IEnumerable<ImmutableArray<ImmutableArray<int>>> Partitions(ImmutableArray<int> rest)
    {
        if (rest.IsEmpty)
        {
            yield return [];
            yield break;
        }
        for (int subset = 1; subset < 1 << rest.Length; subset++)
        {
            ImmutableArray<int> first = [.. rest.Where((_, k) => (subset >> k & 1) != 0)];
            foreach (ImmutableArray<ImmutableArray<int>> others in Partitions([.. rest.Where((_, k) => (subset >> k & 1) == 0)]))
                yield return others.Insert(0, first);
        }
    }
}
