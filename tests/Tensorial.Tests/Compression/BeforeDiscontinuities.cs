using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Tests.Compression;

/// <summary>
/// A network up to where it chooses: what is read by operators that answer otherwise where two numbers are equal but for rounding becomes an
/// output in place of all that follows from their answers.
/// </summary>
internal static class BeforeDiscontinuities
{
    private static readonly ImmutableHashSet<string> Operators =
    [
        "TopK",
        "NonMaxSuppression",
        "ArgMax",
        "ArgMin",
        "Equal",
        "Greater",
        "GreaterOrEqual",
        "Less",
        "LessOrEqual",
        "NonZero",
        "Unique",
        "Round",
        "Floor",
        "Ceil",
        "Sign",
    ];

    public static Graph Apply(Graph graph)
    {
        IReadOnlyDictionary<string, ValueInfo> known = ShapeInference.Explore(graph.WithGuessedExtents()).Operands;
        HashSet<string> chosen = [];
        List<string> before = [];
        foreach (Node node in graph.Nodes)
        {
            bool follows = node.Reads.Any(chosen.Contains);
            if (!follows && !(Operators.Contains(node.Operation.Name) && node.Inputs.Any(IsComputed)))
                continue;
            before.AddRange(node.Reads.Where(name => !chosen.Contains(name) && IsComputed(name)));
            chosen.UnionWith(node.Outputs);
        }
        return chosen.Count == 0
            ? graph
            : RemoveUnused.Apply(
                graph with
                {
                    Outputs =
                    [
                        .. graph.Outputs.Where(port => !chosen.Contains(port.Name)),
                        .. before
                            .Distinct()
                            .Where(name => graph.Outputs.All(port => port.Name != name))
                            .Select(name => new Port(name, known[name].Type, null)),
                    ],
                }
            );

        // A number that depends on the input: shapes and what is computed of them are the same everywhere.
        bool IsComputed(string name) => known.TryGetValue(name, out ValueInfo? value) && value.Type.IsFloating() && value.Value is null;
    }
}
