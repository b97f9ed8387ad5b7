using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// A network in float64, node by node, convolutions and dense layers by plain loops over their definitions: slow, and without a line of the
/// code that computes fast. What results are checked against.
/// </summary>
internal static class PlainEvaluation
{
    /// <summary>All outputs for some inputs, by name.</summary>
    /// <exception cref="BadInputException">An operator is not supported or its operands do not fit; names the node.</exception>
    public static IReadOnlyDictionary<string, Tensor> Run(Graph graph, IReadOnlyDictionary<string, Tensor> inputs) =>
        Interpreter.Run(InFloat64(graph), inputs.ToDictionary(static pair => pair.Key, static pair => Wide(pair.Value)));

    /// <summary>The network with all floating-point numbers in float64 and plain layers.</summary>
    public static Graph InFloat64(Graph graph) =>
        graph with
        {
            Nodes = [.. graph.Nodes.Select(static node => node with { Operation = Plain(node.Operation), Source = null })],
            Inputs = [.. graph.Inputs.Select(Wide)],
            Outputs = [.. graph.Outputs.Select(Wide)],
            Initializers = graph.Initializers.ToImmutableDictionary(static pair => pair.Key, static pair => Wide(pair.Value)),
        };

    private static Operation Plain(Operation operation) =>
        operation switch
        {
            Convolution convolution => new PlainConvolution(convolution),
            Gemm dense => new PlainGemm(dense),
            Constant constant => new Constant(Wide(constant.Value)),
            ConstantOfShape made => new ConstantOfShape(Wide(made.Value)),
            Cast cast when cast.Type.IsFloating() => new Cast(ElementType.Float64),
            _ => operation,
        };

    private static Tensor Wide(Tensor value) => value.ElementType.IsFloating() ? value.To(ElementType.Float64) : value;

    private static Port Wide(Port port) => port.Type.IsFloating() ? port with { Type = ElementType.Float64 } : port;

    /// <summary>Y[n,o,y] = B[o] + Σ W[o,i,k] X[n,i,stride y + dilation k - pad], as it is written.</summary>
    private sealed record PlainConvolution(Convolution Of) : Operation
    {
        internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) => Of.Infer(inputs);

        internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
        {
            (Tensor<double> x, Tensor<double> w, Tensor<double> y) = (
                inputs[0]!.Of<double>(),
                inputs[1]!.Of<double>(),
                outputs[0].Of<double>()
            );
            Tensor<double>? bias = inputs.Length > 2 ? inputs[2]?.Of<double>() : null;
            ImmutableArray<WindowAxis> windows = Of.Windows(x.Shape, w.Shape);
            int[][] places = Places(windows);
            int plane = windows.Aggregate(1, static (product, window) => product * window.Input),
                taps = windows.Aggregate(1, static (product, window) => product * window.Taps),
                own = w.Shape[1],
                perGroup = w.Shape[0] / Of.Groups;
            for (int n = 0; n < y.Shape[0]; n++)
            for (int o = 0; o < y.Shape[1]; o++)
            for (int at = 0; at < places.Length; at++)
            {
                double sum = bias?.Values[o] ?? 0;
                for (int i = 0; i < own; i++)
                {
                    int channel = o / perGroup * own + i;
                    ReadOnlySpan<double> values = x.Values.Slice((n * x.Shape[1] + channel) * plane, plane),
                        weights = w.Values.Slice((o * own + i) * taps, taps);
                    for (int tap = 0; tap < taps; tap++)
                        if (places[at][tap] >= 0)
                            sum += weights[tap] * values[places[at][tap]];
                }
                y.Values[(n * y.Shape[1] + o) * places.Length + at] = sum;
            }
        }

        /// <summary>For each position of the window and each tap the place in the plane of an input channel; -1 in the padding.</summary>
        private static int[][] Places(ImmutableArray<WindowAxis> windows)
        {
            int positions = windows.Aggregate(1, static (product, window) => product * window.Output),
                taps = windows.Aggregate(1, static (product, window) => product * window.Taps);
            int[][] places = new int[positions][];
            for (int at = 0; at < positions; at++)
            {
                places[at] = new int[taps];
                for (int tap = 0; tap < taps; tap++)
                    places[at][tap] = Place(windows, at, tap);
            }
            return places;
        }

        private static int Place(ImmutableArray<WindowAxis> windows, int at, int tap)
        {
            int place = 0,
                pitch = 1;
            for (int axis = windows.Length - 1; axis >= 0; axis--)
            {
                WindowAxis window = windows[axis];
                int read = window.Stride * (at % window.Output) + window.Dilation * (tap % window.Taps) - window.Begin;
                if (read < 0 || read >= window.Input)
                    return -1;
                place += read * pitch;
                (at, tap, pitch) = (at / window.Output, tap / window.Taps, pitch * window.Input);
            }
            return place;
        }
    }

    /// <summary>Y = Alpha A B + Beta C, as it is written.</summary>
    private sealed record PlainGemm(Gemm Of) : Operation
    {
        internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) => Of.Infer(inputs);

        internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
        {
            (Tensor<double> a, Tensor<double> b, Tensor<double> y) = (
                inputs[0]!.Of<double>(),
                inputs[1]!.Of<double>(),
                outputs[0].Of<double>()
            );
            int inner = Of.TransposeA ? a.Shape[0] : a.Shape[1];
            double[]? added = inputs.Length > 2 && inputs[2] is { } c ? Broadcasting.Stretched(c.Of<double>(), y.Shape).ToArray() : null;
            for (int row = 0; row < y.Shape[0]; row++)
            for (int column = 0; column < y.Shape[1]; column++)
            {
                double sum = 0;
                for (int k = 0; k < inner; k++)
                    sum +=
                        a.Values[Of.TransposeA ? k * a.Shape[1] + row : row * a.Shape[1] + k]
                        * b.Values[Of.TransposeB ? column * b.Shape[1] + k : k * b.Shape[1] + column];
                int at = row * y.Shape[1] + column;
                y.Values[at] = Of.Alpha * sum + (added is null ? 0 : Of.Beta * added[at]);
            }
        }
    }
}
