using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Makes one function of numbers of a QuantizeLinear and the DequantizeLinear behind it, where one constant scale serves all values: such a
/// network then computes as its float network does, in the blocked layout, and gives the same values. Bounds before it that are no
/// tighter than its own go.
/// </summary>
internal static class RecognizeFakeQuantization
{
    /// <param name="graph">The network, its constants being initializers.</param>
    /// <param name="shapes">Types and extents of its values.</param>
    public static Graph Apply(Graph graph, IReadOnlyDictionary<string, ValueInfo> shapes)
    {
        graph = DequantizeEarly.Apply(graph);
        Dictionary<string, Node> quantizers = graph
            .Nodes.Where(static node => node.Operation is QuantizeLinear)
            .ToDictionary(static node => node.Outputs[0]);
        if (quantizers.Count == 0)
            return graph;
        // One function, and one value, for all that read the same numbers in the same way.
        HashSet<string> outputs = [.. graph.Outputs.Select(static port => port.Name)];
        Dictionary<(string, FakeQuantize), string> made = [];
        Dictionary<string, string> renamed = [];
        var nodes = ImmutableArray.CreateBuilder<Node>(graph.Nodes.Length);
        foreach (Node read in graph.Nodes)
        {
            Node node = read.Inputs.Any(renamed.ContainsKey)
                ? read with
                {
                    Inputs = [.. read.Inputs.Select(name => renamed.GetValueOrDefault(name, name))],
                    Source = null,
                }
                : read;
            if (
                node.Operation is not DequantizeLinear
                || !quantizers.TryGetValue(node.Inputs[0], out Node? quantizer)
                || shapes[quantizer.Inputs[0]].Type != ElementType.Float32
                || FunctionOf(quantizer, node, graph) is not { } function
            )
            {
                nodes.Add(node);
                continue;
            }
            string x = renamed.GetValueOrDefault(quantizer.Inputs[0], quantizer.Inputs[0]);
            if (!outputs.Contains(node.Outputs[0]) && made.TryGetValue((x, function), out string? same))
            {
                renamed.Add(node.Outputs[0], same);
                continue;
            }
            made.TryAdd((x, function), node.Outputs[0]);
            nodes.Add(node with { Operation = function, Inputs = [x], Source = null });
        }
        return made.Count == 0 ? graph : WithoutIdleBounds(WithoutUnread(graph with { Nodes = nodes.ToImmutable() }));
    }

    /// <summary>The integers that a node makes.</summary>
    internal static ElementType TypeOf(Node quantizer, Graph graph) =>
        (quantizer.Inputs.ElementAtOrDefault(2) is { Length: > 0 } zero ? graph.Initializers.GetValueOrDefault(zero)?.ElementType : null)
        ?? ((QuantizeLinear)quantizer.Operation).Type
        ?? ElementType.UInt8;

    private static FakeQuantize? FunctionOf(Node quantizer, Node dequantizer, Graph graph)
    {
        if (
            ((QuantizeLinear)quantizer.Operation).BlockSize != 0
            || ((DequantizeLinear)dequantizer.Operation) is not { BlockSize: 0, Type: null or ElementType.Float32 }
            || Constant(quantizer, 1) is not Tensor<float> { Shape.ElementCount: 1 } scale
            || Constant(dequantizer, 1) is not Tensor<float> { Shape.ElementCount: 1 } same
            || !scale.Values.SequenceEqual(same.Values)
            // Of a negative one the smallest integer is the largest number.
            || !(float.IsNormal(scale.Values[0]) && scale.Values[0] > 0)
        )
            return null;
        bool hasZero = quantizer.Inputs.ElementAtOrDefault(2) is { Length: > 0 };
        Tensor? zero = Constant(quantizer, 2),
            other = Constant(dequantizer, 2);
        if (hasZero && zero is null || dequantizer.Inputs.ElementAtOrDefault(2) is { Length: > 0 } && other is null)
            return null;
        if (IntegerOf(zero) is not { } centre || IntegerOf(other) != centre)
            return null;
        return RangeOf(TypeOf(quantizer, graph)) is var (low, high) ? new(scale.Values[0], low - centre, high - centre) : null;

        Tensor? Constant(Node node, int input) =>
            node.Inputs.ElementAtOrDefault(input) is { Length: > 0 } name ? graph.Initializers.GetValueOrDefault(name) : null;
    }

    /// <summary>A zero point; 0 where there is none; null where there are several.</summary>
    private static int? IntegerOf(Tensor? zero) =>
        zero is null ? 0
        : zero.Shape.ElementCount == 1 ? (int)zero.To(ElementType.Float32).Of<float>().Values[0]
        : null;

    private static (int Low, int High)? RangeOf(ElementType type) =>
        type switch
        {
            ElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
            ElementType.UInt8 => (0, byte.MaxValue),
            ElementType.Int16 => (short.MinValue, short.MaxValue),
            ElementType.UInt16 => (0, ushort.MaxValue),
            _ => null,
        };

    private static Graph WithoutUnread(Graph graph)
    {
        Uses uses = new(graph);
        return graph with
        {
            Nodes =
            [
                .. graph.Nodes.Where(node =>
                    node.Operation is not QuantizeLinear || uses.FirstReader(node.Outputs[0]) is not null || uses.IsOutput(node.Outputs[0])
                ),
            ],
        };
    }

    /// <summary>Drops a Relu or Clip whose bounds lie at the ends of the integers behind it, or beyond.</summary>
    private static Graph WithoutIdleBounds(Graph graph)
    {
        Uses uses = new(graph);
        Dictionary<string, string> passed = [];
        HashSet<Node> gone = new(ReferenceEqualityComparer.Instance);
        foreach (Node node in graph.Nodes)
            if (
                BoundsOf(node, graph) is var (low, high)
                && !uses.IsOutput(node.Outputs[0])
                && uses.Readers(node.Outputs[0]).ToArray() is { Length: > 0 } readers
                && readers.All(reader =>
                    reader.Operation is FakeQuantize own
                    && MathF.Round(low / own.Scale) <= own.Low
                    && MathF.Round(high / own.Scale) >= own.High
                )
            )
            {
                passed.Add(node.Outputs[0], node.Inputs[0]);
                gone.Add(node);
            }
        return gone.Count == 0
            ? graph
            : graph with
            {
                Nodes =
                [
                    .. graph
                        .Nodes.Where(node => !gone.Contains(node))
                        .Select(node =>
                            node.Operation is FakeQuantize && passed.TryGetValue(node.Inputs[0], out string? before)
                                ? node with
                                {
                                    Inputs = [before],
                                }
                                : node
                        ),
                ],
            };
    }

    /// <summary>The bounds of a Relu or Clip that are known.</summary>
    private static (float Low, float High)? BoundsOf(Node node, Graph graph)
    {
        if (node.Operation is Relu)
            return (0, float.PositiveInfinity);
        if (node.Operation is not Clip clip)
            return null;
        return Bound(1, clip.Min, float.NegativeInfinity) is { } low && Bound(2, clip.Max, float.PositiveInfinity) is { } high
            ? (low, high)
            : null;

        float? Bound(int input, float? attribute, float none) =>
            node.Inputs.ElementAtOrDefault(input) is not { Length: > 0 } name ? attribute ?? none
            : graph.Initializers.GetValueOrDefault(name) is Tensor<float> { Shape.ElementCount: 1 } value ? value.Values[0]
            : null;
    }
}
