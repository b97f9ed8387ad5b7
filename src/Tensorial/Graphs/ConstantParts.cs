using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>The part of a network that depends on constants alone: weights that are made from factors when the network is loaded.</summary>
internal sealed class ConstantParts
{
    /// <summary>Values that depend on no input, and the node that makes them; null for the constants themselves.</summary>
    private readonly Dictionary<string, Node?> _makers = [];

    private readonly Dictionary<string, Tensor> _constants;

    public ConstantParts(Graph graph, Dictionary<string, Tensor> constants)
    {
        _constants = constants;
        foreach (string name in constants.Keys)
            _makers[name] = null;
        foreach (Node node in graph.Nodes)
        {
            if (node.Operation is Constant || !IsConstant(node))
                continue;
            foreach (string output in node.Outputs)
                _makers[output] = node;
        }
    }

    /// <summary>Whether a node has the same result for every input of the network.</summary>
    public bool IsConstant(Node node) => node.Inputs.Length > 0 && node.Reads.All(name => name.Length == 0 || _makers.ContainsKey(name));

    /// <summary>Floating-point numbers that a value is made of; 0 where it depends on inputs.</summary>
    /// <param name="value">The value.</param>
    /// <param name="counted">Values that count no more, those of this one being added; null for none.</param>
    public long ParametersOf(string value, HashSet<string>? counted = null)
    {
        // Each value once, on a stack of our own: chains may be long, and diamonds many.
        HashSet<string> seen = counted ?? [];
        if (!_makers.ContainsKey(value) || !seen.Add(value))
            return 0;
        Stack<string> waiting = new([value]);
        long count = 0;
        while (waiting.TryPop(out string? name))
        {
            if (_makers[name] is { } maker)
            {
                foreach (string input in maker.Inputs)
                    if (input.Length > 0 && seen.Add(input))
                        waiting.Push(input);
            }
            else if (_constants[name] is { } constant && constant.ElementType.IsFloating())
                count += constant.Shape.ElementCount;
        }
        return count;
    }
}
