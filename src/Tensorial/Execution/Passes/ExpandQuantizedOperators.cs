using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Writes operators on integers as operators on the numbers that these stand for, between DequantizeLinear and QuantizeLinear: one path
/// for both ways of storing a quantised network. Sums of products are rounded as float32 is, a part in 10⁷, where integers are exact.
/// </summary>
internal static class ExpandQuantizedOperators
{
    /// <param name="graph">The network.</param>
    /// <param name="shapes">Types and extents of its values.</param>
    public static Graph Apply(Graph graph, IReadOnlyDictionary<string, ValueInfo> shapes)
    {
        if (!graph.Nodes.Any(static node => IsQuantized(node.Operation)))
            return graph;
        UniqueNames names = UniqueNames.From(graph);
        var nodes = ImmutableArray.CreateBuilder<Node>();
        foreach (Node node in graph.Nodes)
        {
            if (!IsQuantized(node.Operation) || !PlacesOf(node).All(at => AgreeAt(node, at)))
            {
                nodes.Add(node);
                continue;
            }
            int quantizer = PlaceOfResult(node);
            // A product of ONNX Runtime's may leave its numbers as they are.
            string sums = InputOf(node, quantizer) is null ? node.Outputs[0] : names.Unique($"{node.Outputs[0]}_sums");
            nodes.Add(new(node.Name, FunctionOf(node.Operation), Numbers(node), [sums]));
            if (sums != node.Outputs[0])
                nodes.Add(
                    New(
                        new QuantizeLinear(Type: shapes[node.Outputs[0]].Type),
                        [sums, .. node.Inputs.Skip(quantizer).Take(2)],
                        node.Outputs[0]
                    )
                );
        }
        return graph with { Nodes = nodes.ToImmutable() };

        ImmutableArray<string> Numbers(Node node) =>
            node.Operation switch
            {
                QLinearConv => [Number(node, 0), Number(node, 3, axis: 0), .. Bias(node, 8, factor: 1)],
                QLinearMatMul => [Number(node, 0, axis: -2), Number(node, 3, axis: -1)],
                QGemm gemm => [Number(node, 0), Number(node, 3, axis: gemm.TransposeB ? 0 : 1), .. Bias(node, 6, gemm.Alpha)],
                _ => [.. PlacesOf(node).Select(at => Number(node, at))],
            };

        // Whether the scale and the zero point behind an input are such as DequantizeLinear takes.
        bool AgreeAt(Node node, int at)
        {
            Shape scale = shapes[node.Inputs[at + 1]].Shape;
            bool isOne = scale.ElementCount == 1;
            if (!isOne && node.Operation is QLinearMatMul && (scale.Rank != 1 || shapes[node.Inputs[at]].Shape.Rank < 2))
                return false;
            return InputOf(node, at + 2) is not { } zero || shapes[zero].Shape == scale || isOne && shapes[zero].Shape.ElementCount == 1;
        }

        // What the integers at an input stand for; scale and zero point are the next two inputs.
        string Number(Node node, int at, int axis = 1) =>
            Add(new DequantizeLinear(axis), [.. node.Inputs.Skip(at).Take(3)], $"{node.Inputs[at]}_numbers");

        // A bias in units of both scales, which are the second and the fifth input.
        IEnumerable<string> Bias(Node node, int at, float factor)
        {
            if (InputOf(node, at) is not { } bias)
                return [];
            string unit = Add(new Mul(), [node.Inputs[1], node.Inputs[4]], $"{bias}_unit"),
                wide = Add(new Cast(ElementType.Float32), [bias], $"{bias}_float"),
                scaled = Add(new Mul(), [wide, unit], $"{bias}_numbers");
            return [factor == 1 ? scaled : Add(new Mul(), [scaled, Constant(factor, $"{bias}_factor")], $"{bias}_scaled")];
        }

        string Constant(float value, string name) => Add(new Constant(new Tensor<float>([], new[] { value })), [], name);

        string Add(Operation operation, ImmutableArray<string> inputs, string name)
        {
            string output = names.Unique(name);
            nodes.Add(New(operation, inputs, output));
            return output;
        }

        Node New(Operation operation, ImmutableArray<string> inputs, string output) => new(output, operation, inputs, [output]);
    }

    private static bool IsQuantized(Operation operation) => operation is QLinearConv or QLinearMatMul or QGemm or QuantizedFunction;

    private static Operation FunctionOf(Operation operation) =>
        operation switch
        {
            QLinearConv convolution => convolution.Window,
            QLinearMatMul => new MatMul(),
            QGemm gemm => new Gemm
            {
                Alpha = gemm.Alpha,
                TransposeA = gemm.TransposeA,
                TransposeB = gemm.TransposeB,
            },
            _ => ((QuantizedFunction)operation).Function,
        };

    private static int PlaceOfResult(Node node) =>
        node.Operation switch
        {
            QLinearConv or QLinearMatMul => 6,
            QGemm => 7,
            _ => ((QuantizedFunction)node.Operation).PlacesOf(node.Inputs.Length).Result,
        };

    /// <summary>Inputs at which integers stand that have a scale and a zero point behind them.</summary>
    private static ImmutableArray<int> PlacesOf(Node node) =>
        node.Operation is QuantizedFunction function ? function.PlacesOf(node.Inputs.Length).Values : [0, 3];

    private static string? InputOf(Node node, int index) => node.Inputs.ElementAtOrDefault(index) is { Length: > 0 } name ? name : null;
}
