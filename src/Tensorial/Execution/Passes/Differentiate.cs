using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>A network with the nodes of its gradient appended.</summary>
/// <param name="Graph">The nodes of the network, then those of the gradient. Its further inputs are the seeds, its further outputs the
/// gradients.</param>
/// <param name="ForwardNodes">Number of the network's own nodes, which come first.</param>
/// <param name="Seeds">By output of the network: the input that takes ∂L/∂output.</param>
/// <param name="Gradients">By constant or input: the value ∂L/∂x.</param>
internal sealed record Differentiated(
    Graph Graph,
    int ForwardNodes,
    ImmutableDictionary<string, string> Seeds,
    ImmutableDictionary<string, string> Gradients
);

/// <summary>
/// Reverse-mode differentiation as a pass: appends, for every node that gradients pass through, a node that computes them
/// (<see cref="GradientOf"/>), and additions where a value has several readers. A gradient that is the same numbers as another, as that of
/// an addition, is the same value; that of a reshape is a reshape.
/// </summary>
internal static class Differentiate
{
    /// <summary>The network with its gradient.</summary>
    /// <param name="graph">The network, in its <see cref="TrainingForm"/> where batch statistics are meant to be those of the batch.</param>
    /// <param name="shapes">Types and extents of its values; the gradient is made for these.</param>
    /// <param name="wanted">Constants, or inputs, whose gradients are wanted.</param>
    /// <param name="outputs">Outputs whose gradients are given.</param>
    /// <exception cref="UnsupportedException">An operation on the way has no gradient; names node and input.</exception>
    /// <exception cref="BadInputException">A wanted constant does not exist, is no float32 or float64, or reaches no output.</exception>
    public static Differentiated Apply(
        Graph graph,
        IReadOnlyDictionary<string, ValueInfo> shapes,
        IReadOnlyCollection<string> wanted,
        IReadOnlyCollection<string> outputs
    )
    {
        GradientPaths paths = GradientPaths.From(graph, wanted, shapes, outputs);
        Appending appending = new(graph, shapes, paths);
        ImmutableDictionary<string, string> seeds = outputs.Where(paths.Carry).ToImmutableDictionary(static o => o, appending.Seed);
        foreach (Node node in graph.Nodes.Reverse())
            if (paths.ReadsOf(node) is { } reads)
                appending.Add(node, reads);
        ImmutableDictionary<string, string> gradients = wanted
            .Distinct()
            .Where(appending.Totals.ContainsKey)
            .ToImmutableDictionary(static name => name, name => appending.Totals[name]);
        Graph whole = graph with
        {
            Nodes = graph.Nodes.AddRange(appending.Nodes),
            Inputs = graph.Inputs.AddRange(seeds.Select(seed => new Port(seed.Value, shapes[seed.Key].Type, null))),
            Outputs = graph.Outputs.AddRange(gradients.Select(gradient => new Port(gradient.Value, shapes[gradient.Key].Type, null))),
        };
        return new(whole, graph.Nodes.Length, seeds, gradients);
    }

    private sealed class Appending(Graph graph, IReadOnlyDictionary<string, ValueInfo> shapes, GradientPaths paths)
    {
        private readonly UniqueNames _names = UniqueNames.From(graph);

        public List<Node> Nodes { get; } = [];

        /// <summary>By value of the network: the sum of what has been contributed to its gradient.</summary>
        public Dictionary<string, string> Totals { get; } = [];

        public string Seed(string output) => Totals[output] = _names.Unique($"∂{output}");

        public void Add(Node node, Reads reads)
        {
            string[] upstream = [.. node.Outputs.Select(name => paths.Carry(name) ? Totals.GetValueOrDefault(name, "") : "")];
            if (Array.TrueForAll(upstream, static name => name.Length == 0))
                return;
            int[] operands = [.. Enumerable.Range(0, node.Inputs.Length).Where(i => paths.Carry(node.Inputs[i]))];
            switch (node.Operation)
            {
                case Identity or Operations.Add or Sum:
                    int[] same = [.. operands.Where(i => shapes[node.Inputs[i]].Shape == shapes[node.Outputs[0]].Shape)];
                    foreach (int operand in same)
                        Contribute(node.Inputs[operand], upstream[0]);
                    operands = [.. operands.Except(same)];
                    break;
                case Reshaping when upstream[0].Length > 0:
                    Reshape(node, upstream[0]);
                    return;
                // Bias, kernel, input: each reads other values and has kernels of its own.
                case Convolution or ConvolutionTranspose:
                    foreach (int operand in operands.Reverse())
                        Differentiate(node, upstream, [operand]);
                    return;
            }
            if (operands.Length > 0)
                Differentiate(node, upstream, [.. operands]);
        }

        private void Differentiate(Node node, string[] upstream, ImmutableArray<int> operands)
        {
            Reads reads = operands.Aggregate(Reads.Nothing, (all, i) => all | node.Operation.GradientReads(i)!.Value);
            ImmutableArray<Shape> extents = [.. node.Inputs.Select(name => name.Length > 0 ? shapes[name].Shape : [])];
            string[] results = [.. operands.Select(i => _names.Unique($"∂{node.Inputs[i]}"))];
            Nodes.Add(
                new(
                    $"{node.Label} gradient",
                    new GradientOf(node.Operation, operands, extents, node.Outputs.Length),
                    [
                        .. node.Inputs.Select((name, i) => reads.IncludesInput(i) ? name : ""),
                        .. node.Outputs.Select((name, k) => reads.IncludesOutput(k) ? name : ""),
                        .. upstream,
                    ],
                    [.. results]
                )
            );
            for (int k = 0; k < operands.Length; k++)
                Contribute(node.Inputs[operands[k]], results[k]);
        }

        private void Reshape(Node node, string upstream)
        {
            string result = _names.Unique($"∂{node.Inputs[0]}");
            Reshape back = new() { Extents = [.. shapes[node.Inputs[0]].Shape], AllowZero = true };
            Nodes.Add(new($"{node.Label} gradient", back, [upstream], [result]));
            Contribute(node.Inputs[0], result);
        }

        private void Contribute(string name, string gradient)
        {
            if (!Totals.TryGetValue(name, out string? total))
            {
                Totals[name] = gradient;
                return;
            }
            string sum = _names.Unique($"∂{name}");
            Nodes.Add(new($"∂{name} sum", new Add(), [total, gradient], [sum]));
            Totals[name] = sum;
        }
    }
}
