using Tensorial.Graphs;

namespace Tensorial.Execution;

/// <summary>Who reads each value of a network.</summary>
internal sealed class Uses
{
    private readonly ILookup<string, Node> _readers;
    private readonly HashSet<string> _outputs;

    public Uses(Graph graph)
    {
        _readers = graph
            .Nodes.SelectMany(static node => node.Inputs.Where(static n => n.Length > 0), static (node, name) => (node, name))
            .ToLookup(static use => use.name, static use => use.node);
        _outputs = [.. graph.Outputs.Select(static port => port.Name)];
    }

    public bool IsOutput(string value) => _outputs.Contains(value);

    /// <summary>The nodes that read a value, in their order, one that reads it twice being listed twice.</summary>
    public IEnumerable<Node> Readers(string value) => _readers[value];

    /// <summary>The first node that reads a value.</summary>
    public Node? FirstReader(string value) => _readers[value].FirstOrDefault();

    /// <summary>The one node that reads a value; null when several do, none does, or the value leaves the network.</summary>
    public Node? OnlyReader(string value) => !IsOutput(value) && _readers[value].Take(2).ToArray() is [Node only] ? only : null;
}
