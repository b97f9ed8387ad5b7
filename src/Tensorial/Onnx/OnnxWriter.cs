using Tensorial.Networks;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>The file a network was read from, and the tensors that were read: what did not change is written as it stood.</summary>
internal sealed record OnnxSource(ModelProto Model, IReadOnlyDictionary<string, Tensor> Tensors);

/// <summary>From a graph to the file format's records.</summary>
internal static class OnnxWriter
{
    /// <summary>
    /// The model as it was read, with the graph's nodes, constants, ports and metadata in place of its own. Nodes and constants that did
    /// not change keep every field they had, those we have no word for included.
    /// </summary>
    public static ModelProto Write(Graph graph)
    {
        OnnxSource? source = graph.Source as OnnxSource;
        ModelProto model = source?.Model.Clone() ?? NewModel();
        GraphProto written = model.Graph ??= new();
        written.Name = graph.Name;
        int opset = (int)(model.OpsetImport.FirstOrDefault(static o => o.Domain is "" or "ai.onnx")?.Version ?? NewestOpset);

        written.Node.Clear();
        written.Node.AddRange(graph.Nodes.Select(node => Node(node, opset)));

        Dictionary<string, TensorProto> stored = written.Initializer.ToDictionary(static t => t.Name);
        List<TensorProto> initializers = [];
        // The file's order first, then what is new, so that a changed weight stays where it was.
        foreach (string name in stored.Keys.Where(graph.Initializers.ContainsKey).Concat(graph.Initializers.Keys.Except(stored.Keys).Order(StringComparer.Ordinal)))
        {
            Tensor value = graph.Initializers[name];
            // Values that lay in another file come in: the new model may be written to another folder.
            bool unchanged = source?.Tensors.GetValueOrDefault(name) == value
                && stored.TryGetValue(name, out TensorProto? former) && former.DataLocation != TensorProto.Types.DataLocation.External;
            initializers.Add(unchanged ? stored[name] : OnnxTensors.Write(name, value));
        }
        initializers.AddRange(stored.Values.Where(t => source is not null && !source.Tensors.ContainsKey(t.Name)));
        written.Initializer.Clear();
        written.Initializer.AddRange(initializers);

        Ports(written.Input, graph.Inputs);
        Ports(written.Output, graph.Outputs);
        model.MetadataProps.Clear();
        model.MetadataProps.AddRange(graph.Metadata.Select(static m => new StringStringEntryProto { Key = m.Key, Value = m.Value }));
        return model;
    }

    private const int NewestOpset = 17;

    private static ModelProto NewModel() => new()
    {
        IrVersion = 8,
        ProducerName = "tensorial",
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = NewestOpset } },
    };

    private static NodeProto Node(Node node, int opset)
    {
        NodeProto proto = (node.Source as NodeProto)?.Clone() ?? throw new UnsupportedException($"Node '{node.Label}' ({node.Operation.Name}, operator set {opset}) was not read from a file and has no ONNX form.");
        if (node.Name.Length > 0 || proto.HasName) proto.Name = node.Name;
        proto.Input.Clear();
        proto.Input.AddRange(node.Inputs);
        proto.Output.Clear();
        proto.Output.AddRange(node.Outputs);
        return proto;
    }

    /// <summary>Ports that the file had keep what else it said of them; others are written as we know them.</summary>
    private static void Ports(Google.Protobuf.Collections.RepeatedField<ValueInfoProto> written, IEnumerable<Port> ports)
    {
        Dictionary<string, ValueInfoProto> known = written.ToDictionary(static v => v.Name);
        ValueInfoProto[] result = [.. ports.Select(port => known.GetValueOrDefault(port.Name) ?? ValueInfo(port))];
        written.Clear();
        written.AddRange(result);
    }

    private static ValueInfoProto ValueInfo(Port port)
    {
        TypeProto.Types.Tensor tensor = new() { ElemType = OnnxTensors.DataTypeOf(port.Type) };
        if (port.Dimensions is { } dimensions)
        {
            tensor.Shape = new();
            foreach (Dimension dimension in dimensions)
            {
                TensorShapeProto.Types.Dimension made = new();
                if (dimension.Extent is { } extent) made.DimValue = extent;
                else if (dimension.Name is { } name) made.DimParam = name;
                tensor.Shape.Dim.Add(made);
            }
        }
        return new() { Name = port.Name, Type = new() { TensorType = tensor } };
    }
}
