using System.Collections.Frozen;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;
using Activation = Tensorial.Kernels.Blocked.Activation;

namespace Tensorial.Tests.Execution;

/// <summary>Which nodes run as one, forward and backward, and which must not.</summary>
public class FusionTests
{
    [Fact]
    public void A_convolution_takes_the_addition_behind_it_and_then_the_activation()
    {
        Sketch net = new();
        Conv(net, "a", "x");
        Conv(net, "b", "a");
        net.Node("sum", new Add(), "b", "a");
        net.Node("y", new Relu(), "sum");
        Dictionary<string, FusedGroup> groups = GroupsOf(net.Graph(4, 6, 6));

        FusedGroup fused = groups["y"];
        Assert.Equal(["b", "sum", "y"], fused.Members.Select(static node => node.Outputs[0]));
        Assert.Equal("a", fused.Residual);
        Assert.Equal(Activation.Relu, fused.Activation);
        Assert.Equal("y", fused.Output);
        // What is added has a second reader, and stays by itself.
        Assert.Single(groups["a"].Members);
    }

    [Fact]
    public void Of_two_convolutions_that_are_added_the_later_one_adds()
    {
        Sketch net = new();
        Conv(net, "late", "x");
        Conv(net, "early", "x");
        net.Node("y", new Add(), "early", "late");
        Dictionary<string, FusedGroup> groups = GroupsOf(net.Graph(4, 6, 6));

        Assert.Equal(["early", "y"], groups["y"].Members.Select(static node => node.Outputs[0]));
        Assert.Equal("late", groups["y"].Residual);
    }

    /// <summary>A value that others read, a value added to itself, a second activation and a broadcast are not taken in.</summary>
    [Fact]
    public void What_others_read_or_a_kernel_cannot_do_stays_apart()
    {
        Sketch read = new();
        Conv(read, "a", "x");
        read.Node("r", new Relu(), "a");
        read.Node("y", new Mul(), "r", "a");
        Assert.Single(GroupsOf(read.Graph(4, 6, 6))["a"].Members);

        Sketch twice = new();
        Conv(twice, "a", "x");
        twice.Node("y", new Add(), "a", "a");
        Assert.Single(GroupsOf(twice.Graph(4, 6, 6))["y"].Members);

        Sketch activated = new();
        Conv(activated, "a", "x");
        activated.Node("r", new Relu(), "a");
        activated.Node("y", new Sigmoid(), "r");
        Dictionary<string, FusedGroup> groups = GroupsOf(activated.Graph(4, 6, 6));
        Assert.Equal(["a", "r"], groups["r"].Members.Select(static node => node.Outputs[0]));
        Assert.Single(groups["y"].Members);

        Sketch broadcast = new();
        Conv(broadcast, "a", "x");
        broadcast.Node("y", new Add(), "a", broadcast.Weights("b", [1, 1, 1, 1]));
        Assert.Null(GroupsOf(broadcast.Graph(4, 6, 6))["y"].Residual);
    }

    /// <summary>∂L/∂y passes the gradient of ReLU or Clip inside the sums of the normalisation before it, not in a pass of its own.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void The_gradient_of_an_activation_is_a_mask_of_the_sums_that_read_it(bool clips)
    {
        Sketch net = new();
        Conv(net, "a", "x");
        net.Node(
            "n",
            new BatchNormalization(),
            "a",
            net.Weights("scale", [4]),
            net.Weights("shift", [4]),
            net.Weights("mean", [4]),
            net.Weights("variance", [4], 0.5f, 2)
        );
        net.Node("r", clips ? new Clip(0, 6) : new Relu(), "n");
        Conv(net, "y", "r");
        TrainingForm form = TrainingForm.From(net.Graph(4, 6, 6));
        Dictionary<string, Shape> inputs = new() { ["x"] = [2, 4, 6, 6] };
        FrozenSet<string> changing = ["wa", "wy", "scale", "shift", "mean", "variance"];
        Differentiated derivatives = Differentiate.Apply(
            form.Graph,
            ShapeInference.Run(form.Graph, inputs, changing),
            ["wa", "wy", "scale", "shift"],
            ["y"]
        );
        foreach ((string output, string seed) in derivatives.Seeds)
            inputs[seed] = [2, 4, 6, 6];

        Dictionary<Node, FusedGroup> groups = GroupsOf(derivatives.Graph, inputs, changing, BatchPlan.Sharded(2));

        Node mask = derivatives.Graph.Nodes.Single(static node => node.Operation is GradientOf { Of: Relu or Clip });
        Assert.IsType<BatchNormalizationInTraining>(((GradientOf)groups[mask].Head.Operation).Of);
        Assert.Same(mask, groups[mask].Mask);
        // Forward, the normalisation takes its activation in.
        FusedGroup forward = groups[derivatives.Graph.Nodes.Single(static node => node.Operation is BatchNormalizationInTraining)];
        Assert.Equal(clips ? ActivationKind.Clip : ActivationKind.Relu, forward.Activation.Kind);
    }

    /// <summary>Blocked, a map of six channels is mostly padding; behind the last convolution nobody wants it so.</summary>
    [Theory]
    [InlineData(6, false)]
    [InlineData(20, true)]
    public void Maps_of_few_channels_behind_the_last_convolution_are_plain(int channels, bool isBlocked)
    {
        Sketch net = new();
        net.Node("c", new Convolution { Pads = [1, 1, 1, 1] }, "x", net.Weights("w", [channels, 4, 3, 3]));
        net.Node("inner", new HardSigmoid(), "c");
        net.Node("c2", new Convolution { Pads = [1, 1, 1, 1] }, "inner", net.Weights("w2", [channels, channels, 3, 3]));
        net.Node("s", new Mul(), "c2", "c2");
        net.Node("y", new Transpose([0, 2, 3, 1]), "s");
        Graph graph = net.Graph(4, 6, 6);
        LayoutPlan plan = LayoutPlan.From(ScopeOf(graph, new() { ["x"] = [2, 4, 6, 6] }, FrozenSet<string>.Empty, BatchPlan.StepByStep));

        Node Made(string name) => graph.Nodes.Single(node => node.Outputs[0] == name);
        Assert.True(plan.IsFused(Made("c2")));
        Assert.True(plan.IsFused(Made("inner")));
        Assert.Equal(isBlocked, plan.IsFused(Made("s")));
    }

    private static void Conv(Sketch net, string name, string input) =>
        net.Node(name, new Convolution { Pads = [1, 1, 1, 1] }, input, net.Weights($"w{name}", [4, 4, 3, 3]));

    private static Dictionary<string, FusedGroup> GroupsOf(Graph graph) =>
        GroupsOf(graph, new() { ["x"] = [2, 4, 6, 6] }, FrozenSet<string>.Empty, BatchPlan.StepByStep)
            .ToDictionary(static pair => pair.Key.Outputs[0], static pair => pair.Value);

    private static Dictionary<Node, FusedGroup> GroupsOf(
        Graph graph,
        Dictionary<string, Shape> inputs,
        FrozenSet<string> changing,
        BatchPlan batch
    ) => Fusion.Of(ScopeOf(graph, inputs, changing, batch));

    private static Scope ScopeOf(Graph graph, Dictionary<string, Shape> inputs, FrozenSet<string> changing, BatchPlan batch) =>
        new(graph, ShapeInference.Run(graph, inputs, changing), changing, batch, new());
}
