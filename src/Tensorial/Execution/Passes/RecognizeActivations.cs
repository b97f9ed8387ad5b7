using System.Collections.Frozen;
using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Makes one node of an activation that a file writes as several: x · σ(x) is Swish, x · HardSigmoid(x) with slope 1/6 and offset 1/2 is
/// HardSwish; Gelu see <see cref="RecognizeGelu"/>.
/// </summary>
internal static class RecognizeActivations
{
    /// <param name="graph">The network.</param>
    /// <param name="changing">Initializers that training changes, which are no numbers of a function.</param>
    public static Graph Apply(Graph graph, IReadOnlySet<string>? changing = null)
    {
        Uses uses = new(graph);
        Dictionary<string, Node> makers = [];
        RecognizeGelu gelu = new(graph, makers, changing ?? FrozenSet<string>.Empty);
        HashSet<Node> gone = new(ReferenceEqualityComparer.Instance);
        var nodes = ImmutableArray.CreateBuilder<Node>(graph.Nodes.Length);
        foreach (Node node in graph.Nodes)
        {
            foreach (string output in node.Outputs)
                makers[output] = node;
            if (
                node.Operation is Mul
                && Array.Find([0, 1], side => GateOf(node, side) is not null) is var side
                && GateOf(node, side) is { } gate
            )
            {
                gone.Add(makers[node.Inputs[1 - side]]);
                nodes.Add(node with { Operation = gate, Inputs = [node.Inputs[side]], Source = null });
            }
            else if (node.Operation is Mul or Div && gelu.Of(node, uses) is var (function, x, inner))
            {
                gone.UnionWith(inner);
                nodes.Add(node with { Operation = function, Inputs = [x], Source = null });
            }
            else
            {
                nodes.Add(node);
            }
        }
        return gone.Count == 0 ? graph : graph with { Nodes = [.. nodes.Where(node => !gone.Contains(node))] };

        // The activation x · gate(x), where one operand is x and the other its gate, which nobody else reads.
        Operation? GateOf(Node product, int side)
        {
            string gate = product.Inputs[1 - side];
            if (
                !makers.TryGetValue(gate, out Node? maker)
                || maker.Inputs.FirstOrDefault() != product.Inputs[side]
                || uses.OnlyReader(gate) != product
            )
                return null;
            return maker.Operation switch
            {
                Sigmoid => new Swish(),
                HardSigmoid { Beta: 0.5f } hard when Math.Abs(hard.Alpha - 1f / 6) < 1e-6f => new HardSwish(),
                _ => null,
            };
        }
    }
}
