using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>The convolution and dense weights of a network, in its order: those that can be cut, and those that cannot.</summary>
public sealed record KernelWeights(ImmutableArray<KernelWeight> Kernels, ImmutableArray<UncutKernel> Uncut)
{
    /// <summary>
    /// The weights of a network. Constants are followed through Identity, Transpose and Cast nodes; other forms are undone by
    /// <see cref="WeightsAsInitializers"/>.
    /// </summary>
    public static KernelWeights From(Graph graph) => new Search(graph).Run();

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
            Recurrent => [(1, static rank => rank == 3 ? ["s", "o", "i"] : null)],
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
        private readonly Dictionary<string, Origin> _origins = [];
        private readonly Dictionary<string, List<Node>> _users = [];
        private readonly HashSet<string> _leaving = [],
            _inputs;

        /// <summary>Values that nodes make of constants alone.</summary>
        private readonly HashSet<string> _computed = [];
        private readonly List<KernelWeight> _kernels = [];

        /// <summary>The nodes that read each of the kernels.</summary>
        private readonly List<List<Node>> _nodes = [];
        private readonly Dictionary<string, int> _places = [];
        private readonly Dictionary<string, string?> _reasons = [];
        private readonly ImmutableArray<UncutKernel>.Builder _uncut = ImmutableArray.CreateBuilder<UncutKernel>();

        public Search(Graph graph)
        {
            _graph = graph;
            _inputs = [.. graph.Inputs.Select(static port => port.Name)];
            foreach ((string name, Tensor value) in graph.Initializers)
                _origins[name] = new(name, value, null, value.ElementType);
            foreach (Node node in graph.Nodes)
            {
                foreach (string output in node.Outputs)
                    _makers[output] = node;
                if (node.Operation is Constant constant)
                    _origins[node.Outputs[0]] = new(node.Outputs[0], constant.Value, null, constant.Value.ElementType);
                else if (Moved(node) is { } moved)
                    _origins[node.Outputs[0]] = moved;
                else
                {
                    foreach (string name in node.Reads)
                        if (_origins.TryGetValue(name, out Origin? origin))
                            UsersOf(origin.Name).Add(node);
                    if (
                        node.Reads.Length > 0
                        && node.Reads.All(name => name.Length == 0 || _origins.ContainsKey(name) || _computed.Contains(name))
                    )
                        _computed.UnionWith(node.Outputs);
                }
            }
            foreach (Port output in graph.Outputs)
                if (_origins.TryGetValue(output.Name, out Origin? origin))
                    _leaving.Add(origin.Name);
        }

        public KernelWeights Run()
        {
            foreach (Node node in _graph.Nodes)
                Visit(node);
            return new(
                [.. _kernels.Zip(_nodes, static (kernel, nodes) => nodes.Count == 1 ? kernel : kernel with { Nodes = [.. nodes] })],
                _uncut.ToImmutable()
            );
        }

        private List<Node> UsersOf(string name) => _users.TryGetValue(name, out List<Node>? users) ? users : _users[name] = [];

        /// <summary>
        /// Where weights come from. The values are the constant's; <paramref name="Order"/> says which of its axes became which.
        /// </summary>
        private sealed record Origin(string Name, Tensor Values, ImmutableArray<int>? Order, ElementType ReadAs)
        {
            /// <summary>Names of the constant's own axes, from those of the value that the layer reads.</summary>
            public ImmutableArray<string>? AxesOf(ImmutableArray<string>? read) =>
                read is { } names && Order is { } order
                    ? [.. Enumerable.Range(0, names.Length).Select(axis => names[order.IndexOf(axis)])]
                    : read;
        }

        /// <summary>What a node hands on of a constant; null where it is no mere move.</summary>
        private Origin? Moved(Node node)
        {
            if (node.Inputs is not [{ } input] || !_origins.TryGetValue(input, out Origin? origin))
                return null;
            int rank = origin.Values.Shape.Rank;
            switch (node.Operation)
            {
                case Identity:
                    return origin;
                case Cast cast when cast.Type.IsFloating() && origin.Values.ElementType.IsFloating():
                    return origin with { ReadAs = cast.Type };
                case Transpose { Order: var given } when given.IsEmpty || given.Length == rank:
                    ImmutableArray<int> before = origin.Order ?? [.. Enumerable.Range(0, rank)];
                    ImmutableArray<int> order = given.IsEmpty ? [.. before.Reverse()] : [.. given.Select(axis => before[axis])];
                    return origin with { Order = order.SequenceEqual(Enumerable.Range(0, rank)) ? null : order };
                default:
                    return null;
            }
        }

        /// <summary>Weights that no format is for, and why: a clause that follows "because".</summary>
        private static (int[] Operands, string Reason)? Closed(Operation operation) =>
            operation switch
            {
                QLinearConv or QLinearMatMul or QGemm => ([3], Quantized),
                ConvInteger or MatMulInteger => ([1], Quantized),
                Recurrent => ([2], "they meet the state at every step inside one operator, which takes no factors"),
                _ => null,
            };

        private const string Quantized =
            "its weights are stored as quantised integers: compress the network they were quantised from, then quantise that";

