using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression.Int8;

/// <summary>
/// Writes a network with QuantizeLinear and DequantizeLinear around what is computed in 8-bit integers (QDQ): the form that runtimes fuse to
/// integer operations, and that computes the same in float where they do not.
/// </summary>
internal sealed class QdqRewrite
{
    private const int LongestName = 32;

    private readonly Graph _graph;
    private readonly QuantizedValues _values;
    private readonly IReadOnlyDictionary<string, ActivationScale> _scales;
    private readonly UniqueNames _names;
    private readonly List<Node> _nodes = [];
    private readonly Dictionary<string, Tensor> _constants = [];
    private readonly Dictionary<string, string> _made = [],
        _raw = [],
        _restored = [];
    private readonly HashSet<string> _integers = [];

    private QdqRewrite(Graph graph, QuantizedValues values, IReadOnlyDictionary<string, ActivationScale> scales) =>
        (_graph, _values, _scales, _names) = (graph, values, scales, UniqueNames.From(graph));

    /// <param name="graph">The prepared network.</param>
    /// <param name="layers">The layers to write with integer weights.</param>
    /// <param name="scales">The scale of every value that is of 8 bits, by its head (<see cref="QuantizedValues.HeadOf"/>).</param>
    /// <param name="weights">The rounded weights of every layer.</param>
    /// <param name="biases">The bias of every layer that computes in integers and has one, as it is to be.</param>
    public static Graph Apply(
        Graph graph,
        IReadOnlyList<Int8Layer> layers,
        IReadOnlyDictionary<string, ActivationScale> scales,
        IReadOnlyDictionary<Int8Layer, RoundedWeights> weights,
        IReadOnlyDictionary<Int8Layer, Tensor<float>> biases
    ) => new QdqRewrite(graph, new(graph, layers), scales).Run(layers, weights, biases);

    private Graph Run(
        IReadOnlyList<Int8Layer> layers,
        IReadOnlyDictionary<Int8Layer, RoundedWeights> weights,
        IReadOnlyDictionary<Int8Layer, Tensor<float>> biases
    )
    {
        Dictionary<Node, Int8Layer> known = layers.ToDictionary(
            static layer => layer.Node,
            (IEqualityComparer<Node>)ReferenceEqualityComparer.Instance
        );
        HashSet<string> outputs = [.. _graph.Outputs.Select(static port => port.Name)];
        Dictionary<string, string> clamped = _values
            .InOrder.Select(value => (Value: value, Clamp: _values.ClampOf(value)))
            .Where(static pair => pair.Clamp is not null)
            .ToDictionary(static pair => pair.Clamp!.Inputs[0], static pair => pair.Value);
        foreach (string value in _values.InOrder)
            _raw[value] = outputs.Contains(value) ? _names.Unique($"{value}/float") : value;
        foreach (Port port in _graph.FreeInputs.Where(port => _values.Contains(port.Name)))
            Rounded(port.Name, outputs);
        foreach (Node node in _graph.Nodes)
        {
            if (node.Outputs.Any(value => _values.ClampOf(value) == node))
                continue;
            ImmutableArray<string> made = [.. node.Outputs.Select(name => clamped.GetValueOrDefault(name, name))];
            bool isInteger = _values.IsInteger(node);
            if (isInteger)
                _integers.UnionWith(made);
            // What goes into the range of 8 bits is not clamped before it.
            _integers.UnionWith(node.Outputs.Where(clamped.ContainsKey).Select(name => clamped[name]));
            ImmutableArray<string> inputs = known.TryGetValue(node, out Int8Layer? layer)
                ? Layer(layer, weights[layer], biases.GetValueOrDefault(layer))
                : [.. node.Inputs.Select(name => Read(name, isInteger))];
            ImmutableArray<string> raw = [.. made.Select(name => _raw.GetValueOrDefault(name, name))];
            _nodes.Add(
                inputs.SequenceEqual(node.Inputs) && raw.SequenceEqual(node.Outputs) ? node : node with { Inputs = inputs, Outputs = raw }
            );
            foreach (string value in made.Where(_values.Contains))
                Rounded(value, outputs);
        }
        return RemoveUnused.Apply(_graph with { Nodes = [.. _nodes], Initializers = _graph.Initializers.AddRange(_constants) });
    }

