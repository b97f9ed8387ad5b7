using System.Collections.Frozen;
using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Makes one node of an activation that a file writes as several: x · σ(x) is Swish, x · HardSigmoid(x) with slope 1/6 and offset 1/2 is
/// HardSwish; others see <see cref="RecognizeHardGates"/> and <see cref="RecognizeGelu"/>.
/// </summary>
internal static class RecognizeActivations
{
    /// <param name="graph">The network.</param>
    /// <param name="changing">Initializers that training changes, which are no numbers of a function.</param>
    public static Graph Apply(Graph graph, IReadOnlySet<string>? changing = null)
    {
        Terms terms = new(graph, changing ?? FrozenSet<string>.Empty);
        RecognizeHardGates gates = new(terms);
        RecognizeGelu gelu = new(terms);
        HashSet<Node> gone = new(ReferenceEqualityComparer.Instance);
        var nodes = ImmutableArray.CreateBuilder<Node>(graph.Nodes.Length);
        foreach (Node node in graph.Nodes)
        {
            Node read = node;
            if (node.Operation is Mul or Div && (Gated(node, terms) ?? gates.Of(node) ?? gelu.Of(node)) is { } found)
            {
                gone.UnionWith(found.Inner);
                read = node with { Operation = found.Function, Inputs = [found.Input], Source = null };
            }
            terms.Add(read);
            nodes.Add(read);
        }
        return gone.Count == 0 ? graph : graph with { Nodes = [.. nodes.Where(node => !gone.Contains(node))] };
    }

    /// <summary>The activation x · gate(x), where one operand is x and the other its gate, which nobody else reads.</summary>
    private static Recognized? Gated(Node product, Terms terms)
    {
        if (product.Operation is Mul)
            foreach (int side in (ReadOnlySpan<int>)[0, 1])
                if (terms.OnlyFor(product.Inputs[1 - side]) is { } gate && gate.Inputs.FirstOrDefault() == product.Inputs[side])
                {
                    Operation? function = gate.Operation switch
                    {
                        Sigmoid => new Swish(),
                        HardSigmoid { Beta: 0.5f } hard when Math.Abs(hard.Alpha - 1f / 6) < 1e-6f => new HardSwish(),
                        _ => null,
                    };
                    if (function is not null)
                        return new(function, product.Inputs[side], [gate]);
                }
        return null;
    }
}
