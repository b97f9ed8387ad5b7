using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>
/// Gives a constant that plays several parts a copy for each. Exporters join constants that happen to be equal, such as the zeros and ones
/// of fresh normalisations and biases: what trains one layer would then change another.
/// <para>What was one parameter stays one: a tensor of several axes, or one whose values differ, is the same for two layers only if it was
/// made so; and a layer that is applied several times shares everything it reads.</para>
/// </summary>
internal static class SeparateRoles
{
    /// <summary>Operands of a layer with weights, at most.</summary>
    private const int MostOperands = 16;

    /// <summary>Where a constant is read: the place of a node, and of one of its inputs.</summary>
    private readonly record struct Use(int Node, int Input);

    public static Graph Apply(Graph graph)
    {
        ILookup<string, Use> uses = graph
            .Nodes.SelectMany(static (node, place) => node.Inputs.Select((name, input) => (name, use: new Use(place, input))))
            .Where(pair => graph.Initializers.ContainsKey(pair.name))
            .ToLookup(static pair => pair.name, static pair => pair.use);
        HashSet<string> fixedNames =
        [
            .. graph.Outputs.Select(static port => port.Name),
            .. graph.Nodes.SelectMany(static node => node.Captured),
        ];
        UniqueNames names = UniqueNames.From(graph);
        ImmutableDictionary<string, Tensor>.Builder constants = graph.Initializers.ToBuilder();
        Dictionary<int, ImmutableArray<string>> changed = [];
        foreach (IGrouping<string, Use> constant in uses)
        {
            if (fixedNames.Contains(constant.Key) || !LooksJoined(graph.Initializers[constant.Key]))
                continue;
            Use[][] parts = [.. constant.GroupBy(PartOf).Select(static part => part.ToArray())];
            // The first keeps the name.
            for (int part = 1; part < parts.Length; part++)
            {
                string copy = names.Unique($"{constant.Key}/{part + 1}");
                constants[copy] = graph.Initializers[constant.Key];
                foreach (Use use in parts[part])
                    changed[use.Node] = changed.GetValueOrDefault(use.Node, graph.Nodes[use.Node].Inputs).SetItem(use.Input, copy);
            }
        }
        return changed.Count == 0
            ? graph
            : graph with
            {
                Nodes =
                [
                    .. graph.Nodes.Select(
                        (node, place) =>
                            changed.TryGetValue(place, out ImmutableArray<string> inputs) ? node with { Inputs = inputs } : node
                    ),
                ],
                Initializers = constants.ToImmutable(),
            };

        // One part: the same input of a layer that is applied several times.
        string PartOf(Use use)
        {
            Node node = graph.Nodes[use.Node];
            // No layer has more.
            if (use.Input == 0 || node.Inputs.Length > MostOperands)
                return $"{use.Node}.{use.Input}";
            string[] read = [.. node.Inputs.Skip(1).Where(graph.Initializers.ContainsKey)];
            bool isOneLayer = read.Length > 1 && read.Distinct().Count() == read.Length;
            return isOneLayer ? $"{node.Operation.Name} {use.Input}: {string.Join('\n', node.Inputs.Skip(1))}" : $"{use.Node}.{use.Input}";
        }
    }

    /// <summary>Whether a constant holds what many do before they have learnt anything: one value, along at most one axis.</summary>
    private static bool LooksJoined(Tensor value) =>
        value.ElementType.IsFloating()
        && value.Shape.ElementCount > 1
        && value.Shape.Count(static extent => extent > 1) == 1
        && IsUniform(value.To(ElementType.Float64).Of<double>().Values);

    private static bool IsUniform(ReadOnlySpan<double> values) => !values.ContainsAnyExcept(values[0]);
}
