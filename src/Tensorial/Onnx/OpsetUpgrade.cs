using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Onnx.Proto;
using Tensorial.Operations;

namespace Tensorial.Onnx;

/// <summary>
/// The same network in a later operator set. Nodes whose operator kept its form stay as the file has them; the others are written anew.
/// </summary>
internal static class OpsetUpgrade
{
    /// <summary>The IR version that came with operator set 13; older files have initializers among their inputs.</summary>
    private const int IrVersion = 7;

    private const int IrWithFreeInitializers = 4;

    /// <summary>Operators whose attributes lost one without which ours means the same.</summary>
    private static readonly ImmutableHashSet<string> Tidied = ["BatchNormalization"];

    /// <param name="graph">A network; one that was read from no file is written in a set of its own and stays as it is.</param>
    /// <param name="opset">The operator set it is to have at least.</param>
    /// <exception cref="UnsupportedException">An operator of the former set has no form in the later one; names the node.</exception>
    public static Graph ToAtLeast(Graph graph, int opset)
    {
        if (graph.Source is not OnnxSource source)
            return graph;
        OperatorSetIdProto? import = source.Model.OpsetImport.FirstOrDefault(static o => o.Domain is "" or "ai.onnx");
        int former = (int)(import?.Version ?? opset);
        if (import is not null && former >= opset)
            return graph;
        ModelProto model = source.Model.Clone();
        if (import is null)
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = opset });
        else
            model.OpsetImport[source.Model.OpsetImport.IndexOf(import)].Version = opset;
        ImmutableArray<Port> inputs = model.IrVersion < IrWithFreeInitializers ? graph.FreeInputs : graph.Inputs;
        model.IrVersion = Math.Max(model.IrVersion, IrVersion);
        Rewriting rewriting = new(graph, former, opset);
        foreach (Node node in graph.Nodes)
            rewriting.Add(node);
        return graph with
        {
            Nodes = [.. rewriting.Nodes],
            Inputs = inputs,
            Initializers = graph.Initializers.AddRange(rewriting.Constants),
            Source = source with { Model = model },
        };
    }

    private sealed class Rewriting(Graph graph, int former, int opset)
    {
        private readonly UniqueNames _names = UniqueNames.From(graph);
        private readonly Lazy<IReadOnlyDictionary<string, ValueInfo>> _known = new(() => ShapeInference.Explore(graph).Operands);

        public List<Node> Nodes { get; } = [];

        public Dictionary<string, Tensor> Constants { get; } = [];

        public void Add(Node node)
        {
            if (node.Operation is Branching || !node.Captured.IsEmpty)
                throw new UnsupportedException(
                    $"Node '{node.Label}' ({node.Operation.Name}) has bodies in ONNX operator set {former}, and set {opset} is needed: export the network again for set {opset} or later."
                );
            if (node.Source is not NodeSource { Proto: var proto } || Keeps(proto))
                Nodes.Add(node);
            else
                Nodes.AddRange(Anew(node));
        }

        private bool Keeps(NodeProto proto) =>
            proto.Domain is not ("" or "ai.onnx")
            || (
                !Tidied.Contains(proto.OpType)
                && OnnxOperators.RowOf("", proto.OpType, former) == OnnxOperators.RowOf("", proto.OpType, opset)
            );

        private IEnumerable<Node> Anew(Node node) =>
            node.Operation switch
            {
                Resize { HasRegion: false } resize =>
                [
                    node with
                    {
                        Operation = resize with { HasRegion = true, Scales = null },
                        Inputs =
                        [
                            node.Inputs[0],
                            "",
                            node.Inputs.Length > 1 ? node.Inputs[1] : Constant(node, "scales", Values(resize.Scales)),
                        ],
                        Source = null,
                    },
                ],
                TopK { Count: { } count } top =>
                [
                    node with
                    {
                        Operation = top with { Count = null },
                        Inputs = [node.Inputs[0], Constant(node, "k", new Tensor<long>([1], new long[] { count }))],
                        Source = null,
                    },
                ],
                SoftmaxLike { Flattened: true } softmax => Unflattened(node, softmax),
                _ => [node with { Source = null }],
            };

        /// <summary>A normalisation over one axis and all behind it: over that axis where the others are 1, else over both as one.</summary>
        private IEnumerable<Node> Unflattened(Node node, SoftmaxLike softmax)
        {
            if (_known.Value.GetValueOrDefault(node.Inputs[0]) is { Shape: var shape })
            {
                int axis = Operands.Axis(softmax.Axis, shape.Rank);
                if (shape.ElementCountOf(axis + 1, shape.Rank) == 1)
                {
                    yield return node with
                    {
                        Operation = softmax with { Axis = axis == shape.Rank - 1 ? -1 : axis, Flattened = false },
                        Source = null,
                    };
                    yield break;
                }
            }
            string extents = _names.Unique($"{node.Label}/extents"),
                flat = _names.Unique($"{node.Label}/flat"),
                result = _names.Unique($"{node.Label}/result");
            yield return new(_names.Unique($"{node.Label}/shape"), new ShapeOf(), [node.Inputs[0]], [extents]);
            yield return new(_names.Unique($"{node.Label}/flatten"), new Flatten(softmax.Axis), [node.Inputs[0]], [flat]);
            yield return node with
            {
                Operation = softmax with { Axis = -1, Flattened = false },
                Inputs = [flat],
                Outputs = [result],
                Source = null,
            };
            yield return new(_names.Unique($"{node.Label}/reshape"), new Reshape(), [result, extents], node.Outputs);
        }

        private string Constant(Node node, string what, Tensor value)
        {
            string name = _names.Unique($"{node.Label}/{what}");
            Constants[name] = value;
            return name;
        }

        private static Tensor<float> Values(ImmutableArray<float>? scales) =>
            scales is { } values ? new([values.Length], values.ToArray()) : throw new BadInputException("a resize has no scales.");
    }
}
