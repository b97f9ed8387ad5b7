using System.Collections.Immutable;
using Tensorial.Networks;
using Tensorial.Networks.Gradients;

namespace Tensorial.Training;

/// <summary>A part of a rewritten network that stands for a part of the one it came from.</summary>
/// <param name="Output">The value that both networks make, under the same name.</param>
/// <param name="Input">The last value before it that both make.</param>
/// <param name="Nodes">What lies between the two in the rewritten network.</param>
/// <param name="Weights">Constants of these nodes that are not the other network's.</param>
public sealed record TunedBlock(string Output, string Input, ImmutableArray<Node> Nodes, ImmutableArray<TrainableConstant> Weights)
{
    /// <summary>All blocks of a rewritten network that differ from the dense one and have one input, in order.</summary>
    public static ImmutableArray<TunedBlock> Of(Graph small, Graph dense)
    {
        HashSet<string> common = [.. dense.Nodes.SelectMany(static node => node.Outputs)
            .Concat(dense.Inputs.Select(static port => port.Name))];
        Dictionary<string, Node> makers = [];
        foreach (Node node in small.Nodes)
            foreach (string output in node.Outputs) makers[output] = node;
        Dictionary<string, TrainableConstant> trainable = TrainableConstants.Of(small).ToDictionary(static constant => constant.Name);
        var blocks = ImmutableArray.CreateBuilder<TunedBlock>();
        foreach (Node last in small.Nodes)
        {
            if (last.Outputs.IsEmpty || !common.Contains(last.Outputs[0])) continue;
            (Node[] nodes, string[] inputs) = Between(last);
            ImmutableArray<TrainableConstant> weights = [.. nodes.SelectMany(static node => node.Inputs).Distinct()
                .Where(name => trainable.ContainsKey(name) && !IsShared(name)).Select(name => trainable[name])];
            if (!weights.IsEmpty && inputs is [string input]) blocks.Add(new(last.Outputs[0], input, [.. nodes], weights));
        }
        return blocks.ToImmutable();

        bool IsShared(string name) => dense.Initializers.TryGetValue(name, out Tensor? other) && other is Tensor<float> theirs
            && small.Initializers[name] is Tensor<float> ours && ours.Shape == theirs.Shape && ours.Values.SequenceEqual(theirs.Values);

        // From a value back to the nearest ones that both networks make.
        (Node[] Nodes, string[] Inputs) Between(Node last)
        {
            HashSet<Node> inside = new(ReferenceEqualityComparer.Instance) { last };
            HashSet<string> inputs = [];
            Stack<string> open = new(last.Inputs);
            while (open.TryPop(out string? name))
            {
                if (name.Length == 0 || small.Initializers.ContainsKey(name)) continue;
                if (common.Contains(name) || !makers.TryGetValue(name, out Node? maker)) inputs.Add(name);
                else if (inside.Add(maker))
                    foreach (string read in maker.Inputs) open.Push(read);
            }
            return ([.. small.Nodes.Where(inside.Contains)], [.. inputs]);
        }
    }

    /// <summary>The block as a network of its own, for inputs of these extents.</summary>
    public Graph AsNetwork(Graph small, Shape image) => small with
    {
        Name = Output,
        Nodes = Nodes,
        Inputs = [new(Input, ElementType.Float32, [new(null, "batch"), .. image.Select(static extent => new Dimension(extent))])],
        Outputs = [new(Output, ElementType.Float32, null)],
    };
}
