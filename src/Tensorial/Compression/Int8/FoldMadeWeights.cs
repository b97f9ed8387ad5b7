using System.Collections.Immutable;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;
using Gemm = Tensorial.Operations.Gemm;

namespace Tensorial.Compression.Int8;

/// <summary>
/// Weights that are computed from constants, such as kernels that are multiplied from factors, become constants where they then take no more
/// room as 8-bit integers than what they are computed from.
/// </summary>
internal static class FoldMadeWeights
{
    /// <summary>Bytes of the numbers that weights are computed from.</summary>
    private const int BytesOfNumber = sizeof(float);

    /// <param name="graph">The network.</param>
    /// <param name="origins">What constants come from; a kernel made of several counts as a constant of the file from here on.</param>
    /// <param name="held">Names of weights that stay in float: a kernel is added that is made of one of them.</param>
    public static Graph Apply(Graph graph, ConstantOrigins origins, HashSet<string> held)
    {
        Dictionary<string, Tensor> constants = graph.Initializers.ToDictionary();
        foreach (Node node in graph.Nodes)
            if (node.Operation is Constant constant)
                constants[node.Outputs[0]] = constant.Value;
        ConstantParts parts = new(graph, constants);
        Dictionary<string, Node> makers = [];
        foreach (Node node in graph.Nodes.Where(parts.IsConstant))
        {
            origins.Derive(node);
            foreach (string output in node.Outputs)
                makers[output] = node;
        }
        ImmutableDictionary<string, Tensor>.Builder folded = graph.Initializers.ToBuilder();
        foreach (Node node in graph.Nodes.Where(static node => node.Operation is Convolution or ConvolutionTranspose or Gemm or MatMul))
        foreach (string name in node.Inputs.Skip(1).Where(makers.ContainsKey))
            if (
                Value(name) is { ElementType: ElementType.Float32 } value
                && value.Shape.ElementCount <= BytesOfNumber * parts.ParametersOf(name)
            )
            {
                folded[name] = value;
                if (origins[name].Any(held.Contains))
                    held.Add(name);
                if (origins[name].Length > 1)
                    origins.Begin(name);
            }
        return folded.Count == graph.Initializers.Count
            ? graph
            : RemoveUnused.Apply(
                graph with
                {
                    Nodes = graph.Nodes.RemoveAll(node => node.Outputs.Any(output => folded.ContainsKey(output))),
                    Initializers = folded.ToImmutable(),
                }
            );

        Tensor? Value(string name)
        {
            if (constants.TryGetValue(name, out Tensor? known))
                return known;
            Node maker = makers[name];
            Tensor?[] inputs = [.. maker.Inputs.Select(input => input.Length == 0 ? null : Value(input))];
            try
            {
                Tensor[] made = maker.Operation.Evaluate(inputs, maker.Outputs.Length, Workers.Serial);
                for (int k = 0; k < made.Length; k++)
                    constants[maker.Outputs[k]] = made[k];
            }
            catch (BadInputException)
            {
                // What is wrong with a node is said where it is run.
                return null;
            }
            return constants.GetValueOrDefault(name);
        }
    }
}
