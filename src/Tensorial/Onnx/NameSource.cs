using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>Names for values and nodes that a graph does not have yet.</summary>
internal sealed class NameSource(GraphProto graph)
{
    private readonly HashSet<string> _values = [.. Values(graph)];
    private readonly HashSet<string> _nodes = [.. Nodes(graph).Select(static node => node.Name)];

    /// <summary>A name for a value: the one wanted, or that with a number behind it.</summary>
    public string Fresh(string name) => Unique(_values, name);

    /// <summary>A name for a node.</summary>
    public string FreshNode(string name) => Unique(_nodes, name);

    private static string Unique(HashSet<string> taken, string name)
    {
        string unique = name;
        for (int k = 2; !taken.Add(unique); k++)
            unique = $"{name}.{k}";
        return unique;
    }

    private static IEnumerable<NodeProto> Nodes(GraphProto graph) =>
        graph.Node.Concat(graph.Node.SelectMany(Subgraphs.Bodies).SelectMany(Nodes));

    private static IEnumerable<string> Values(GraphProto graph) =>
        Subgraphs
            .Own(graph)
            .Concat(graph.Node.SelectMany(static node => node.Input))
            .Concat(graph.Node.SelectMany(Subgraphs.Bodies).SelectMany(Values));
}
