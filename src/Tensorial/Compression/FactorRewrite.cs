using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// Puts standard operators in the place of a layer: a convolution for each stage of its factors (1×1, k×1, 1×k, k×k; grouped where a bond
/// goes on), moves of axes between them where the format needs any, and products that make several factors into the weights of one stage.
/// Stride, padding and dilation of an axis of space go to the stage that has that axis, the bias to the last.
/// </summary>
public static class FactorRewrite
{
    /// <summary>The network with one layer in factors. Nodes are called <c>old name/format/stage</c>.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="layer">One of its layers.</param>
    /// <param name="form">How to write it.</param>
    /// <param name="factors">The factors, of the form's format and ranks.</param>
    /// <exception cref="BadInputException">The order cannot be had there.</exception>
    public static Graph Apply(Graph graph, CompressibleLayer layer, LayerForm form, TensorFactors<double> factors)
    {
        Node node = graph.Nodes.First(candidate => candidate.Inputs.Length > 1 && candidate.Inputs[1] == layer.Name);
        ImmutableArray<StagePlan> stages =
            StagePlan.Of(form.Form, form.Ranks, form.Order, layer)
            ?? throw new BadInputException($"'{layer.Name}' in {form.Format} cannot be computed in the order {form.Order}.");
        string prefix = $"{(node.Name.Length > 0 ? node.Name : layer.Name)}/{form.Format}";
        GraphWriter writer = new(prefix);
        FactorProducts weights = new(writer, form.Form, factors);
        bool isMatrices =
            layer.IsDense && stages.All(static stage => stage.Free.Length == 0 && stage.Groups.Length == 0 && !stage.Transposes);
        if (form.Order.IsWhole)
            Whole(writer, weights, layer, node);
        else if (form.Form.Tensor.Ragged is not null)
            new DepthwiseBranches(writer, layer, form, factors, node).Write();
        else if (isMatrices)
            Matrices(writer, weights, stages, node);
        else
            new StageChain(writer, weights, layer, form.Form, node).Write(stages);

        ImmutableDictionary<string, Tensor>.Builder constants = graph.Initializers.ToBuilder();
        if (!graph.Nodes.Any(other => other != node && other.Inputs.Contains(layer.Name)))
            constants.Remove(layer.Name);
        constants.AddRange(writer.Constants);
        int at = graph.Nodes.IndexOf(node);
        return graph with
        {
            Nodes = graph.Nodes.RemoveAt(at).InsertRange(at, writer.Nodes),
            Initializers = constants.ToImmutable(),
            Inputs = graph.Inputs.RemoveAll(port => port.Name == layer.Name),
        };
    }

    /// <summary>The layer itself, its weights made from factors.</summary>
    private static void Whole(GraphWriter writer, FactorProducts weights, CompressibleLayer layer, Node node) =>
        writer.Put(node with { Inputs = node.Inputs.SetItem(1, weights.Whole(layer.Weight)), Source = null });

    /// <summary>A dense layer as one matrix product for each stage.</summary>
    private static void Matrices(GraphWriter writer, FactorProducts weights, ImmutableArray<StagePlan> stages, Node node)
    {
        string value = node.Inputs[0];
        for (int k = 0; k < stages.Length; k++)
        {
            bool isLast = k == stages.Length - 1;
            string output = isLast ? node.Outputs[0] : writer.Fresh(weights.NameOf(stages[k]));
            if (node.Operation is not Gemm gemm)
                writer.Put(
                    new(
                        writer.NodeName(weights.NameOf(stages[k])),
                        new MatMul(),
                        [value, weights.Matrix(stages[k], transposed: true)],
                        [output]
                    )
                );
            else
                writer.Put(
                    new(
                        writer.NodeName(weights.NameOf(stages[k])),
                        new Gemm { TransposeB = true, Beta = isLast ? gemm.Beta : 1 },
                        [value, weights.Matrix(stages[k], transposed: false), .. isLast ? node.Inputs.Skip(2) : []],
                        [output]
                    )
                );
            value = output;
        }
    }
}