        private void Visit(Node node)
        {
            if (Closed(node.Operation) is { } closed)
            {
                foreach (int operand in closed.Operands.Where(operand => operand < node.Inputs.Length))
                    if (_origins.TryGetValue(node.Inputs[operand], out Origin? origin))
                        _uncut.Add(new(origin.Name, node, origin.Values.Shape, closed.Reason));
            }
            (int Operand, Func<int, ImmutableArray<string>?> Axes)[] candidates =
            [
                .. Candidates(node.Operation).Where(c => c.Operand < node.Inputs.Length),
            ];
            if (candidates.Length == 0)
                return;
            foreach ((int operand, Func<int, ImmutableArray<string>?> axesOf) in candidates)
            {
                if (!_origins.TryGetValue(node.Inputs[operand], out Origin? origin))
                    continue;
                ImmutableArray<string>? axes = origin.AxesOf(axesOf(origin.Values.Shape.Rank));
                KernelWeight? kernel = axes is { } names
                    ? new(origin.Name, node, names, origin.Values, GroupsOf(node.Operation)) { ReadAs = origin.ReadAs }
                    : null;
                if (_places.TryGetValue(origin.Name, out int place))
                    _nodes[place].Add(node);
                else if (ObstacleOf(origin, kernel) is { } reason)
                    _uncut.Add(new(origin.Name, node, origin.Values.Shape, reason));
                else
                {
                    _places[origin.Name] = _kernels.Count;
                    _kernels.Add(kernel!);
                    _nodes.Add([node]);
                }
                return;
            }
            // A product of two computed values is attention or the like, not a layer with weights.
            string absent =
                candidates.Select(candidate => node.Inputs[candidate.Operand]).FirstOrDefault(_computed.Contains)
                ?? node.Inputs[candidates[^1].Operand];
            if (node.Operation is not MatMul)
                _uncut.Add(new(absent, node, null, Absence(absent)));
        }

        /// <summary>As <see cref="Obstacle"/>, looked for once for a constant that many nodes read.</summary>
        private string? ObstacleOf(Origin origin, KernelWeight? kernel) =>
            _reasons.TryGetValue(origin.Name, out string? known) ? known : _reasons[origin.Name] = Obstacle(origin, kernel);

        /// <summary>Why a constant cannot be cut; null where it can.</summary>
        private string? Obstacle(Origin origin, KernelWeight? kernel)
        {
            (string name, Tensor weights) = (origin.Name, origin.Values);
            if (kernel is null)
                return $"weights of shape {weights.Shape} are no kernel: a matrix or one to three spatial axes are cut";
            List<Node> users = UsersOf(name);
            if (users.Count > 1 && !users.TrueForAll(user => IsAlike(kernel, user)))
            {
                string[] labels = [.. users.Distinct().Select(static node => $"'{node.Label}'")];
                return $"its weights are read more than once in different ways, by {string.Join(" and ", labels.Take(5))}{(labels.Length > 5 ? " and others" : "")}";
            }
            if (!weights.ElementType.IsFloating())
                return $"its weights are {weights.ElementType}, not floating-point numbers";
            if (weights.Shape.ElementCount == 0)
                return $"its weights of shape {weights.Shape} are empty";
            if (_leaving.Contains(name))
                return "its weights also leave the network as an output";
            return KernelWeight.LongAxesOf(kernel.Axes, weights.Shape).Length > 1
                ? null
                : $"its weights of shape {weights.Shape} are a vector";
        }

        /// <summary>Whether another node multiplies with a kernel as its first one does: as the same operand, axis by axis.</summary>
        private bool IsAlike(KernelWeight kernel, Node user)
        {
            if (user.Operation.GetType() != kernel.Node.Operation.GetType() || GroupsOf(user.Operation) != kernel.Groups)
                return false;
            int[] reads =
            [
                .. Enumerable
                    .Range(0, user.Inputs.Length)
                    .Where(k => _origins.TryGetValue(user.Inputs[k], out Origin? read) && read.Name == kernel.Name),
            ];
            return reads is [{ } operand]
                && Candidates(user.Operation).FirstOrDefault(candidate => candidate.Operand == operand).Axes is { } axesOf
                && _origins[user.Inputs[operand]] is { } origin
                && origin.ReadAs == kernel.ReadAs
                && origin.AxesOf(axesOf(origin.Values.Shape.Rank)) is { } axes
                && axes.SequenceEqual(kernel.Axes);
        }

        /// <summary>Why a layer has no constant weights.</summary>
        private string Absence(string name)
        {
            if (_makers.TryGetValue(name, out Node? quantised) && quantised.Operation is DequantizeLinear && _computed.Contains(name))
                return Quantized;
            if (_makers.TryGetValue(name, out Node? maker) && _computed.Contains(name))
                return $"its weights are made of other constants by '{maker.Label}' ({maker.Operation.Name}), as those of a layer in factors are";
            if (maker is not null)
                return $"its weights are computed while the network runs, by '{maker.Label}' ({maker.Operation.Name})";
            return _inputs.Contains(name)
                ? "its weights are an input of the network"
                : "its weights have a type that cannot be computed with (text, sparse, complex, 8-bit float or 4-bit)";
        }
    }
}
