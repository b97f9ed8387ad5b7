using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Values that a gradient reads and that are cheap to make once more are made once more, where the gradient first reads them, and not kept
/// from the way forward: the result of a normalisation and its activation, from the input that the normalisation's own gradient reads in any
/// case; and the values between the factors of a layer, such as those of a pointwise convolution to few channels. A step then moves fewer
/// bytes, which is what takes its time, and its activations take less memory (Chen, Xu, Zhang and Guestrin, Training Deep Nets with Sublinear
/// Memory Cost, 2016; Rota Bulò, Porzi and Kontschieder, In-Place Activated BatchNorm, CVPR 2018).
/// </summary>
internal static class Recompute
{
    /// <summary>
    /// Multiplications that a value may take. A value that is kept is written once and read once beyond the caches: some eight bytes, in which
    /// time a core multiplies so often.
    /// </summary>
    private const int MostMultiplications = 48;

    /// <summary>The network with its gradient, which makes again what is not worth keeping.</summary>
    /// <param name="network">The network and its gradient.</param>
    /// <param name="shapes">Types and extents of the network's values.</param>
    public static Differentiated Apply(Differentiated network, IReadOnlyDictionary<string, ValueInfo> shapes)
    {
        Making making = new(network, shapes);
        ImmutableArray<Node> nodes = network.Graph.Nodes;
        foreach (Node node in nodes.Skip(network.ForwardNodes))
            making.Add(node);
        return network with { Graph = network.Graph with { Nodes = [.. nodes.Take(network.ForwardNodes), .. making.Nodes] } };
    }

    private sealed class Making
    {
        private readonly IReadOnlyDictionary<string, ValueInfo> _shapes;
        private readonly UniqueNames _names;
        private readonly Dictionary<string, Node> _producers = [];
        private readonly Dictionary<string, List<Node>> _readers = [];
        private readonly HashSet<string> _outputs;
        private readonly HashSet<string> _constant;
        private readonly Dictionary<string, string> _again = [];

        public Making(Differentiated network, IReadOnlyDictionary<string, ValueInfo> shapes)
        {
            Graph graph = network.Graph;
            (_shapes, _names) = (shapes, UniqueNames.From(graph));
            _outputs = [.. graph.Outputs.Select(static port => port.Name)];
            _constant = [.. graph.Initializers.Keys, .. ParametersFirst.Leading(graph).SelectMany(static node => node.Outputs)];
            foreach (Node node in graph.Nodes.Take(network.ForwardNodes))
            {
                foreach (string output in node.Outputs)
                    _producers[output] = node;
                foreach (string read in node.Reads.Distinct())
                    (_readers.TryGetValue(read, out List<Node>? readers) ? readers : _readers[read] = []).Add(node);
            }
        }

        /// <summary>The gradient's nodes, with what they read again before them.</summary>
        public List<Node> Nodes { get; } = [];

        public void Add(Node node) => Nodes.Add(node with { Inputs = [.. node.Inputs.Select(Again)] });

        /// <summary>The value's other name, once it is made again; its own where it is kept.</summary>
        private string Again(string name)
        {
            if (_again.TryGetValue(name, out string? known))
                return known;
            if (!IsPassing(name))
                return name;
            Node node = _producers[name];
            if (IsCheap(node))
                return Make(node, node.Operation, [Again(node.Inputs[0]), .. node.Inputs.Skip(1)]);
            if (
                node.Operation is Relu or Clip
                && node.Inputs.Skip(1).All(input => input.Length == 0 || _constant.Contains(input))
                && _producers.GetValueOrDefault(node.Inputs[0])
                    is { Operation: BatchNormalizationInTraining, Outputs: [var normalized, _, _, var mean, var reciprocal] } norm
                && normalized == node.Inputs[0]
                && !_outputs.Contains(normalized)
                && _readers[normalized] is [_]
            )
            {
                string before = Make(
                    norm,
                    new BatchNormalizationAgain(),
                    [Again(norm.Inputs[0]), norm.Inputs[1], norm.Inputs[2], mean, reciprocal]
                );
                return Make(node, node.Operation, [before, .. node.Inputs.Skip(1)]);
            }
            return name;
        }

        /// <summary>Whether a map is read by one convolution alone on the way forward: what it takes then is free at once.</summary>
        private bool IsPassing(string name) =>
            !_outputs.Contains(name)
            && _shapes.TryGetValue(name, out ValueInfo? value)
            && value is { Type: ElementType.Float32, Shape.Rank: 3 or 4 }
            && _producers.ContainsKey(name)
            && _readers.GetValueOrDefault(name) is [{ Operation: Convolution } reader]
            && reader.Inputs[0] == name;

        /// <summary>A convolution of few multiplications for each of its results, by weights that no batch changes.</summary>
        private bool IsCheap(Node node) =>
            node is { Operation: Convolution, Outputs.Length: 1 }
            && node.Inputs.Skip(1).All(input => input.Length == 0 || _constant.Contains(input))
            && _shapes[node.Inputs[1]].Shape is var kernel
            && kernel.ElementCountOf(1, kernel.Rank) <= MostMultiplications;

        private string Make(Node node, Operation operation, ImmutableArray<string> inputs)
        {
            string name = _names.Unique($"{node.Outputs[0]} again");
            Nodes.Add(new($"{node.Label} again", operation, inputs, [name]));
            return _again[node.Outputs[0]] = name;
        }
    }
}
