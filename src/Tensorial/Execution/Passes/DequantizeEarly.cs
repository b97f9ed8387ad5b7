using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Moves a DequantizeLinear with one scale before what moves integers, or takes the largest, where these come from a QuantizeLinear: the
/// two then meet.
/// </summary>
internal static class DequantizeEarly
{
    /// <summary>The graph, its constants being initializers.</summary>
    public static Graph Apply(Graph graph)
    {
        Dictionary<string, int> makers = [];
        Node[] nodes = [.. graph.Nodes];
        Uses uses = new(graph);
        bool moved = false;
        for (int at = 0; at < nodes.Length; at++)
        {
            if (
                nodes[at] is { Operation: DequantizeLinear { BlockSize: 0 } } numbers
                && graph.Initializers.GetValueOrDefault(numbers.Inputs[1]) is Tensor<float> { Shape.ElementCount: 1 } scale
                && scale.Values[0] > 0
            )
            {
                // From the last mover back to the first, each now moves numbers.
                List<int> movers = [];
                string value = numbers.Inputs[0];
                while (
                    makers.TryGetValue(value, out int maker)
                    && IsMover(nodes[maker].Operation)
                    && uses.OnlyReader(value) is not null
                    && nodes[maker].Outputs.Length == 1
                )
                {
                    movers.Add(maker);
                    value = nodes[maker].Inputs[0];
                }
                if (
                    movers.Count > 0
                    && makers.TryGetValue(value, out int quantizer)
                    && nodes[quantizer].Operation is QuantizeLinear
                    && movers.All(mover =>
                        nodes[mover].Operation is not Cast cast || cast.Type == RecognizeFakeQuantization.TypeOf(nodes[quantizer], graph)
                    )
                )
                {
                    // The numbers take the place of the first mover, each mover that of the next, and the last one gives what they gave.
                    movers.Reverse();
                    Node[] chain = [.. movers.Select(mover => nodes[mover])];
                    string first = $"{numbers.Outputs[0]}_of_{value}";
                    nodes[movers[0]] = numbers with { Inputs = [value, .. numbers.Inputs.Skip(1)], Outputs = [first], Source = null };
                    for (int k = 0; k < chain.Length; k++)
                        nodes[k + 1 < movers.Count ? movers[k + 1] : at] = chain[k] with
                        {
                            Inputs = [k == 0 ? first : chain[k - 1].Outputs[0], .. chain[k].Inputs.Skip(1)],
                            Outputs = [k + 1 < chain.Length ? chain[k].Outputs[0] : numbers.Outputs[0]],
                            Operation = chain[k].Operation is Cast ? new Identity() : chain[k].Operation,
                            Source = null,
                        };
                    moved = true;
                    foreach (int mover in movers.Append(at))
                        makers[nodes[mover].Outputs[0]] = mover;
                    continue;
                }
            }
            foreach (string output in nodes[at].Outputs)
                makers[output] = at;
        }
        return moved ? DropIdentities.Apply(graph with { Nodes = [.. nodes] }) : graph;

        static bool IsMover(Operation operation) =>
            operation is MaxPool { WithIndices: false } or Reshape or Transpose or Flatten or Squeeze or Unsqueeze or Identity or Cast;
    }
}
