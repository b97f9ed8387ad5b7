using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>What is known of every value of a network at given input extents, and which nodes defied it.</summary>
/// <param name="Operands">By value name: type, extents and, where it is constant, the value.</param>
/// <param name="Failures">Nodes whose shape rule failed, with the reason; what depends on them is unknown and not listed.</param>
internal sealed record InferredShapes(
    IReadOnlyDictionary<string, ValueInfo> Operands,
    ImmutableArray<(Node Node, BadInputException Reason)> Failures
);

/// <summary>Partial evaluation of a network at concrete input extents: types, extents and constants of all its values.</summary>
internal static class ShapeInference
{
    /// <summary>
    /// Constant results up to this many values are computed on the way, so that arithmetic on shapes reaches Reshape and its
    /// like. Larger ones are weights on their way to a layer, which only the executor needs.
    /// </summary>
    private const int FoldLimit = 1 << 16;

    /// <summary>Results that may be extents are computed whatever the budget: the node that makes them takes as much of the file.</summary>
    private const int ShapeValues = ValueLimit.MostAxes;

    /// <summary>Types, extents and constants of every value.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="inputs">Extents of inputs, by name. Others take the extents the network declares, free ones being 1.</param>
    /// <param name="changing">Constants whose values are not to be relied on, as training changes them.</param>
    /// <exception cref="BadInputException">An operator is not supported or its operands do not fit; names the node.</exception>
    public static IReadOnlyDictionary<string, ValueInfo> Run(
        Graph graph,
        IReadOnlyDictionary<string, Shape>? inputs = null,
        IReadOnlySet<string>? changing = null
    )
    {
        InferredShapes shapes = Explore(graph, inputs, changing);
        return shapes.Failures.IsEmpty ? shapes.Operands : throw shapes.Failures[0].Reason;
    }

    /// <summary>As <see cref="Run"/>, but goes on past nodes that cannot be inferred and says which they were.</summary>
    public static InferredShapes Explore(
        Graph graph,
        IReadOnlyDictionary<string, Shape>? inputs = null,
        IReadOnlySet<string>? changing = null
    )
    {
        Dictionary<string, ValueInfo> given = [];
        foreach (string name in changing ?? Enumerable.Empty<string>())
            if (graph.Initializers.TryGetValue(name, out Tensor? value))
                given[name] = new(value.ElementType, value.Shape);
        foreach (Port port in graph.Inputs)
            if (!graph.Initializers.ContainsKey(port.Name) && Extents(port, inputs) is { } shape)
                given[port.Name] = new(port.Type, shape);
        return Explore(graph, given);
    }

    /// <summary>As <see cref="Explore(Graph, IReadOnlyDictionary{string, Shape}?, IReadOnlySet{string}?)"/> for inputs whose types and constants are known too.</summary>
    public static InferredShapes Explore(Graph graph, IReadOnlyDictionary<string, ValueInfo> given)
    {
        Dictionary<string, ValueInfo> known = new(given);
        foreach ((string name, Tensor value) in graph.Initializers)
            known.TryAdd(name, ValueInfo.From(value));
        ValueLimit limit = ValueLimit.From(
            graph,
            graph.Inputs.Where(port => known.ContainsKey(port.Name)).Select(port => known[port.Name].Shape)
        );

        HashSet<string> made = [.. graph.Nodes.SelectMany(static node => node.Outputs)];
        var failures = ImmutableArray.CreateBuilder<(Node, BadInputException)>();
        foreach (Node node in graph.Nodes)
        {
            if (node.Inputs.FirstOrDefault(name => name.Length > 0 && !known.ContainsKey(name)) is { } missing)
            {
                if (!made.Contains(missing))
                    failures.Add((node, Absence(graph, node, missing)));
                continue;
            }
            ValueInfo?[] operands = [.. node.Inputs.Select(name => name.Length > 0 ? known[name] : null)];
            try
            {
                ImmutableArray<ValueInfo> results = node.Operation.Infer(operands);
                if (results.Length < node.Outputs.Length)
                    throw new BadInputException($"it has {node.Outputs.Length} outputs, but the operator makes {results.Length}.");
                limit.Check(results);
                results = Fold(node.Operation, operands, results, limit);
                for (int i = 0; i < node.Outputs.Length; i++)
                    if (node.Outputs[i].Length > 0)
                        known[node.Outputs[i]] = results[i];
            }
            catch (UnsupportedException error)
            {
                failures.Add((node, new UnsupportedException($"Node '{node.Label}': {error.Message}")));
            }
            catch (BadInputException error)
            {
                failures.Add((node, new BadInputException($"Node '{node.Label}' ({node.Operation.Name}): {error.Message}", error)));
            }
            catch (OverflowException error)
            {
                failures.Add(
                    (
                        node,
                        new ShapeException(
                            $"Node '{node.Label}' ({node.Operation.Name}): its attributes or extents are too large to compute with.",
                            error
                        )
                    )
                );
            }
        }
        return new(known, failures.ToImmutable());
    }

    private static ImmutableArray<ValueInfo> Fold(
        Operation operation,
        ValueInfo?[] operands,
        ImmutableArray<ValueInfo> results,
        ValueLimit limit
    )
    {
        // What a body knows, its own inference found; bodies that are run at every depth run too often, and a loop for as long as it likes.
        bool foldable =
            operation is not Branching
            && Array.TrueForAll(operands, static o => o is null or { Value: not null })
            && results.Any(static r => r.Value is null)
            && results.Sum(static r => (long)r.Shape.ElementCount) is var count and <= FoldLimit
            && (count <= ShapeValues || limit.AllowsFolding(count));
        if (!foldable)
            return results;
        Tensor[] values = operation.Apply([.. operands.Select(static o => o?.Value)]);
        return [.. values.Select(ValueInfo.From)];
    }

    private static BadInputException Absence(Graph graph, Node node, string missing) =>
        graph.Inputs.Any(port => port.Name == missing)
            ? new($"Input '{missing}' declares no shape, and none was given.")
            : new UnsupportedException($"Node '{node.Label}': '{missing}' has a type that is not supported.");

    /// <summary>Null where neither the network nor the caller says.</summary>
    private static Shape? Extents(Port port, IReadOnlyDictionary<string, Shape>? inputs)
    {
        if (inputs is not null && inputs.TryGetValue(port.Name, out Shape given))
            return Checked(port, given);
        if (port.Dimensions is { Length: > ValueLimit.MostAxes and var axes })
            throw new BadInputException($"Input '{port.Name}' has {axes:N0} axes; at most {ValueLimit.MostAxes} are computed with.");
        return port.Dimensions is { } dimensions ? Shape.From([.. dimensions.Select(static d => d.Extent ?? 1)]) : null;
    }

    private static Shape Checked(Port port, Shape given)
    {
        bool fits =
            port.Dimensions is not { } dimensions
            || (dimensions.Length == given.Rank && !dimensions.Where((d, axis) => d.Extent is { } extent && extent != given[axis]).Any());
        return fits
            ? given
            : throw new ShapeException($"Input '{port.Name}' is declared as {string.Join('×', port.Dimensions!.Value)}, not {given}.");
    }
}
