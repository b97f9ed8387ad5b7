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
internal static class FactorRewrite
{
    private const int LongName = 64;

    /// <summary>The network with one layer in factors. Nodes are called <c>old name/format/stage</c>.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="layer">One of its layers.</param>
    /// <param name="form">How to write it.</param>
    /// <param name="factors">The factors, of the form's format and ranks.</param>
    /// <exception cref="BadInputException">The order cannot be had there.</exception>
    public static Graph Apply(Graph graph, CompressibleLayer layer, LayerForm form, TensorFactors<double> factors)
    {
        UniqueNames names = UniqueNames.From(graph);
        GraphWriter? before = null;
        foreach (LayerUse use in layer.Uses)
        {
            int at = Place(graph, use);
            Node node = graph.Nodes[at];
            CompressibleLayer own = layer.At(use);
            string prefix = $"{NameOf(node, layer)}/{form.Format}";
            GraphWriter writer = before?.Sharing(prefix) ?? new(prefix, names);
            Write(writer, own, form, factors, node);
            graph = graph with
            {
                Nodes = graph.Nodes.RemoveAt(at).InsertRange(at, writer.Nodes),
                Initializers = graph.Initializers.AddRange(writer.Constants),
            };
            before = writer;
        }
        return RemoveUnused.Apply(graph);
    }

    /// <summary>
    /// What new names begin with: the node's name. Some exporters join the names of all nodes they fused, to hundreds of characters that
    /// every new node would repeat: then the weights' name, if it is shorter.
    /// </summary>
    private static string NameOf(Node node, CompressibleLayer layer) =>
        node.Name.Length == 0 || (node.Name.Length > LongName && layer.Name.Length < node.Name.Length) ? layer.Name : node.Name;

    /// <summary>Where a layer's node stands: nodes before it may have been rewritten, but what it makes keeps its name.</summary>
    private static int Place(Graph graph, LayerUse use)
    {
        for (int place = 0; place < graph.Nodes.Length; place++)
            if (graph.Nodes[place].Outputs.Contains(use.Made))
                return place;
        throw new BadInputException($"The network has no node '{use.Node.Label}' that could be written as factors.");
    }

    internal static void Write(GraphWriter writer, CompressibleLayer layer, LayerForm form, TensorFactors<double> factors, Node node)
    {
        if (form.IsSum)
        {
            SumRewrite.Write(writer, layer, form, factors, node);
            return;
        }
        ImmutableArray<Stage> stages =
            Stage.Of(form.Form, form.Ranks, form.Order, layer)
            ?? throw new BadInputException($"'{layer.Name}' in {form.Format} cannot be computed in the order {form.Order}.");
        FactorProducts weights = new(writer, form.Form, factors, layer);
        if (layer.Use.IsRecurrent)
            Recurrent(writer, weights, stages, layer, node);
        else if (form.Order.IsWhole)
            Whole(writer, weights, layer, node);
        else if (form.Form.Tensor.Ragged is not null)
            new DepthwiseBranches(writer, layer, form, factors, node).Write();
        else if (layer.IsDense && Stage.IsMatrices(stages, form.Form))
            Matrices(writer, weights, stages, layer, node);
        else
            new StageChain(writer, weights, layer, form.Form, node).Write(stages);
    }

    /// <summary>The layer itself, its weights made from factors.</summary>
    private static void Whole(GraphWriter writer, FactorProducts weights, CompressibleLayer layer, Node node) =>
        writer.Put(node with { Inputs = node.Inputs.SetItem(layer.Use.Operand, weights.Whole(node)), Source = null });

    /// <summary>A product with what a recurrent layer reads, all steps at once, and the layer on the few values that are left of it.</summary>
    private static void Recurrent(
        GraphWriter writer,
        FactorProducts weights,
        ImmutableArray<Stage> stages,
        CompressibleLayer layer,
        Node node
    )
    {
        string name = weights.NameOf(stages[0]);
        string value = writer.Put(name, new MatMul(), node.Inputs[0], weights.Matrix(stages[0], transposed: true));
        Shape stored = layer.Weight.Weights.Shape;
        string columns = weights.Rows(stages[1], stored[0]);
        writer.Put(node with { Inputs = node.Inputs.SetItem(0, value).SetItem(1, columns) });
    }

    /// <summary>A dense layer as one matrix product for each stage, rows of inputs from the left or columns from the right.</summary>
    private static void Matrices(
        GraphWriter writer,
        FactorProducts weights,
        ImmutableArray<Stage> stages,
        CompressibleLayer layer,
        Node node
    )
    {
        bool isLeft = layer.Use.Operand == 0;
        string value = node.Inputs[1 - layer.Use.Operand];
        for (int k = 0; k < stages.Length; k++)
        {
            Stage stage = stages[k];
            (bool isFirst, bool isLast) = (k == 0, k == stages.Length - 1);
            string name = weights.NameOf(stage),
                output = isLast ? node.Outputs[0] : writer.Fresh(name);
            if (node.Operation is Gemm gemm)
            {
                string matrix = weights.Matrix(stage, transposed: false);
                Gemm own = new()
                {
                    TransposeA = isFirst && gemm.TransposeA,
                    TransposeB = true,
                    Alpha = isLast ? gemm.Alpha : 1,
                    Beta = isLast ? gemm.Beta : 1,
                };
                writer.Put(new(writer.NodeName(name), own, [value, matrix, .. isLast ? node.Inputs.Skip(2) : []], [output]));
            }
            else
            {
                string matrix = weights.Matrix(stage, transposed: !isLeft);
                writer.Put(new(writer.NodeName(name), new MatMul(), isLeft ? [matrix, value] : [value, matrix], [output]));
            }
            value = output;
        }
    }
}
