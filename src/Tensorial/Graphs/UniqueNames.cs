namespace Tensorial.Graphs;

/// <summary>Names for new values, nodes and constants that collide with none that a network has.</summary>
internal sealed class UniqueNames
{
    private readonly HashSet<string> _taken;

    private UniqueNames(HashSet<string> taken) => _taken = taken;

    /// <summary>Knows all names of a network.</summary>
    public static UniqueNames From(Graph graph) =>
        new([
            .. graph.Initializers.Keys,
            .. graph.Inputs.Select(static port => port.Name),
            .. graph.Outputs.Select(static port => port.Name),
            .. graph.Nodes.SelectMany(static node => node.Outputs.Append(node.Name)),
        ]);

    /// <summary>The name, with a number behind it where it is taken; from now on it is.</summary>
    public string Unique(string name)
    {
        string unique = name;
        for (int k = 2; !_taken.Add(unique); k++)
            unique = $"{name}.{k}";
        return unique;
    }
}
