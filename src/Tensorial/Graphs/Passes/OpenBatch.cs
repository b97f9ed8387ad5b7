using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>
/// A network whose file fixes the batch at 1, with the batch left open. Only where that is the same function for each sample: every value
/// that depends on an input is followed with the axis that its samples lie along (<see cref="BatchAxis"/>), and no operation may mix them.
/// </summary>
internal static class OpenBatch
{
    /// <summary>The name of the freed extent.</summary>
    private const string Name = "batch";

    /// <summary>The network with an open batch; one whose inputs leave it open is given back as it is.</summary>
    /// <exception cref="UnsupportedException">It cannot be freed: names the input or the node that stands against it, and why.</exception>
    public static Graph Apply(Graph graph)
    {
        if (graph.FreeInputs.All(static port => port.Dimensions is [{ Extent: null }, ..]))
            return graph;
        Port? other = graph.FreeInputs.FirstOrDefault(static port => port.Dimensions is not [{ Extent: 1 or null }, ..]);
        if (other is not null)
            throw new UnsupportedException(
                $"The batch cannot be freed: the input '{other.Name}' has a first extent of {(other.Dimensions is [{ Extent: { } extent }, ..] ? extent.ToString(System.Globalization.CultureInfo.InvariantCulture) : "unknown size")}, not 1."
            );
        IReadOnlyDictionary<string, ValueInfo> known = ShapeInference.Explore(graph).Operands;
        Dictionary<string, int> axes = graph.FreeInputs.ToDictionary(static port => port.Name, static _ => 0);
        ImmutableDictionary<string, Tensor> constants = graph.Initializers;
        var nodes = ImmutableArray.CreateBuilder<Node>();
        UniqueNames names = UniqueNames.From(graph);
        // Values made of the extents of samples alone.
        HashSet<string> extents = [];
        foreach (Node node in graph.Nodes)
        {
            bool readsExtents = node.Reads.Any(extents.Contains);
            // Shapes that are computed while the network runs have their value for one sample.
            if ((readsExtents || node.Reads.Any(axes.ContainsKey)) && node.Outputs.All(IsKnown) && node.Captured.IsEmpty)
            {
                foreach (string output in node.Outputs.Where(static name => name.Length > 0))
                    (constants, _) = (constants.SetItem(output, known[output].Value!), extents.Add(output));
                continue;
            }
            // A constant that is brought to the extents of samples, as a token for each is, stays the one for one sample.
            if (
                readsExtents
                && !node.Reads.Any(axes.ContainsKey)
                && node is { Operation: Expand, Inputs: [var data, _] }
                && !extents.Contains(data)
            )
            {
                nodes.Add(node);
                continue;
            }
            if (readsExtents && !node.Reads.Any(axes.ContainsKey))
                throw Refusal(node, "it makes values of extents");
            if (!node.Reads.Any(axes.ContainsKey))
            {
                nodes.Add(node);
                continue;
            }
            if (!node.Captured.IsEmpty)
                throw Refusal(node, "a branch or loop is not followed");
            if (node.Reads.FirstOrDefault(name => name.Length > 0 && !known.ContainsKey(name)) is { } unknown)
                throw Refusal(node, $"the shape of '{unknown}' is not known");
            BatchAxis.Step step;
            try
            {
                step = BatchAxis.After(node, [.. node.Inputs.Select(OperandOf)]);
            }
            catch (BadInputException error)
            {
                throw Refusal(node, error.Message);
            }
            foreach ((string output, int? axis) in node.Outputs.Zip(step.Outputs))
                if (axis is { } place)
                    axes[output] = place;
            Node freed = node;
            foreach ((int input, Tensor? constant) in step.Constants)
            {
                string name = constant is null ? "" : names.Unique($"{node.Inputs[input]}/{Name}");
                freed = freed with { Inputs = freed.Inputs.SetItem(input, name) };
                if (constant is not null)
                    constants = constants.Add(name, constant);
            }
            foreach (int input in step.Repeated)
                freed = freed with { Inputs = freed.Inputs.SetItem(input, Repeated(node, input, step.Outputs[0]!.Value)) };
            nodes.Add(step.Operation is { } operation ? freed with { Operation = operation } : freed);
        }
        Graph opened = graph with
        {
            Nodes = nodes.ToImmutable(),
            Initializers = constants,
            Inputs = [.. graph.Inputs.Select(port => graph.Initializers.ContainsKey(port.Name) ? port : Open(port, 0))],
            Outputs = [.. graph.Outputs.Select(port => axes.TryGetValue(port.Name, out int axis) ? Open(port, axis) : port)],
        };
        if (opened.Outputs.FirstOrDefault(port => constants.ContainsKey(port.Name)) is { } fixedOutput)
            throw new UnsupportedException($"The batch cannot be freed: the output '{fixedOutput.Name}' does not depend on the samples.");
        return RemoveUnused.Apply(opened);

        // Expanded to the extents 1, …, samples, …, 1, which Expand takes for those of the constant.
        string Repeated(Node node, int input, int axis)
        {
            string samples = node.Inputs.First(axes.ContainsKey),
                name = names.Unique($"{node.Inputs[input]}/{Name}"),
                shape = names.Unique($"{name}/shape"),
                kept = names.Unique($"{name}/kept"),
                extents = names.Unique($"{name}/extents"),
                mask = names.Unique($"{name}/mask"),
                rest = names.Unique($"{name}/rest");
            int rank = known[samples].Shape.Rank;
            constants = constants
                .Add(mask, new Tensor<long>([rank], Enumerable.Range(0, rank).Select(place => place == axis ? 1L : 0).ToArray()))
                .Add(rest, new Tensor<long>([rank], Enumerable.Range(0, rank).Select(place => place == axis ? 0L : 1).ToArray()));
            nodes.Add(new(shape, new ShapeOf(), [samples], [shape]));
            nodes.Add(new(kept, new Mul(), [shape, mask], [kept]));
            nodes.Add(new(extents, new Add(), [kept, rest], [extents]));
            nodes.Add(new(name, new Expand(), [node.Inputs[input], extents], [name]));
            return name;
        }

        bool IsKnown(string name) => name.Length == 0 || known.TryGetValue(name, out ValueInfo? operand) && operand.Value is not null;

        BatchAxis.Value? OperandOf(string name) =>
            name.Length == 0
                ? null
                : new(
                    constants.TryGetValue(name, out Tensor? constant) ? ValueInfo.From(constant) : known[name],
                    axes.TryGetValue(name, out int axis) ? axis : null
                );
    }

    /// <summary>
    /// The network with an open batch where it can have one, and as it is where not: to train on many samples what a file fixes at one. Weights
    /// keep their names.
    /// </summary>
    public static Graph WherePossible(Graph graph)
    {
        try
        {
            return Apply(graph);
        }
        catch (UnsupportedException)
        {
            return graph;
        }
    }

    private static Port Open(Port port, int axis)
    {
        if (port.Dimensions is not { } dimensions || axis >= dimensions.Length)
            return port;
        // An axis that holds more than the samples, such as the boxes of all, has no number any more.
        Dimension free = new(null, dimensions[axis].Extent is 1 or null ? dimensions[axis].Name ?? Name : null);
        return port with { Dimensions = dimensions.SetItem(axis, free) };
    }

    private static UnsupportedException Refusal(Node node, string reason) =>
        new($"The batch cannot be freed: at '{node.Label}' ({node.Operation.Name}) {reason}.");
}
