using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>The part of a network that depends on constants alone: weights that are made from factors when the network is loaded.</summary>
internal sealed class ConstantParts
{
    /// <summary>The constants that a value is made of; a value that depends on inputs is not listed.</summary>
    private readonly Dictionary<string, HashSet<string>> _sources = [];

    private readonly Dictionary<string, Tensor> _constants;

    public ConstantParts(Graph graph, Dictionary<string, Tensor> constants)
    {
        _constants = constants;
        foreach (string name in constants.Keys)
            _sources[name] = [name];
        foreach (Node node in graph.Nodes)
        {
            if (node.Operation is Constant || !IsConstant(node))
                continue;
            HashSet<string> sources = [.. node.Inputs.Where(static name => name.Length > 0).SelectMany(name => _sources[name])];
            foreach (string output in node.Outputs)
                _sources[output] = sources;
        }
    }

    /// <summary>Whether a node has the same result for every input of the network.</summary>
    public bool IsConstant(Node node) => node.Inputs.Length > 0 && node.Reads.All(name => name.Length == 0 || _sources.ContainsKey(name));

    /// <summary>Floating-point numbers that a value is made of; 0 where it depends on inputs.</summary>
    public long ParametersOf(string value) =>
        _sources
            .GetValueOrDefault(value, [])
            .Where(name => _constants[name].ElementType.IsFloating())
            .Sum(name => (long)_constants[name].Shape.Count);
}
