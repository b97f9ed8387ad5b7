using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Operations;

namespace Tensorial.Compression.Int8;

/// <summary>
/// A network of float16, bfloat16 or float64 numbers computed in float32 between inputs and outputs of the types that it has: scales of
/// such types came only with operator set 19, and runtimes fuse those of float32.
/// </summary>
internal static class Float32Within
{
    public static Graph Apply(Graph graph)
    {
        Graph wide = InFloat32.Apply(graph);
        if (wide == graph)
            return graph;
        UniqueNames names = UniqueNames.From(graph);
        Dictionary<string, string> inner = [];
        List<Node> before = [],
            after = [];
        foreach ((Port own, Port changed) in graph.Inputs.Zip(wide.Inputs))
            if (own.Type != changed.Type && !graph.Initializers.ContainsKey(own.Name))
            {
                inner[own.Name] = names.Unique($"{own.Name}/float32");
                before.Add(new(names.Unique($"{own.Name}/Cast"), new Cast(ElementType.Float32), [own.Name], [inner[own.Name]]));
            }
        foreach ((Port own, Port changed) in graph.Outputs.Zip(wide.Outputs))
            if (own.Type != changed.Type)
            {
                string value = inner[own.Name] = names.Unique($"{own.Name}/float32");
                after.Add(new(names.Unique($"{own.Name}/Cast"), new Cast(own.Type), [value], [own.Name]));
            }
        return wide with
        {
            Nodes =
            [
                .. before,
                .. wide.Nodes.Select(node =>
                    node with
                    {
                        Inputs = [.. node.Inputs.Select(name => inner.GetValueOrDefault(name, name))],
                        Outputs = [.. node.Outputs.Select(name => inner.GetValueOrDefault(name, name))],
                    }
                ),
                .. after,
            ],
            Inputs = graph.Inputs,
            Outputs = graph.Outputs,
            Source = OnnxSource.WithoutTypes(graph.Source),
        };
    }
}
