using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Training;

/// <summary>A classifier up to its logits: losses take them before the softmax that some networks end in.</summary>
internal static class Logits
{
    /// <summary>The network without a softmax at its end, and without what only the other outputs need.</summary>
    public static Graph Of(Graph graph)
    {
        string output = graph.Outputs[0].Name,
            name = output;
        while (graph.Nodes.LastOrDefault(node => node.Outputs.Contains(name)) is { } maker)
        {
            if (maker.Operation is Softmax or LogSoftmax)
                return graph.ExtractSubgraph(maker.Inputs[0]);
            if (maker.Operation is not (Reshaping or Cast))
                break;
            name = maker.Inputs[0];
        }
        return graph.ExtractSubgraph(output) with { Outputs = [graph.Outputs[0]] };
    }
}
