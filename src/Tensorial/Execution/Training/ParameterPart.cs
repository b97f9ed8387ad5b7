using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// The part of a network that depends on constants alone, such as a kernel that is multiplied together from factors: computed once a step
/// whatever the batch, forward before all images and backward after them. To the rest of the network its results are weights like others,
/// renewed in place.
/// </summary>
internal sealed class ParameterPart
{
    private readonly Dictionary<string, Tensor> _values;
    private readonly Dictionary<string, Tensor<float>> _gradients = [];
    private readonly List<Application> _changing = [];

    /// <summary>Splits a network.</summary>
    /// <param name="graph">The network in its training form; constants are read in place.</param>
    /// <param name="weights">Gradients of the constants that training changes.</param>
    /// <param name="statistics">Constants that change without a gradient.</param>
    /// <param name="paths">Where gradients go.</param>
    public ParameterPart(
        Graph graph,
        IReadOnlyDictionary<string, Tensor<float>> weights,
        IEnumerable<string> statistics,
        GradientPaths paths
    )
    {
        _values = graph.Initializers.ToDictionary();
        ConstantParts parts = new(graph, _values);
        HashSet<string> changing = [.. weights.Keys, .. statistics],
            outputs = [.. graph.Outputs.Select(static port => port.Name)];
        Dictionary<string, Tensor<float>> gradients = weights.ToDictionary();
        var rest = ImmutableArray.CreateBuilder<Node>(graph.Nodes.Length);
        foreach (Node node in graph.Nodes)
        {
            if (!parts.IsConstant(node) || node.Outputs.Any(outputs.Contains))
                rest.Add(node);
            else
                Add(node, changing, gradients, paths);
        }
        HashSet<string> read = [.. rest.SelectMany(static node => node.Reads)];
        ImagePart = graph with
        {
            Nodes = rest.ToImmutable(),
            Initializers = graph.Initializers.SetItems(
                _values.Where(value => read.Contains(value.Key) && !graph.Initializers.ContainsKey(value.Key))
            ),
        };
        Gradients = gradients.Where(gradient => read.Contains(gradient.Key)).ToImmutableDictionary();
    }

    /// <summary>The network without this part; what the part makes are constants.</summary>
    public Graph ImagePart { get; }

    /// <summary>
    /// Gradients, by name, of all constants of <see cref="ImagePart"/> that change: weights, and what this part makes of weights.
    /// </summary>
    public ImmutableDictionary<string, Tensor<float>> Gradients { get; }

    /// <summary>Bytes of what this part makes of weights, and of its gradients.</summary>
    public long Bytes =>
        sizeof(float)
        * (
            _changing.Sum(static step => step.Results.Sum(static made => (long)made.Shape.Count))
            + _gradients.Values.Sum(static g => (long)g.Shape.Count)
        );

    /// <summary>Computes what depends on weights anew.</summary>
    public void Forward(Workers workers)
    {
        foreach (Application step in _changing)
            step.Node.Operation.Forward(step.Inputs, step.Results, workers);
    }

    /// <summary>Forgets the gradients of what this part makes.</summary>
    public void Clear()
    {
        foreach (Tensor<float> gradient in _gradients.Values)
            gradient.Values.Clear();
    }

    /// <summary>Carries the gradients of what this part makes back to the weights, whose gradients are added to.</summary>
    public void Backward(Workers workers)
    {
        foreach (Application step in Enumerable.Reverse(_changing))
            if (Array.Exists(step.Upstream, static u => u is not null) && Array.Exists(step.Gradients, static g => g is not null))
                step.Node.Operation.Backward(
                    new([.. step.Inputs.Select(static x => x?.Shape ?? [])], step.Inputs, step.Results, step.Upstream, step.Gradients),
                    workers
                );
    }

    private void Add(Node node, HashSet<string> changing, Dictionary<string, Tensor<float>> gradients, GradientPaths paths)
    {
        Tensor?[] inputs = [.. node.Inputs.Select(name => name.Length > 0 ? _values[name] : null)];
        if (node.Operation is Reshaping && node.Outputs.Length == 1 && inputs[0] is Tensor<float> moved)
        {
            Share(
                node,
                moved.As(node.Operation.Infer([.. inputs.Select(static x => x is null ? null : Operand.Of(x))])[0].Shape),
                changing,
                gradients,
                paths
            );
            return;
        }
        Tensor[] results =
        [
            .. node
                .Operation.Infer([.. inputs.Select(static x => x is null ? null : Operand.Of(x))])
                .Select(static result => Tensor.Zeros(result.Type, result.Shape)),
        ];
        node.Operation.Forward(inputs, results, Workers.Serial);
        for (int k = 0; k < node.Outputs.Length; k++)
            if (node.Outputs[k].Length > 0)
                _values[node.Outputs[k]] = results[k];
        if (!node.Reads.Any(changing.Contains))
            return;

        changing.UnionWith(node.Outputs);
        Tensor?[] upstream = new Tensor?[results.Length];
        for (int k = 0; k < node.Outputs.Length; k++)
            if (paths.Carry(node.Outputs[k]))
                upstream[k] = _gradients[node.Outputs[k]] = gradients[node.Outputs[k]] = new(results[k].Shape);
        Tensor?[] carried = [.. node.Inputs.Select(name => paths.Carry(name) ? gradients.GetValueOrDefault(name) : null)];
        _changing.Add(new(node, inputs, results, upstream, carried));
    }

    /// <summary>The same values, and the same gradient, under another shape.</summary>
    private void Share(
        Node node,
        Tensor<float> result,
        HashSet<string> changing,
        Dictionary<string, Tensor<float>> gradients,
        GradientPaths paths
    )
    {
        (string from, string to) = (node.Inputs[0], node.Outputs[0]);
        _values[to] = result;
        if (!changing.Contains(from))
            return;
        changing.Add(to);
        if (paths.Carry(to) && gradients.TryGetValue(from, out Tensor<float>? gradient))
            gradients[to] = gradient.As(result.Shape);
    }

    /// <summary>A node with the tensors it reads and writes.</summary>
    private sealed record Application(Node Node, Tensor?[] Inputs, Tensor[] Results, Tensor?[] Upstream, Tensor?[] Gradients);
}
