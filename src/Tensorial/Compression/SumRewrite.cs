using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// A layer as a sum of forms: a branch for each and an addition, the bias in the first branch. Where every form is made into a kernel, the
/// kernels are added, and the layer stays one.
/// </summary>
internal static class SumRewrite
{
    public static void Write(GraphWriter writer, CompressibleLayer layer, LayerForm form, TensorFactors<double> factors, Node node)
    {
        ImmutableArray<LayerForm> terms = form.Terms;
        GraphWriter[] writers = [.. terms.Select((term, k) => writer.Inner($"{k}.{term.Format}"))];
        if (form.IsWhole)
        {
            string[] kernels =
            [
                .. terms.Select((term, k) => new FactorProducts(writers[k], term.Form, factors.Terms[k], layer).Whole(node)),
            ];
            string kernel = kernels.Aggregate((sum, next) => writer.Put("kernel", new Add(), sum, next));
            writer.Put(node with { Inputs = node.Inputs.SetItem(layer.Use.Operand, kernel), Source = null });
            return;
        }
        string? value = null;
        for (int k = 0; k < terms.Length; k++)
        {
            Node own = node with
            {
                Name = writers[k].NodeName("layer"),
                Inputs = k == 0 ? node.Inputs : node.Inputs[..2],
                Outputs = [writer.Fresh($"{k}")],
                Source = null,
            };
            FactorRewrite.Write(writers[k], layer, terms[k], factors.Terms[k], own);
            bool isLast = k == terms.Length - 1;
            if (value is not null)
                writer.Put(
                    new Node(writer.NodeName("add"), new Add(), [value, own.Outputs[0]], [isLast ? node.Outputs[0] : writer.Fresh("add")])
                );
            value = k == 0 ? own.Outputs[0] : writer.Nodes[^1].Outputs[0];
        }
    }
}
