using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>Nodes and constants that take a layer's place, under names of their own.</summary>
/// <param name="prefix">What all names begin with.</param>
/// <param name="names">Names that the network has.</param>
internal sealed class GraphWriter(string prefix, UniqueNames names)
{
    private readonly Dictionary<object, string> _known = [];
    private readonly Dictionary<string, GraphWriter> _inner = [];

    public List<Node> Nodes { get; private init; } = [];

    public Dictionary<string, Tensor> Constants { get; private init; } = [];

    /// <summary>Constants that layers which share their weights share as well.</summary>
    public GraphWriter Sharing(string otherPrefix)
    {
        GraphWriter other = new(otherPrefix, names);
        foreach ((object key, string name) in _known)
            other._known[key] = name;
        foreach ((string what, GraphWriter own) in _inner)
            other._inner[what] = own;
        return other;
    }

    /// <summary>
    /// One for a part of the layer, whose constants are no other part's: what it puts comes here, and its names begin with that of the part.
    /// </summary>
    public GraphWriter Inner(string what)
    {
        GraphWriter part = new($"{prefix}/{what}", names) { Nodes = Nodes, Constants = Constants };
        if (_inner.TryGetValue(what, out GraphWriter? before))
            foreach ((object key, string name) in before._known)
                part._known[key] = name;
        return _inner[what] = part;
    }

    public void Put(Node node) => Nodes.Add(node);

    /// <summary>A name for a node.</summary>
    public string NodeName(string what) => names.Unique($"{prefix}/{what}");

    /// <summary>A name for a value.</summary>
    public string Fresh(string what) => names.Unique($"{prefix}/{what}_output");

    /// <summary>Stores a constant, once for each key.</summary>
    public string Constant(string what, object key, Func<Tensor> make)
    {
        if (_known.TryGetValue(key, out string? known))
            return known;
        string name = _known[key] = names.Unique($"{prefix}/{what}");
        Constants[name] = make();
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
}
