using Tensorial.Graphs;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>Names for values and nodes that a graph does not have yet.</summary>
internal sealed class NameSource(GraphProto graph)
{
    private readonly UniqueNames _values = UniqueNames.From([.. Values(graph)]),
        _nodes = UniqueNames.From([.. Nodes(graph).Select(static node => node.Name)]);

    /// <summary>A name for a value: the one wanted, or that with a number behind it.</summary>
    public string Fresh(string name) => _values.Unique(name);

    /// <summary>A name for a node.</summary>
    public string FreshNode(string name) => _nodes.Unique(name);

    private static IEnumerable<NodeProto> Nodes(GraphProto graph) =>
        graph.Node.Concat(graph.Node.SelectMany(Subgraphs.Bodies).SelectMany(Nodes));

    private static IEnumerable<string> Values(GraphProto graph) =>
        Subgraphs
            .Own(graph)
            .Concat(graph.Node.SelectMany(static node => node.Input))
            .Concat(graph.Node.SelectMany(Subgraphs.Bodies).SelectMany(Values));
}
