using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>Where the Constant nodes of a network stand, by what they make: found once for a list of nodes, which never changes.</summary>
internal sealed class ConstantNodes
{
    private static readonly ConditionalWeakTable<Node[], ConstantNodes> Known = [];

    private readonly Dictionary<string, int> _places = [];
    private readonly Node[] _nodes;

    private ConstantNodes(Node[] nodes)
    {
        _nodes = nodes;
        for (int place = 0; place < nodes.Length; place++)
            if (nodes[place].Operation is Constant)
                _places.TryAdd(nodes[place].Outputs[0], place);
    }

    /// <summary>Those among nodes.</summary>
    public static ConstantNodes From(ImmutableArray<Node> nodes) =>
        Known.GetValue(ImmutableCollectionsMarshal.AsArray(nodes)!, static nodes => new(nodes));

    /// <summary>The place of the node that makes a constant; null where none does.</summary>
    public int? PlaceOf(string name) => _places.TryGetValue(name, out int place) ? place : null;

    /// <summary>The constant; null where no node makes it.</summary>
    public Tensor? ValueOf(string name) => PlaceOf(name) is { } place ? ((Constant)_nodes[place].Operation).Value : null;
}
