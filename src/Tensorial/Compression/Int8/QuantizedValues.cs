using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression.Int8;

/// <summary>
/// Which values of a network are 8-bit integers when some layers compute in them: what these layers read, what convolutions make, and what
/// lies between where the operation there is known on 8 bits too.
/// </summary>
internal sealed class QuantizedValues
{
    private readonly Graph _graph;
    private readonly IReadOnlyDictionary<Node, Int8Layer> _layers;
    private readonly Dictionary<string, Node> _makers = [];
    private readonly ILookup<string, Node> _readers;
    private readonly HashSet<string> _outputs;
    private readonly HashSet<string> _values = [];

    /// <summary>Values that integer layers make, also behind what can be done on 8 bits: only there it saves anything to go on in them.</summary>
    private readonly HashSet<string> _fromIntegers = [];
    private readonly Dictionary<string, string> _heads = [];

    /// <param name="graph">The prepared network.</param>
    /// <param name="layers">The layers that compute in integers.</param>
    public QuantizedValues(Graph graph, IEnumerable<Int8Layer> layers)
    {
        _graph = graph;
        _layers = layers.ToDictionary(static layer => layer.Node, (IEqualityComparer<Node>)ReferenceEqualityComparer.Instance);
        foreach (Node node in graph.Nodes)
        foreach (string output in node.Outputs)
            _makers[output] = node;
        _readers = graph
            .Nodes.SelectMany(static node => node.Reads, static (node, name) => (node, name))
            .ToLookup(static u => u.name, static u => u.node);
        _outputs = [.. graph.Outputs.Select(static port => port.Name)];
        foreach (Node node in graph.Nodes)
            if (
                _layers.TryGetValue(node, out Int8Layer? layer) && !layer.WeightsOnly
                || (IsClamp(node) ? [node.Inputs[0]] : Candidates(node)).Any(_fromIntegers.Contains)
            )
                _fromIntegers.UnionWith(node.Outputs);
        foreach (Int8Layer layer in _layers.Values)
        {
            if (layer.WeightsOnly)
                continue;
            Include(layer.Data);
            if (layer.MakesIntegers)
                Include(AfterClamp(layer.Node.Outputs[0]));
        }
    }

    public bool Contains(string value) => _values.Contains(value);

    /// <summary>The values, in the order in which they are made.</summary>
    public IEnumerable<string> InOrder =>
        _graph.Inputs.Select(static port => port.Name).Concat(_graph.Nodes.SelectMany(static node => node.Outputs)).Where(_values.Contains);

    /// <summary>The value whose numbers a value holds in another order or shape, or some of them: both have one scale.</summary>
    public string HeadOf(string value)
    {
        while (_heads.TryGetValue(value, out string? head))
            value = head;
        return value;
    }

    /// <summary>The node whose clamping the range of 8 bits does, so that it goes; null where there is none to go.</summary>
    public Node? ClampOf(string value) =>
        _values.Contains(value)
        && _makers.TryGetValue(value, out Node? maker)
        && IsClamp(maker)
        && _makers.ContainsKey(maker.Inputs[0])
        && !_values.Contains(maker.Inputs[0])
        && IsAlone(maker)
            ? maker
            : null;

    /// <summary>Whether a node's results are 8-bit integers made of such, in one step of a runtime.</summary>
    public bool IsInteger(Node node) =>
        _layers.TryGetValue(node, out Int8Layer? layer)
            ? !layer.WeightsOnly
            : Operands(node) is { Length: > 0 } operands && operands.All(_values.Contains) && node.Outputs.Any(Leaves);

    /// <summary>Whether a value, perhaps behind its clamp, is one of 8 bits.</summary>
    private bool Leaves(string value) => _values.Contains(value) || _values.Contains(AfterClamp(value));

    private void Include(string value)
    {
        Stack<string> open = new([value]);
        while (open.TryPop(out string? next))
        {
            if (next.Length == 0 || _graph.Initializers.ContainsKey(next) || !_values.Add(next))
                continue;
            if (!_makers.TryGetValue(next, out Node? maker))
                continue;
            if (ClampOf(next) is not null)
                maker = _makers[maker.Inputs[0]];
            if (_layers.ContainsKey(maker))
                continue;
            foreach (string operand in Operands(maker))
                open.Push(operand);
            if (!KeepsScale(maker) || Operands(maker).IsEmpty || ClampOf(next) is not null)
                continue;
            foreach (string output in maker.Outputs.Where(static name => name.Length > 0))
            {
                open.Push(output);
                _heads[output] = maker.Inputs[0];
            }
        }
    }

    /// <summary>The result of the one clamp that reads a value, where it can go into the value's rounding; else the value.</summary>
    private string AfterClamp(string value) =>
        !_outputs.Contains(value) && _readers[value].Take(2).ToArray() is [{ } only] && IsClamp(only) && only.Inputs[0] == value
            ? only.Outputs[0]
            : value;

    private bool IsAlone(Node clamp) => AfterClamp(clamp.Inputs[0]) == clamp.Outputs[0];

    /// <summary>Whether a node holds values between bounds around 0: rounding to 8 bits over the range of its results does the same.</summary>
    private bool IsClamp(Node node) =>
        node.Operation switch
        {
            Relu => true,
            Clip clip => Bound(node, 1, clip.Min, float.NegativeInfinity) <= 0 && Bound(node, 2, clip.Max, float.PositiveInfinity) >= 0,
            _ => false,
        };

    /// <summary>A bound of a Clip; not a number where it is computed.</summary>
    private float Bound(Node node, int input, float? own, float none) =>
        node.Inputs.ElementAtOrDefault(input) is { Length: > 0 } name
            ? Constant(name) is Tensor<float> { Shape.ElementCount: 1 } bound
                ? bound.Values[0]
                : float.NaN
            : own ?? none;

    private Tensor? Constant(string name) =>
        _graph.Initializers.GetValueOrDefault(name) ?? (_makers.GetValueOrDefault(name)?.Operation as Constant)?.Value;

    /// <summary>The operands that have to be 8-bit integers for the operation to be done on them; none where it is not.</summary>
    private ImmutableArray<string> Operands(Node node) =>
        Candidates(node) is var operands && operands.Any(_fromIntegers.Contains) ? operands : [];

    private ImmutableArray<string> Candidates(Node node) =>
        node.Operation switch
        {
            Add or Mul or Concat => node.Inputs.Any(IsConstant) ? [] : node.Inputs,
            AveragePool or GlobalAveragePool or Sigmoid or LeakyRelu => [node.Inputs[0]],
            _ => KeepsScale(node) ? [node.Inputs[0]] : [],
        };

    private bool IsConstant(string name) => _graph.Initializers.ContainsKey(name) || _makers.GetValueOrDefault(name)?.Operation is Constant;

    /// <summary>Whether a node's results are some of its operand's numbers.</summary>
    private bool KeepsScale(Node node) =>
        node.Inputs.Length > 0
        && !IsConstant(node.Inputs[0])
        && node.Operation switch
        {
            MaxPool pool => node.Outputs.Length == 1 && !pool.WithIndices,
            Resize resize => resize.Sampling is { Interpolation: ResizeInterpolation.Nearest, Coordinates: not Coordinates.CropAndResize },
            Reshape or Flatten or Squeeze or Unsqueeze or Transpose or Split or Slice or Gather or DepthToSpace or SpaceToDepth => true,
            _ => false,
        };
}
