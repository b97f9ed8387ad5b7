using Tensorial.Onnx.Proto;
using Tensorial.Operations;

namespace Tensorial.Onnx;

/// <summary>What lies deeper in a model than its nodes and initializers: bodies of loops and branches, functions, training.</summary>
internal static class Subgraphs
{
    /// <summary>Names that the bodies in a node's attributes read from around them.</summary>
    public static IEnumerable<string> Captured(NodeProto node) => Bodies(node).SelectMany(Free).Distinct();

    /// <summary>Gives values that the bodies of a node read from around them other names.</summary>
    public static void Rename(NodeProto node, IReadOnlyDictionary<string, string> names) =>
        Rename(node, name => names.GetValueOrDefault(name, name));

    private static void Rename(NodeProto node, Func<string, string> renamed)
    {
        foreach (GraphProto body in Bodies(node))
        {
            // A name of the body's own hides the one around it, from the bodies inside too.
            HashSet<string> own = Own(body);
            string Seen(string name) => own.Contains(name) ? name : renamed(name);
            foreach (NodeProto inner in body.Node)
            {
                for (int i = 0; i < inner.Input.Count; i++)
                    inner.Input[i] = Seen(inner.Input[i]);
                Rename(inner, Seen);
            }
            foreach (ValueInfoProto port in body.Output)
                port.Name = Seen(port.Name);
        }
    }

    /// <summary>All tensors of a model but the initializers of its graph.</summary>
    public static IEnumerable<TensorProto> Tensors(ModelProto model) =>
        [
            .. Tensors(model.Graph),
            .. model.Functions.SelectMany(static function => function.Node).SelectMany(Tensors),
            .. model
                .TrainingInfo.SelectMany(static training => (GraphProto?[])[training.Initialization, training.Algorithm])
                .SelectMany(All),
        ];

    public static IEnumerable<GraphProto> Bodies(NodeProto node) =>
        node.Attribute.SelectMany(static a => a.G is null ? a.Graphs : a.Graphs.Prepend(a.G));

    /// <summary>Floating-point numbers that the bodies of a node hold as constants.</summary>
    public static long ParametersOf(NodeProto node) =>
        Bodies(node)
            .SelectMany(All)
            .Where(static tensor => OnnxTensors.TypeOf(tensor.DataType)?.IsFloating() == true)
            .Sum(static tensor => tensor.Dims.Aggregate(1L, static (all, extent) => unchecked(all * extent)));

    private static IEnumerable<string> Free(GraphProto body)
    {
        HashSet<string> own = Own(body);
        return body
            .Node.SelectMany(static node => node.Input.Concat(Captured(node)))
            .Concat(body.Output.Select(static port => port.Name))
            .Where(name => !own.Contains(name));
    }

    /// <summary>Names that mean something of the body's own.</summary>
    public static HashSet<string> Own(GraphProto body) =>
        [
            .. body.Input.Select(static port => port.Name),
            .. body.Initializer.Select(static tensor => tensor.Name),
            .. body.SparseInitializer.Select(static tensor => tensor.Values?.Name ?? ""),
            .. body.Node.SelectMany(static node => node.Output),
            "",
        ];

    private static IEnumerable<TensorProto> All(GraphProto? graph) => graph is null ? [] : graph.Initializer.Concat(Tensors(graph));

    private static IEnumerable<TensorProto> Tensors(GraphProto graph) =>
        Parts(graph.SparseInitializer).Concat(graph.Node.SelectMany(Tensors));

    private static IEnumerable<TensorProto> Tensors(NodeProto node) =>
        node
            .Attribute.SelectMany(static a => a.T is null ? a.Tensors : a.Tensors.Prepend(a.T))
            .Concat(
                node.Attribute.SelectMany(static a =>
                    Parts(a.SparseTensor is null ? a.SparseTensors : a.SparseTensors.Prepend(a.SparseTensor))
                )
            )
            .Concat(Bodies(node).SelectMany(All));

    private static IEnumerable<TensorProto> Parts(IEnumerable<SparseTensorProto> tensors) =>
        tensors.SelectMany(static tensor => (TensorProto?[])[tensor.Values, tensor.Indices]).OfType<TensorProto>();
}
