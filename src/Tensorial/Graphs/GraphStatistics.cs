using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>What one node costs for one image. Extents are null where an operator could not be followed.</summary>
/// <param name="Node">The node.</param>
/// <param name="Output">Extents of its first result.</param>
/// <param name="Parameters">Values of the floating-point constants it is the first to read; whole numbers are shapes, axes and
/// indices.</param>
/// <param name="Macs">Multiply-accumulates; null where unknown, 0 where everything is constant and so computed once, not for every
/// image.</param>
public sealed record NodeStatistics(Node Node, Shape? Output, long Parameters, long? Macs)
{
    /// <summary>Values of its first result.</summary>
    public long? Activations => Output?.ElementCount;
}

/// <summary>The size of a network, at batch 1: the one place where parameters, multiply-accumulates and activations are counted.</summary>
/// <param name="Nodes">By node, in order.</param>
/// <param name="Parameters">Values of all floating-point constants that nodes read, batch-norm statistics included.</param>
/// <param name="KernelParameters">Values of convolution and dense weights among them.</param>
/// <param name="ConvolutionParameters">Values of convolution weights among them.</param>
/// <param name="Macs">Multiply-accumulates, as far as they are known.</param>
/// <param name="PeakActivations">The largest sum of values alive at once, as far as they are known.</param>
/// <param name="Unknown">Why some numbers are not known, by node.</param>
public sealed record GraphStatistics(
    ImmutableArray<NodeStatistics> Nodes,
    long Parameters,
    long KernelParameters,
    long ConvolutionParameters,
    long Macs,
    long PeakActivations,
    ImmutableArray<string> Unknown
)
{
    /// <summary>Counts of a graph whose shapes can be inferred.</summary>
    public static GraphStatistics From(Graph graph)
    {
        InferredShapes shapes = ShapeInference.Explore(graph);
        Dictionary<string, Tensor> constants = graph.Initializers.ToDictionary();
        foreach (Node node in graph.Nodes)
            if (node.Operation is Constant constant)
                constants[node.Outputs[0]] = constant.Value;
        // A constant counts once, for the first node that reads it.
        HashSet<string> counted = [];
        ConstantParts parts = new(graph, constants);
        ImmutableArray<NodeStatistics> nodes = [.. graph.Nodes.Select(node => Of(node, constants, parts, shapes.Operands, counted))];
        KernelWeights kernels = KernelWeights.From(WeightsAsInitializers.Apply(graph));
        HashSet<string> made = [];
        IEnumerable<(Node Node, long Count)> weights =
        [
            .. kernels.Kernels.Select(static k => (k.Node, (long)k.Weights.Shape.ElementCount)),
            .. kernels
                .Uncut.DistinctBy(static u => u.Name)
                .Select(u => (u.Node, u.Shape?.ElementCount ?? parts.ParametersOf(u.Name, made))),
        ];
        return new(
            nodes,
            nodes.Sum(static n => n.Parameters),
            weights.Sum(static w => w.Count),
            weights.Where(static w => w.Node.Operation is Convolution or ConvolutionTranspose).Sum(static w => w.Count),
            nodes.Sum(static n => n.Macs ?? 0),
            Peak(graph, shapes.Operands),
            [.. shapes.Failures.Select(static f => f.Reason.Message)]
        );
    }

    /// <summary>Values of the floating-point constants of a graph, those of bodies inside it included.</summary>
    internal static long ParametersOf(Graph body) =>
        body.Initializers.Values.Where(static value => value.ElementType.IsFloating()).Sum(static value => (long)value.Shape.ElementCount)
        + body.Nodes.Sum(static node =>
            node.Operation is Constant { Value: var value }
                ? value.ElementType.IsFloating()
                    ? value.Shape.ElementCount
                    : 0
                : node.Operation.OwnParameters
        );

    /// <summary>Multiply-accumulates of a graph whose values are known, as far as they are.</summary>
    internal static long MacsOf(Graph body, IReadOnlyDictionary<string, ValueInfo> known)
    {
        Dictionary<string, Tensor> constants = body.Initializers.ToDictionary();
        ConstantParts parts = new(body, constants);
        HashSet<string> counted = [];
        return body.Nodes.Sum(node => Of(node, constants, parts, known, counted).Macs ?? 0);
    }

    private static NodeStatistics Of(
        Node node,
        Dictionary<string, Tensor> constants,
        ConstantParts parts,
        IReadOnlyDictionary<string, ValueInfo> known,
        HashSet<string> counted
    )
    {
        long parameters = node.Operation.OwnParameters;
        foreach (string name in node.Reads)
            if (constants.TryGetValue(name, out Tensor? value) && value.ElementType.IsFloating() && counted.Add(name))
                parameters += value.Shape.ElementCount;

        bool followed =
            node.Outputs.Any(static name => name.Length > 0)
            && node.Inputs.All(name => name.Length == 0 || known.ContainsKey(name))
            && node.Outputs.All(name => name.Length == 0 || known.ContainsKey(name));
        if (!followed)
            return new(node, null, parameters, null);
        ValueInfo?[] inputs = [.. node.Inputs.Select(name => name.Length > 0 ? known[name] : null)];
        ValueInfo[] outputs = [.. node.Outputs.Where(static n => n.Length > 0).Select(name => known[name])];
        long? macs = parts.IsConstant(node) ? 0 : node.Operation.Macs(inputs, outputs);
        return new(node, outputs.FirstOrDefault()?.Shape, parameters, macs);
    }

    private static long Peak(Graph graph, IReadOnlyDictionary<string, ValueInfo> known)
    {
        Dictionary<string, int> lastRead = [];
        for (int index = 0; index < graph.Nodes.Length; index++)
            foreach (string name in graph.Nodes[index].Inputs)
                lastRead[name] = index;
        foreach (Port port in graph.Outputs)
            lastRead[port.Name] = graph.Nodes.Length;

        long alive = graph.Inputs.Where(port => !graph.Initializers.ContainsKey(port.Name)).Sum(port => Size(port.Name)),
            peak = alive;
        for (int index = 0; index < graph.Nodes.Length; index++)
        {
            Node node = graph.Nodes[index];
            alive += node.Outputs.Sum(Size);
            peak = Math.Max(peak, alive);
            alive -= node.Inputs.Distinct().Where(name => !graph.Initializers.ContainsKey(name) && lastRead[name] == index).Sum(Size);
            alive -= node.Outputs.Where(name => !lastRead.ContainsKey(name)).Sum(Size);
        }
        return peak;

        long Size(string name) =>
            name.Length > 0 && known.TryGetValue(name, out ValueInfo? operand) && operand.Value is null ? operand.Shape.ElementCount : 0;
    }
}
