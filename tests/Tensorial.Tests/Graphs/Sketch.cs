using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Tests.Graphs;

/// <summary>Builds small networks for tests, one line a node, with seeded random weights.</summary>
internal sealed class Sketch(int seed = 1)
{
    private readonly Random _random = new(seed);
    private readonly List<Node> _nodes = [];
    private readonly Dictionary<string, Tensor> _constants = [];

    /// <summary>Applies an operation and names its result.</summary>
    public string Node(string result, Operation operation, params string[] inputs)
    {
        _nodes.Add(new(result, operation, [.. inputs], [result]));
        return result;
    }

    /// <summary>A constant of values drawn evenly from [low, high).</summary>
    public string Weights(string name, Shape shape, float low = -0.5f, float high = 0.5f)
    {
        _constants[name] = Random(shape, low, high);
        return name;
    }

    public string Constant(string name, Tensor value)
    {
        _constants[name] = value;
        return name;
    }

    public Tensor<float> Random(Shape shape, float low = -1, float high = 1)
    {
        Tensor<float> values = new(shape);
        foreach (ref float value in values.Values)
            value = low + (high - low) * _random.NextSingle();
        return values;
    }

    /// <summary>The network from "x" [N, ...] to the last node's result.</summary>
    public Graph Graph(params int[] image) =>
        new(
            "sketch",
            [.. _nodes],
            [new("x", ElementType.Float32, [new Dimension(null, "N"), .. image.Select(static e => new Dimension(e))])],
            [new(_nodes[^1].Outputs[0], ElementType.Float32, null)],
            _constants.ToImmutableDictionary()
        );

    /// <summary>The plain way: every node in order as its operation defines it.</summary>
    public static Tensor<float> Evaluate(Graph graph, Tensor<float> x)
    {
        Dictionary<string, Tensor> values = graph.Initializers.ToDictionary();
        values[graph.Inputs[0].Name] = x;
        foreach (Node node in graph.Nodes)
        {
            Tensor[] results = node.Operation.Apply([.. node.Inputs.Select(name => name.Length > 0 ? values[name] : null)]);
            for (int i = 0; i < node.Outputs.Length; i++)
                values[node.Outputs[i]] = results[i];
        }
        return values[graph.Outputs[0].Name].Of<float>();
    }
}
