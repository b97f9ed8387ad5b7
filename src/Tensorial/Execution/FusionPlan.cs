using Tensorial.Graphs;
using Tensorial.Operations;
using Activation = Tensorial.Kernels.Blocked.Activation;

namespace Tensorial.Execution;

/// <summary>A convolution and what its last store can do besides: add a value of the same shape, then an activation.</summary>
internal sealed class FusedConvolution(Node convolution)
{
    public Node Convolution { get; } = convolution;

    public Convolution Operation => (Convolution)Convolution.Operation;

    /// <summary>Every node the group stands for, in order; its result appears where the last one stood.</summary>
    public List<Node> Members { get; } = [convolution];

    /// <summary>The value added before the activation.</summary>
    public string? Residual { get; set; }

    public Activation Activation { get; set; } = Activation.None;

    public string Output => Members[^1].Outputs[0];
}

/// <summary>Which nodes melt into which convolution.</summary>
internal sealed class FusionPlan
{
    private readonly Dictionary<Node, FusedConvolution> _groups = new(ReferenceEqualityComparer.Instance);

    /// <summary>The group a node belongs to.</summary>
    public FusedConvolution? GroupOf(Node node) => _groups.GetValueOrDefault(node);

    /// <summary>The group that a node is the last member of.</summary>
    public FusedConvolution? GroupEndingAt(Node node) => GroupOf(node) is { } group && group.Members[^1] == node ? group : null;

    public static FusionPlan Of(Graph graph, IReadOnlyDictionary<string, Operand> shapes)
    {
        FusionPlan plan = new();
        Uses uses = new(graph);
        Dictionary<string, FusedConvolution> open = [];
        foreach (Node node in graph.Nodes)
        {
            switch (node.Operation)
            {
                case Convolution:
                    open[node.Outputs[0]] = plan._groups[node] = new(node);
                    break;
                case Add
                    when node.Inputs.Length == 2
                        && Array.Find([0, 1], side => TakesResidual(node, side)) is int side
                        && TakesResidual(node, side):
                    FusedConvolution adding = open[node.Inputs[side]];
                    adding.Residual = node.Inputs[1 - side];
                    Join(adding, node);
                    break;
                default:
                    if (
                        node.Inputs.Length > 0
                        && open.TryGetValue(node.Inputs[0], out FusedConvolution? group)
                        && group.Activation == Activation.None
                        && uses.OnlyReader(node.Inputs[0]) == node
                        && BlockedForms.ActivationOf(node, graph) is { } activation
                    )
                    {
                        group.Activation = activation;
                        Join(group, node);
                    }
                    break;
            }
        }
        return plan;

        bool TakesResidual(Node node, int side) =>
            open.TryGetValue(node.Inputs[side], out FusedConvolution? group)
            && group is { Residual: null }
            && group.Activation == Activation.None
            && uses.OnlyReader(node.Inputs[side]) == node
            && !graph.Initializers.ContainsKey(node.Inputs[1 - side])
            && shapes[node.Inputs[0]].Shape == shapes[node.Inputs[1]].Shape;

        void Join(FusedConvolution group, Node node)
        {
            group.Members.Add(node);
            plan._groups[node] = group;
            open[node.Outputs[0]] = group;
        }
    }
}
