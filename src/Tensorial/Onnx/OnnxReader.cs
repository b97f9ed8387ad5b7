using System.Collections.Immutable;
using Tensorial.Autodiff;
using Tensorial.Networks;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>From the file format's records to a graph.</summary>
internal static class OnnxReader
{
    public static Graph Read(ModelProto model, ExternalData? external = null)
    {
        if (model.Graph is not { } graph) throw new BadInputException("The file holds no graph: it is no ONNX model.");
        Dictionary<string, int> opsets = [];
        foreach (OperatorSetIdProto import in model.OpsetImport) opsets[Standard(import.Domain)] = (int)Math.Clamp(import.Version, 0, int.MaxValue);
        if (opsets.Count == 0) throw new BadInputException("The model does not say which version of the ONNX operator set it uses.");
        ImmutableDictionary<string, Tensor>.Builder initializers = ImmutableDictionary.CreateBuilder<string, Tensor>();
        foreach (TensorProto tensor in graph.Initializer)
        {
            if (tensor.Name.Length == 0) throw new BadInputException("An initializer has no name.");
            // Text and other types without arithmetic stay in the file's own records; a node that reads them says so when it runs.
            if (OnnxTensors.TypeOf(tensor.DataType) is null) continue;
            if (!initializers.TryAdd(tensor.Name, OnnxTensors.Read(tensor, external))) throw new BadInputException($"Two initializers are called '{tensor.Name}'.");
        }
        return GraphLaws.Ordered(new(
            graph.Name,
            [.. graph.Node.Select(node => Node(node, opsets, external))],
            [.. graph.Input.Select(Port)],
            [.. graph.Output.Select(Port)],
            initializers.ToImmutable())
        {
            Metadata = model.MetadataProps.ToImmutableSortedDictionary(static p => p.Key, static p => p.Value),
            Source = new OnnxSource(model, initializers.ToImmutable()),
        }, graph.Initializer.Select(static t => t.Name).Concat(graph.SparseInitializer.Select(static t => t.Values?.Name ?? "")));
    }

    private static Node Node(NodeProto proto, Dictionary<string, int> opsets, ExternalData? external)
    {
        OnnxAttributes attributes = new(proto.Attribute.Select(a => KeyValuePair.Create(a.Name, Value(a, external))));
        string domain = Standard(proto.Domain);
        Operation operation;
        try
        {
            operation = OnnxOperators.Bind(domain, proto.OpType, opsets.GetValueOrDefault(domain), attributes, proto.Output.Count);
        }
        catch (BadInputException error)
        {
            throw new BadInputException($"Node '{(proto.Name.Length > 0 ? proto.Name : proto.Output.FirstOrDefault())}' ({proto.OpType}): {error.Message}", error);
        }
        return new(proto.Name, operation, [.. proto.Input], [.. proto.Output]) { Source = proto };
    }

    /// <summary>The standard domain has two names.</summary>
    private static string Standard(string domain) => domain is "ai.onnx" ? "" : domain;

    private static object Value(AttributeProto attribute, ExternalData? external) => attribute.Type switch
    {
        AttributeProto.Types.AttributeType.Float => attribute.F,
        AttributeProto.Types.AttributeType.Int => attribute.I,
        AttributeProto.Types.AttributeType.String => attribute.S.ToStringUtf8(),
        AttributeProto.Types.AttributeType.Tensor => OnnxTensors.Read(attribute.T, external),
        AttributeProto.Types.AttributeType.Floats => attribute.Floats.ToImmutableArray(),
        AttributeProto.Types.AttributeType.Ints => attribute.Ints.ToImmutableArray(),
        AttributeProto.Types.AttributeType.Strings => attribute.Strings.Select(static s => s.ToStringUtf8()).ToImmutableArray(),
        _ => attribute,
    };

    private static Port Port(ValueInfoProto info)
    {
        TypeProto.Types.Tensor? tensor = info.Type?.TensorType;
        ElementType type = tensor is null ? ElementType.Float32 : OnnxTensors.TypeOf(tensor.ElemType) ?? ElementType.Float32;
        return new(info.Name, type, tensor?.Shape is { } shape ? [.. shape.Dim.Select(Dimension)] : null);
    }

    private static Dimension Dimension(TensorShapeProto.Types.Dimension dimension) => dimension.ValueCase switch
    {
        TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue when dimension.DimValue is > 0 and <= int.MaxValue => new((int)dimension.DimValue),
        TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam => new(null, dimension.DimParam),
        _ => new(null),
    };
}
