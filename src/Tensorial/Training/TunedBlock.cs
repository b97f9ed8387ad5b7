using System.Collections.Immutable;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Training;

/// <summary>Between which values a network is divided to be tuned part by part.</summary>
public enum BlockSize
{
    /// <summary>
    /// Values that the rest of the network depends on alone: what lies between two of them is a residual block, a module of several
    /// paths, or a single layer of a plain network. Its layers make up for each other, and normalisations between them adapt.
    /// </summary>
    Module,

    /// <summary>All values that both networks make: every layer learns alone.</summary>
    Layer,
}

/// <summary>A part of a rewritten network that stands for a part of the one it came from.</summary>
/// <param name="Output">The value that both networks make, under the same name.</param>
/// <param name="Input">The value before it at which the block begins.</param>
/// <param name="Nodes">What lies between the two in the rewritten network.</param>
/// <param name="Weights">Constants of these nodes, some of which are not the other network's.</param>
public sealed record TunedBlock(string Output, string Input, ImmutableArray<Node> Nodes, ImmutableArray<TrainableConstant> Weights)
{
    /// <summary>All blocks of a rewritten network that differ from the dense one and have one input, in order.</summary>
    public static ImmutableArray<TunedBlock> Of(Graph small, Graph dense, BlockSize size)
    {
        HashSet<string> ends = [.. dense.Nodes.SelectMany(static node => node.Outputs), .. dense.Inputs.Select(static port => port.Name)];
        if (size == BlockSize.Module)
            ends.IntersectWith(small.Outputs.SelectMany(output => IsCutPoint(small.ExtractSubgraph(output.Name))).ToHashSet());
        // Rows of a value are those of images.
        ends.ExceptWith(SampleAxis.Elsewhere(small));
        Dictionary<string, Node> makers = [];
        Dictionary<Node, int> places = new(ReferenceEqualityComparer.Instance);
        foreach (Node node in small.Nodes)
        {
            places[node] = places.Count;
            foreach (string output in node.Outputs)
                makers[output] = node;
        }
        Dictionary<string, TrainableConstant> trainable = TrainableConstants.Of(small).ToDictionary(static constant => constant.Name);
        var blocks = ImmutableArray.CreateBuilder<TunedBlock>();
        foreach (Node last in small.Nodes)
        {
            if (last.Outputs.IsEmpty || !ends.Contains(last.Outputs[0]))
                continue;
            (Node[] nodes, string[] inputs) = Between(last);
            ImmutableArray<TrainableConstant> weights =
            [
                .. nodes.SelectMany(static node => node.Inputs).Distinct().Where(trainable.ContainsKey).Select(name => trainable[name]),
            ];
            if (inputs is [string input] && !weights.All(weight => IsShared(weight.Name)))
                blocks.Add(new(last.Outputs[0], input, [.. nodes], weights));
        }
        return blocks.ToImmutable();

        bool IsShared(string name) =>
            dense.ConstantOf(name) is Tensor<float> theirs
            && small.ConstantOf(name) is Tensor<float> ours
            && ours.Shape == theirs.Shape
            && ours.Values.SequenceEqual(theirs.Values);

        // From a value back to the nearest ends.
        (Node[] Nodes, string[] Inputs) Between(Node last)
        {
            HashSet<Node> inside = new(ReferenceEqualityComparer.Instance) { last };
            HashSet<string> inputs = [];
            Stack<string> open = new(last.Inputs);
            while (open.TryPop(out string? name))
            {
                if (name.Length == 0 || small.Initializers.ContainsKey(name))
                    continue;
                if (!makers.TryGetValue(name, out Node? maker))
                    inputs.Add(name);
                else if (ends.Contains(name) && maker.Operation is not Constant)
                    inputs.Add(name);
                else if (inside.Add(maker))
                    foreach (string read in maker.Inputs)
                        open.Push(read);
            }
            return ([.. inside.OrderBy(node => places[node])], [.. inputs]);
        }
    }

    /// <summary>The block as a network of its own, for inputs of these extents.</summary>
    public Graph AsNetwork(Graph small, Shape image) =>
        small with
        {
            Name = Output,
            Nodes = Nodes,
            Inputs = [new(Input, ElementType.Float32, [new(null, "batch"), .. image.Select(static extent => new Dimension(extent))])],
            Outputs = [new(Output, ElementType.Float32, null)],
        };

    /// <summary>Values that are the only ones, constants aside, that anything after them reads.</summary>
    private static HashSet<string> IsCutPoint(Graph graph)
    {
        HashSet<string> constants = [.. graph.Initializers.Keys];
        HashSet<string> alive = [.. graph.Inputs.Select(static port => port.Name).Except(constants)];
        Dictionary<string, int> last = [];
        for (int index = 0; index < graph.Nodes.Length; index++)
            foreach (string read in graph.Nodes[index].Reads)
                last[read] = index;
        foreach (Port output in graph.Outputs)
            last[output.Name] = int.MaxValue;
        HashSet<string> narrows = alive.Count == 1 ? [.. alive] : [];
        for (int index = 0; index < graph.Nodes.Length; index++)
        {
            Node node = graph.Nodes[index];
            if (node.Reads.All(constants.Contains))
                constants.UnionWith(node.Outputs);
            else
                alive.UnionWith(node.Outputs);
            alive.RemoveWhere(value => last.GetValueOrDefault(value, -1) <= index);
            if (alive.Count == 1)
                narrows.UnionWith(alive);
        }
        return narrows;
    }
}
