using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Makes one node of a chain that only brings channels of a map into another order, or takes some of them: a channel shuffle is written as
/// reshaping, transposing and reshaping again, often with parts taken at the end. What a chain does is found by sending positions through it.
/// </summary>
internal static class RecognizeChannelOrders
{
    /// <summary>The largest map whose positions are sent through a chain; float32 counts further.</summary>
    private const int MostPositions = 1 << 20;

    /// <summary>Positions kept at a time, of all chains that are not at their end.</summary>
    private const long MostKept = 1 << 26;

    public static Graph Apply(Graph graph, IReadOnlyDictionary<string, ValueInfo> shapes)
    {
        if (!graph.Nodes.Any(static node => node.Operation is Transpose))
            return graph;
        Dictionary<string, Moved> moved = [];
        long kept = 0;
        Dictionary<string, int> readers = [];
        foreach (string read in graph.Nodes.SelectMany(static node => node.Inputs))
            readers[read] = readers.GetValueOrDefault(read) + 1;
        Dictionary<string, Tensor> added = [];
        UniqueNames names = UniqueNames.From(graph);
        List<Node> nodes = [];
        foreach (Node node in graph.Nodes)
        {
            if (!Follow(node))
            {
                nodes.Add(node);
                Forget(node);
                continue;
            }
            bool isKept = false;
            foreach (string output in node.Outputs.Where(static name => name.Length > 0))
                if (
                    moved[output] is { IsShuffled: true } value
                    && value.Channels(shapes[value.Root].Shape, shapes[output].Shape) is { } order
                )
                {
                    string indices = names.Unique($"{output} order");
                    added[indices] = new Tensor<long>([order.Length], Array.ConvertAll(order, static channel => (long)channel));
                    nodes.Add(node with { Operation = new Gather(1), Inputs = [value.Root, indices], Outputs = [output], Source = null });
                }
                else if (!isKept)
                {
                    nodes.Add(node);
                    isKept = true;
                }
            Forget(node);
        }
        return added.Count == 0 ? graph : graph with { Nodes = Read(nodes, graph), Initializers = graph.Initializers.AddRange(added) };

        // Sends positions through a node that moves values; false where it does more, or where its input is no map.
        bool Follow(Node node)
        {
            if (
                node.Operation is not (Reshaping or Transpose or Gather or Slice or Split)
                || node.Inputs.Skip(1).Any(name => name.Length > 0 && !graph.Initializers.ContainsKey(name))
                || graph.Initializers.ContainsKey(node.Inputs[0])
            )
                return false;
            string input = node.Inputs[0];
            if (!moved.TryGetValue(input, out Moved? from))
            {
                if (
                    shapes[input]
                    is not { Type: ElementType.Float32, Shape: { Rank: 3 or 4, ElementCount: > 0 and <= MostPositions } shape }
                )
                    return false;
                if (kept + shape.ElementCount > MostKept)
                    return false;
                from = new(input, Positions(shape), false);
            }
            Tensor?[] inputs = [from.Values, .. node.Inputs.Skip(1).Select(name => name.Length == 0 ? null : graph.Initializers[name])];
            Tensor[] results = node.Operation.Apply(inputs);
            for (int k = 0; k < node.Outputs.Length; k++)
                if (node.Outputs[k].Length > 0)
                {
                    moved[node.Outputs[k]] = new(from.Root, results[k].Of<float>(), from.IsShuffled || node.Operation is Transpose);
                    kept += results[k].Shape.ElementCount;
                }
            return true;
        }

        // Positions of values that no node reads any more.
        void Forget(Node node)
        {
            foreach (string read in node.Inputs)
                readers[read]--;
            foreach (string name in node.Inputs.Concat(node.Outputs))
                if (readers.GetValueOrDefault(name) == 0 && moved.Remove(name, out Moved? gone))
                    kept -= gone.Values.Shape.ElementCount;
        }
    }

    private static Tensor<float> Positions(Shape shape)
    {
        Tensor<float> positions = new(shape);
        for (int i = 0; i < positions.Values.Length; i++)
            positions.Values[i] = i;
        return positions;
    }

    /// <summary>Nodes without those whose results nobody reads any more.</summary>
    private static ImmutableArray<Node> Read(List<Node> nodes, Graph graph)
    {
        HashSet<string> read = [.. graph.Outputs.Select(static port => port.Name)];
        List<Node> kept = [];
        for (int index = nodes.Count - 1; index >= 0; index--)
        {
            Node node = nodes[index];
            bool moves = node.Operation is Reshaping or Transpose or Gather or Slice or Split;
            if (moves && !node.Outputs.Any(read.Contains))
                continue;
            read.UnionWith(node.Reads);
            kept.Add(node);
        }
        kept.Reverse();
        return [.. kept];
    }

    /// <summary>A value that only holds what another one holds.</summary>
    /// <param name="Root">The other one.</param>
    /// <param name="Values">Where in it each number lies.</param>
    /// <param name="IsShuffled">Whether a transposition was on the way.</param>
    private sealed record Moved(string Root, Tensor<float> Values, bool IsShuffled)
    {
        /// <summary>The channel of the root that each channel is; null where it is no whole one.</summary>
        public int[]? Channels(Shape root, Shape own)
        {
            if (own.Rank != root.Rank || own[0] != root[0] || own.ElementCount == 0 || !own.Skip(2).SequenceEqual(root.Skip(2)))
                return null;
            int plane = root.ElementCountOf(2, root.Rank);
            int[] order = new int[own[1]];
            ReadOnlySpan<float> values = Values.Values;
            for (int channel = 0; channel < order.Length; channel++)
                order[channel] = (int)values[channel * plane] / plane;
            for (int image = 0; image < own[0]; image++)
            for (int channel = 0; channel < order.Length; channel++)
            {
                if (order[channel] >= root[1])
                    return null;
                int first = (image * root[1] + order[channel]) * plane;
                ReadOnlySpan<float> given = values.Slice((image * own[1] + channel) * plane, plane);
                for (int i = 0; i < plane; i++)
                    if (given[i] != first + i)
                        return null;
            }
            return order;
        }
    }
}
