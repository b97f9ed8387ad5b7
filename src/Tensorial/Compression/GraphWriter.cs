using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>Nodes and constants that take a layer's place, under names of their own.</summary>
/// <param name="prefix">What all names begin with.</param>
/// <param name="graph">The network that they go into, whose names are taken.</param>
internal sealed class GraphWriter(string prefix, Graph graph)
{
    private readonly HashSet<string> _names =
    [
        .. graph.Initializers.Keys,
        .. graph.Inputs.Select(static port => port.Name),
        .. graph.Nodes.SelectMany(static node => node.Outputs.Prepend(node.Name)),
    ];

    public List<Node> Nodes { get; } = [];

    public Dictionary<string, Tensor> Constants { get; } = [];

    public void Put(Node node) => Nodes.Add(node);

    /// <summary>A name for a node.</summary>
    public string NodeName(string what) => Unique($"{prefix}/{what}");

    /// <summary>A name for a value.</summary>
    public string Fresh(string what) => Unique($"{prefix}/{what}_output");

    /// <summary>Stores a constant.</summary>
    public string Constant(string what, Tensor value)
    {
        string name = Unique($"{prefix}/{what}");
        Constants[name] = value;
        return name;
    }

    /// <summary>A node with one result, whose name is given back.</summary>
    public string Put(string what, Operation operation, params ImmutableArray<string> inputs)
    {
        string output = Fresh(what);
        Put(new Node(NodeName(what), operation, inputs, [output]));
        return output;
    }

    /// <summary>The value with other extents: 0 keeps the one at its place, -1 takes what is left.</summary>
    public string Reshaped(string what, string value, params ImmutableArray<int> extents) =>
        Put($"{what}/reshape", new Reshape { Extents = extents }, value);

    /// <summary>The value with its axes in another order.</summary>
    public string Transposed(string what, string value, params ImmutableArray<int> order) =>
        Put($"{what}/transpose", new Transpose(order), value);

    private string Unique(string name)
    {
        string unique = name;
        for (int k = 2; !_names.Add(unique); k++)
            unique = $"{name}.{k}";
        return unique;
    }
}
