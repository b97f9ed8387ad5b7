using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>
/// A network of other floating-point types computed in float32: float16, bfloat16 and float64 constants, ports and casts become float32.
/// What trains it and what calibrates on images works in float32, whatever the file stores.
/// </summary>
internal static class InFloat32
{
    /// <summary>The network in float32; as it is where it has no other floating-point type.</summary>
    public static Graph Apply(Graph graph)
    {
        bool isOther =
            graph.Inputs.Any(static port => IsOther(port.Type))
            || graph.Outputs.Any(static port => IsOther(port.Type))
            || graph.Initializers.Values.Any(static value => IsOther(value.ElementType))
            || graph.Nodes.Any(static node => Changed(node.Operation) is not null);
        if (!isOther)
            return graph;
        return graph with
        {
            Nodes =
            [
                .. graph.Nodes.Select(static node =>
                    Changed(node.Operation) is { } operation ? node with { Operation = operation, Source = null } : node
                ),
            ],
            Inputs = [.. graph.Inputs.Select(Changed)],
            Outputs = [.. graph.Outputs.Select(Changed)],
            Initializers = graph.Initializers.SetItems(
                graph
                    .Initializers.Where(static pair => IsOther(pair.Value.ElementType))
                    .Select(static pair => KeyValuePair.Create(pair.Key, pair.Value.To(ElementType.Float32)))
            ),
        };
    }

    private static bool IsOther(ElementType type) => type.IsFloating() && type != ElementType.Float32;

    private static Port Changed(Port port) => IsOther(port.Type) ? port with { Type = ElementType.Float32 } : port;

    private static Operation? Changed(Operation operation) =>
        operation switch
        {
            Constant constant when IsOther(constant.Value.ElementType) => new Constant(constant.Value.To(ElementType.Float32)),
            ConstantOfShape made when IsOther(made.Value.ElementType) => new ConstantOfShape(made.Value.To(ElementType.Float32)),
            Cast cast when IsOther(cast.Type) => new Cast(ElementType.Float32),
            _ => null,
        };
}
