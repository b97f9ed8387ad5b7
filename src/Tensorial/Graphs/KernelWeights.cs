using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>The convolution and dense weights of a network, in its order: those that can be cut, and those that cannot.</summary>
public sealed record KernelWeights(ImmutableArray<KernelWeight> Kernels, ImmutableArray<UncutKernel> Uncut)
{
    public static KernelWeights Of(Graph graph) => new Search(graph).Run();

    /// <summary>
    /// How an operation names the axes of one of its operands, if that can be weights. A dense layer's may stand on either side.
    /// </summary>
    private static IEnumerable<(int Operand, Func<int, ImmutableArray<string>?> Axes)> Candidates(Operation operation) =>
        operation switch
        {
            Convolution => [(1, static rank => Spatial(["o", "i"], rank))],
            ConvolutionTranspose => [(1, static rank => Spatial(["i", "o"], rank))],
            Gemm gemm => [(1, rank => Matrix(gemm.TransposeB, "i", "o", rank)), (0, rank => Matrix(gemm.TransposeA, "o", "i", rank))],
            MatMul => [(1, static rank => Matrix(false, "i", "o", rank)), (0, static rank => Matrix(false, "o", "i", rank))],
            _ => [],
        };

    private static ImmutableArray<string>? Spatial(ImmutableArray<string> channels, int rank) =>
        rank switch
        {
            3 => [.. channels, "w"],
            4 => [.. channels, "h", "w"],
            5 => [.. channels, "d", "h", "w"],
            _ => null,
        };

    private static ImmutableArray<string>? Matrix(bool transposed, string rows, string columns, int rank) =>
        rank != 2 ? null
        : transposed ? [columns, rows]
        : [rows, columns];

    private static int GroupsOf(Operation operation) =>
        operation switch
        {
            Convolution convolution => convolution.Groups,
            ConvolutionTranspose transposed => transposed.Groups,
            _ => 1,
        };

    private sealed class Search
    {
        private readonly Graph _graph;
        private readonly Dictionary<string, Node> _makers = [];
        private readonly ILookup<string, Node> _readers;
        private readonly HashSet<string> _outputs;
        private readonly ImmutableArray<KernelWeight>.Builder _kernels = ImmutableArray.CreateBuilder<KernelWeight>();
        private readonly ImmutableArray<UncutKernel>.Builder _uncut = ImmutableArray.CreateBuilder<UncutKernel>();

        public Search(Graph graph)
        {
            _graph = graph;
            foreach (Node node in graph.Nodes)
            foreach (string output in node.Outputs)
                _makers[output] = node;
            _readers = graph
                .Nodes.SelectMany(static node => node.Reads.Where(static name => name.Length > 0), static (node, name) => (node, name))
                .ToLookup(static read => read.name, static read => read.node);
            _outputs = [.. graph.Outputs.Select(static port => port.Name)];
        }

        public KernelWeights Run()
        {
            foreach (Node node in _graph.Nodes)
                Visit(node);
            return new(_kernels.ToImmutable(), _uncut.ToImmutable());
        }

        private void Visit(Node node)
        {
            (int Operand, Func<int, ImmutableArray<string>?> Axes)[] candidates =
            [
                .. Candidates(node.Operation).Where(c => c.Operand < node.Inputs.Length),
            ];
            if (candidates.Length == 0)
                return;
            foreach ((int operand, Func<int, ImmutableArray<string>?> axesOf) in candidates)
            {
                Origin origin = Trace(node.Inputs[operand]);
                if (origin.Values is not { } values)
                    continue;
                ImmutableArray<string>? axes = origin.AxesOf(axesOf(values.Shape.Rank));
                if (Obstacle(origin.Name, values, axes) is { } reason)
                    _uncut.Add(new(origin.Name, node, values.Shape, reason));
                else
                    _kernels.Add(new(origin.Name, node, axes!.Value, values, GroupsOf(node.Operation)));
                return;
            }
            // A product of two computed values is attention or the like, not a layer with weights.
            string absent = node.Inputs[candidates[^1].Operand];
            if (node.Operation is not MatMul)
                _uncut.Add(new(absent, node, null, Absence(absent)));
        }

        /// <summary>
        /// Where weights come from: exporters keep shared ones behind Identity nodes, some make them in Constant nodes, and dense
        /// layers read theirs through a Transpose. The values are the constant's all the same; <paramref name="Order"/> says which
        /// of its axes became which.
        /// </summary>
        private sealed record Origin(string Name, Tensor? Values, ImmutableArray<int>? Order)
        {
            /// <summary>Names of the constant's own axes, from those of the value that the layer reads.</summary>
            public ImmutableArray<string>? AxesOf(ImmutableArray<string>? read) =>
                read is { } names && Order is { } order
                    ? [.. Enumerable.Range(0, names.Length).Select(axis => names[order.IndexOf(axis)])]
                    : read;
        }

        private Origin Trace(string name)
        {
            ImmutableArray<int>? order = null;
            while (!_graph.Initializers.ContainsKey(name) && _makers.TryGetValue(name, out Node? maker))
            {
                if (maker.Operation is Constant constant)
                    return new(name, constant.Value, order);
                if (maker.Operation is Transpose { Order.IsEmpty: true } or Transpose { Order.Length: 2 } && order is null)
                    order = maker.Operation is Transpose { Order: [0, 1] } ? null : [1, 0];
                else if (maker.Operation is not Identity || maker.Inputs.IsEmpty)
                    return new(name, null, null);
                name = maker.Inputs[0];
            }
            return new(name, _graph.Initializers.GetValueOrDefault(name), order);
        }

        /// <summary>Why a constant cannot be cut; null where it can.</summary>
        private string? Obstacle(string name, Tensor weights, ImmutableArray<string>? axes)
        {
            Node[] users = [.. Users(name)];
            string[] labels = [.. users.Distinct().Select(static node => $"'{node.Label}'")];
            if (axes is null)
                return $"weights of shape {weights.Shape} are no kernel: a matrix or one to three spatial axes are cut";
            if (users.Length > 1)
                return $"its weights are read more than once, by {string.Join(" and ", labels.Take(5))}{(labels.Length > 5 ? " and others" : "")}";
            if (!weights.ElementType.IsFloating())
                return $"its weights are {weights.ElementType}, not floating-point numbers";
            if (weights.Shape.Count == 0)
                return $"its weights of shape {weights.Shape} are empty";
            if (_outputs.Contains(name))
                return "its weights also leave the network as an output";
            return KernelWeight.LongAxesOf(axes.Value, weights.Shape).Length > 1
                ? null
                : $"its weights of shape {weights.Shape} are a vector";
        }

        /// <summary>Why a layer has no constant weights.</summary>
        private string Absence(string name)
        {
            if (_makers.TryGetValue(name, out Node? maker))
                return $"its weights are computed while the network runs, by '{maker.Label}' ({maker.Operation.Name})";
            return _graph.Inputs.Any(port => port.Name == name)
                ? "its weights are an input of the network"
                : "its weights have a type that cannot be computed with (text, sparse, complex, 8-bit float or 4-bit)";
        }

        private IEnumerable<Node> Users(string name) =>
            _readers[name].SelectMany(reader => reader.Operation is Identity or Transpose ? Users(reader.Outputs[0]) : [reader]);
    }
}