    /// <summary>Nodes that are computed in float read what was not rounded, where it is there.</summary>
    private string Read(string name, bool isInteger) =>
        _restored.TryGetValue(name, out string? restored) && (isInteger || _integers.Contains(name))
            ? restored
            : _raw.GetValueOrDefault(name, name);

    private void Rounded(string value, HashSet<string> outputs)
    {
        (string head, string name) = (_values.HeadOf(value), Short(value));
        ActivationScale scale = _scales[head];
        string step = Constant($"{Short(head)}/scale", head, () => Scalar(scale.Scale)),
            zero = ZeroPoint(scale.ZeroPoint),
            bytes = _names.Unique($"{name}/int8"),
            restored = outputs.Contains(value) ? value : _names.Unique($"{name}/rounded");
        _nodes.Add(new(_names.Unique($"{name}/Quantize"), new QuantizeLinear(), [_raw[value], step, zero], [bytes]));
        _nodes.Add(new(_names.Unique($"{name}/Dequantize"), new DequantizeLinear(), [bytes, step, zero], [restored]));
        _restored[value] = restored;
    }

    private ImmutableArray<string> Layer(Int8Layer layer, RoundedWeights weights, Tensor<float>? bias)
    {
        string restored = Restored(
            layer.Name,
            // Layers that share weights share the integers, unless one of them needs other scales.
            $"{layer.Weights} {layer.ChannelAxis} {string.Join(' ', weights.Scales.Values.ToArray())}",
            weights.Values,
            weights.Scales,
            layer.ChannelAxis,
            () => new Tensor<sbyte>(weights.Scales.Shape)
        );
        if (layer.WeightsOnly)
            return [Read(layer.Data, false), restored, .. layer.Node.Inputs.Skip(2).Select(name => Read(name, false))];
        string data = Read(layer.Data, true);
        if (bias is null)
            return [data, restored];
        float step = _scales[_values.HeadOf(layer.Data)].Scale;
        Tensor<float> steps = new([bias.Shape.ElementCount]);
        Tensor<int> values = new(steps.Shape);
        for (int k = 0; k < values.Values.Length; k++)
        {
            steps.Values[k] = step * weights.Scales.Values[weights.Scales.Shape.ElementCount == 1 ? 0 : k];
            values.Values[k] = (int)Math.Clamp(Math.Round(bias.Values[k] / (double)steps.Values[k]), int.MinValue, int.MaxValue);
        }
        bool isOne = weights.Scales.Shape.ElementCount == 1;
        Tensor<float> stored = isOne ? Scalar(steps.Values[0]) : steps;
        return
        [
            data,
            restored,
            Restored($"{layer.Name}/bias", layer.Node.Outputs[0], values, stored, 0, () => new Tensor<int>(stored.Shape)),
        ];
    }

    /// <summary>A constant as integers and the node that makes numbers of it, once for each key.</summary>
    private string Restored(string name, string key, Tensor values, Tensor<float> scales, int axis, Func<Tensor> zeros)
    {
        string made = $"{name} {key}";
        if (_made.TryGetValue(made, out string? known))
            return known;
        name = Short(name);
        string bytes = _names.Unique($"{name}/int8"),
            step = _names.Unique($"{name}/scale"),
            restored = _names.Unique($"{name}/rounded");
        (_constants[bytes], _constants[step]) = (values, scales);
        string zero = Constant($"zeros.{values.ElementType}.{scales.Shape}", $"zeros {values.ElementType} {scales.Shape}", zeros);
        _nodes.Add(
            new(
                _names.Unique($"{name}/Dequantize"),
                new DequantizeLinear(scales.Shape.Rank == 0 ? 1 : axis),
                [bytes, step, zero],
                [restored]
            )
        );
        return _made[made] = restored;
    }

    /// <summary>A name to derive others from: the end of a long one, which would be repeated in several names of each value.</summary>
    private static string Short(string name)
    {
        if (name.Length <= LongestName)
            return name;
        string end = name[^LongestName..];
        return end[(end.IndexOf('/', StringComparison.Ordinal) + 1)..];
    }

    private string ZeroPoint(byte value) =>
        Constant($"zero_point.{value}", $"zero point {value}", () => new Tensor<byte>([], new[] { value }));

    private string Constant(string name, string key, Func<Tensor> make)
    {
        if (_made.TryGetValue(key, out string? known))
            return known;
        string unique = _names.Unique(name);
        _constants[unique] = make();
        return _made[key] = unique;
    }

    private static Tensor<float> Scalar(float value) => new([], new[] { value });
}
