namespace Tensorial.Graphs;

/// <summary>Names for new values, nodes and constants that collide with none that a network has.</summary>
internal sealed class UniqueNames
{
    /// <summary>
    /// Characters of a new name. A file has few names that are longer, and a name made of another must not double it time and again.
    /// </summary>
    private const int Longest = 1024;

    private readonly HashSet<string> _taken;

    /// <summary>By name, the number that the next one of that name gets: a thousand alike must not try each other's.</summary>
    private readonly Dictionary<string, int> _next = [];

    private UniqueNames(HashSet<string> taken) => _taken = taken;

    /// <summary>Knows all names of a network.</summary>
    public static UniqueNames From(Graph graph) =>
        From([
            .. graph.Initializers.Keys,
            .. graph.Inputs.Select(static port => port.Name),
            .. graph.Outputs.Select(static port => port.Name),
            .. graph.Nodes.SelectMany(static node => node.Outputs.Append(node.Name)),
        ]);

    /// <summary>Knows these names.</summary>
    public static UniqueNames From(HashSet<string> taken) => new(taken);

    /// <summary>The name, with a number behind it where it is taken; from now on it is.</summary>
    public string Unique(string name)
    {
        name = Shorten(name);
        if (_taken.Add(name))
            return name;
        int number = _next.GetValueOrDefault(name, 2);
        string unique = $"{name}.{number}";
        while (!_taken.Add(unique))
            unique = $"{name}.{++number}";
        _next[name] = number + 1;
        return unique;
    }

    /// <summary>A part of a new name; a very long one loses its middle.</summary>
    public static string Shorten(string name)
    {
        const int half = Longest / 2;
        if (name.Length <= Longest)
            return name;
        // Half a surrogate pair is no character, and cannot be written.
        int head = char.IsHighSurrogate(name[half - 2]) ? half - 2 : half - 1,
            tail = char.IsLowSurrogate(name[^half]) ? half - 1 : half;
        return $"{name.AsSpan(0, head)}…{name.AsSpan(name.Length - tail)}";
    }
}
