using System.Collections.Immutable;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression.Int8;

/// <summary>A number for each channel that is added behind a convolution becomes its bias.</summary>
internal static class FoldAddedConstants
{
    public static Graph Apply(Graph graph)
    {
        Uses uses = new(graph);
        Dictionary<string, int> makers = [];
        ImmutableDictionary<string, Tensor>.Builder constants = graph.Initializers.ToBuilder();
        UniqueNames names = UniqueNames.From(graph);
        List<Node> nodes = [];
        foreach (Node node in graph.Nodes)
        {
            if (node.Operation is Add && node.Inputs.FirstOrDefault(makers.ContainsKey) is { } value && uses.OnlyReader(value) == node)
            {
                string added = node.Inputs[0] == value ? node.Inputs[1] : node.Inputs[0];
                Node convolution = nodes[makers[value]];
                Tensor<float> weights = constants[convolution.Inputs[1]].Of<float>();
                Tensor? former = convolution.Inputs.Length > 2 ? constants.GetValueOrDefault(convolution.Inputs[2]) : null;
                if (
                    constants.GetValueOrDefault(added) is Tensor<float> row
                    && IsByChannel(row.Shape, weights.Shape)
                    && (convolution.Inputs.Length < 3 || former is Tensor<float>)
                )
                {
                    Tensor<float> bias = new([weights.Shape[0]]);
                    for (int k = 0; k < bias.Values.Length; k++)
                        bias.Values[k] =
                            row.Values[row.Shape.ElementCount == 1 ? 0 : k] + (former is Tensor<float> own ? own.Values[k] : 0);
                    string name = names.Unique($"{added}/bias");
                    constants[name] = bias;
                    nodes[makers[value]] = convolution with { Inputs = [.. convolution.Inputs.Take(2), name], Outputs = node.Outputs };
                    continue;
                }
            }
            if (node.Operation is Convolution && constants.GetValueOrDefault(node.Inputs[1]) is Tensor<float>)
                makers[node.Outputs[0]] = nodes.Count;
            nodes.Add(node);
        }
        return graph with { Nodes = [.. nodes], Initializers = constants.ToImmutable() };
    }

    /// <summary>Whether a constant has one value for each channel of [n, channels, spatial axes], or one for all.</summary>
    private static bool IsByChannel(Shape shape, Shape weights)
    {
        int spatial = weights.Rank - 2,
            axis = shape.Rank - spatial - 1;
        return shape.ElementCount == 1 && shape.Rank <= weights.Rank
            || shape.ElementCount == weights[0] && axis is 0 or 1 && shape[axis] == weights[0];
    }
}
