using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;
using Activation = Tensorial.Kernels.Blocked.Activation;

namespace Tensorial.Execution;

/// <summary>A node and what its kernels can do besides: a mask before it; the addition of another value, then an activation, behind it.</summary>
internal sealed class FusedGroup(Node head)
{
    public Node Head { get; } = head;

    /// <summary>Every node the group stands for, in order; its result appears where the last one stood.</summary>
    public List<Node> Members { get; } = [head];

    /// <summary>The value added to the result before the activation.</summary>
    public string? Residual { get; set; }

    public Activation Activation { get; set; } = Activation.None;

    /// <summary>The gradient of an activation that the head, a gradient itself, reads.</summary>
    public Node? Mask { get; set; }

    public string Output => Members[^1].Outputs[0];

    public string Label => Head.Label;
}

/// <summary>Finds groups of nodes that run as one: a producer and what its last store can do.</summary>
internal static class Fusion
{
    /// <summary>The group of every node; nodes that nothing is fused with are groups of their own.</summary>
    public static Dictionary<Node, FusedGroup> Of(Scope scope)
    {
        Dictionary<Node, FusedGroup> groups = new(ReferenceEqualityComparer.Instance);
        Dictionary<string, FusedGroup> open = [];
        Dictionary<string, int> made = [];
        for (int index = 0; index < scope.Graph.Nodes.Length; index++)
        {
            Node node = scope.Graph.Nodes[index];
            foreach (string output in node.Outputs)
                made[output] = index;
            if (ResidualOf(node, scope, open, made) is { } producer)
            {
                FusedGroup adding = open[producer];
                adding.Residual = node.Inputs[0] == producer ? node.Inputs[1] : node.Inputs[0];
                Join(adding, node);
            }
            else if (
                node.Inputs.Length > 0
                && open.TryGetValue(node.Inputs[0], out FusedGroup? group)
                && group.Activation == Activation.None
                && scope.Uses.OnlyReader(node.Inputs[0]) == node
                && ActivationForms.Of(node, scope) is { } activation
                && TakesActivation(group.Head, activation)
            )
            {
                group.Activation = activation;
                Join(group, node);
            }
            else
            {
                groups[node] = new(node);
                if (TakesResidual(node) || TakesActivation(node, Activation.Relu))
                    open[node.Outputs[0]] = groups[node];
            }
        }
        FuseMasks(scope, groups);
        return groups;

        void Join(FusedGroup group, Node node)
        {
            group.Members.Add(node);
            groups[node] = group;
            open[node.Outputs[0]] = group;
        }
    }

    private static bool TakesResidual(Node node) =>
        node.Operation is Convolution or BatchNormalizationInTraining or GradientOf { Of: Convolution, Wanted: [0] };

    private static bool TakesActivation(Node head, Activation activation) =>
        head.Operation switch
        {
            Convolution or BatchNormalization or Add or Sub or Mul or Div => true,
            BatchNormalizationInTraining or BatchNormalizationAgain => activation.Kind is ActivationKind.Relu or ActivationKind.Clip,
            _ => false,
        };

    /// <summary>The operand of an addition whose producer can add the other one; the later one of two, which has less to wait for.</summary>
    private static string? ResidualOf(Node node, Scope scope, Dictionary<string, FusedGroup> open, Dictionary<string, int> made) =>
        node is { Operation: Add, Inputs: [var a, var b] } && a != b && scope.ShapeOf(a) == scope.ShapeOf(b)
            ? new[] { a, b }
                .Where(name =>
                    open.TryGetValue(name, out FusedGroup? group)
                    && TakesResidual(group.Head)
                    && group.Residual is null
                    && group.Activation == Activation.None
                    && scope.Uses.OnlyReader(name) == node
                    && scope.IsComputed(name == a ? b : a)
                )
                .MaxBy(name => made[name])
            : null;

    /// <summary>
    /// The gradient of an activation is a mask that the first reader applies in passing, where that is a sum over the batch: the gradient
    /// of a bias or of a normalisation.
    /// </summary>
    private static void FuseMasks(Scope scope, Dictionary<Node, FusedGroup> groups)
    {
        foreach (Node mask in scope.Graph.Nodes)
        {
            if (
                mask.Operation is not GradientOf { Of: Relu or Clip } gradient
                || ActivationForms.Of(gradient, mask, scope) is null
                || scope.Uses.FirstReader(mask.Outputs[0]) is not { } reader
                || groups[reader].Members.Count > 1
            )
                continue;
            if (
                reader.Operation is GradientOf { Of: BatchNormalizationInTraining or Convolution } sums
                && (sums.Of is BatchNormalizationInTraining || sums.Wanted is [2])
                && reader.Inputs[sums.Upstream()] == mask.Outputs[0]
            )
            {
                FusedGroup group = groups[reader];
                group.Mask = mask;
                group.Members.Insert(0, mask);
                groups[mask] = group;
            }
        }
    }
}
