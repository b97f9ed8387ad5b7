using System.Collections.Immutable;
using Tensorial.Autodiff;
using Tensorial.Networks;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>From the file format's records to a graph.</summary>
internal static class OnnxReader
{
    public static Graph Read(ModelProto model)
    {
        if (model.Graph is not { } graph) throw new BadInputException("The file holds no graph: it is no ONNX model.");
        Dictionary<string, int> opsets = model.OpsetImport.ToDictionary(static o => o.Domain is "ai.onnx" ? "" : o.Domain, static o => (int)o.Version);
        ImmutableDictionary<string, Tensor>.Builder initializers = ImmutableDictionary.CreateBuilder<string, Tensor>();
        foreach (TensorProto tensor in graph.Initializer) initializers[tensor.Name] = OnnxTensors.Read(tensor);
        return new(
            graph.Name,
            [.. graph.Node.Select(node => Node(node, opsets))],
            [.. graph.Input.Select(Port)],
            [.. graph.Output.Select(Port)],
            initializers.ToImmutable())
        {
            Metadata = model.MetadataProps.ToImmutableSortedDictionary(static p => p.Key, static p => p.Value),
            Source = model,
        };
    }

    private static Node Node(NodeProto proto, Dictionary<string, int> opsets)
    {
        OnnxAttributes attributes = new(proto.Attribute.Select(static a => KeyValuePair.Create(a.Name, Value(a))));
        string domain = proto.Domain is "ai.onnx" ? "" : proto.Domain;
        Operation operation = OnnxOperators.Bind(domain, proto.OpType, opsets.GetValueOrDefault(domain), attributes, proto.Output.Count);
        return new(proto.Name, operation, [.. proto.Input], [.. proto.Output]) { Source = proto };
    }

    private static object Value(AttributeProto attribute) => attribute.Type switch
    {
        AttributeProto.Types.AttributeType.Float => attribute.F,
        AttributeProto.Types.AttributeType.Int => attribute.I,
        AttributeProto.Types.AttributeType.String => attribute.S.ToStringUtf8(),
        AttributeProto.Types.AttributeType.Tensor => OnnxTensors.Read(attribute.T),
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
