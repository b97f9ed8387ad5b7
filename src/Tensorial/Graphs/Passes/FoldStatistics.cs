using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>
/// Running statistics of batch normalisations that are computed of constants, such as those that a Cast widens, become initializers: training
/// renews them, and what is renewed must be a constant of its own.
/// </summary>
internal static class FoldStatistics
{
    /// <summary>Channels are few; what claims more is no statistic.</summary>
    private const int MostValues = 1 << 20;

    /// <summary>The network in that form; as it is where nothing is computed.</summary>
    public static Graph Apply(Graph graph)
    {
        HashSet<string> wanted =
        [
            .. graph
                .Nodes.Where(static node => node.Operation is BatchNormalization && node.Inputs.Length == 5)
                .SelectMany(static node => node.Inputs.Skip(3))
                .Where(name => !graph.Initializers.ContainsKey(name)),
        ];
        if (wanted.Count == 0)
            return graph;
        Dictionary<string, Node> makers = [];
        foreach (Node node in graph.Nodes)
        foreach (string output in node.Outputs)
            makers[output] = node;
        ImmutableDictionary<string, Tensor>.Builder constants = graph.Initializers.ToBuilder();
        Dictionary<string, string> renamed = [];
        UniqueNames names = UniqueNames.From(graph);
        foreach (string name in wanted)
            if (ValueOf(name, makers, graph.Initializers) is { } value)
                constants[renamed[name] = names.Unique($"{name}/statistic")] = value;
        return renamed.Count == 0
            ? graph
            : RemoveUnused.Apply(
                graph with
                {
                    Nodes =
                    [
                        .. graph.Nodes.Select(node =>
                            node.Operation is BatchNormalization && node.Inputs.Skip(3).Any(renamed.ContainsKey)
                                ? node with
                                {
                                    Inputs = [.. node.Inputs.Select((name, i) => i > 2 ? renamed.GetValueOrDefault(name, name) : name)],
                                }
                                : node
                        ),
                    ],
                    Initializers = constants.ToImmutable(),
                }
            );
    }

    /// <summary>The value that operations of one operand make of a constant; null where others do, or there is no constant.</summary>
    private static Tensor? ValueOf(string name, Dictionary<string, Node> makers, ImmutableDictionary<string, Tensor> constants)
    {
        Stack<Node> way = new();
        while (!constants.ContainsKey(name))
        {
            if (!makers.TryGetValue(name, out Node? maker) || maker.Operation is not (Cast or Identity or Reshaping or Transpose))
                return null;
            way.Push(maker);
            name = maker.Inputs[0];
        }
        Tensor value = constants[name];
        try
        {
            while (value.Shape.ElementCount <= MostValues && way.TryPop(out Node? node))
                value =
                    node.Operation is Identity
                        ? value
                        : node.Operation.Apply([value, .. node.Inputs.Skip(1).Select(constants.GetValueOrDefault)])[0];
        }
        catch (BadInputException)
        {
            // What is wrong with a node is said where it is run.
            return null;
        }
        return way.Count == 0 ? value : null;
    }
}
