using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Onnx.Proto;
using Tensorial.Operations;
using AttributeType = Tensorial.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace Tensorial.Onnx;

/// <summary>From the file format's records to a graph. The records become the graph's source: see <see cref="OnnxSource"/>.</summary>
internal static class OnnxReader
{
    public static Graph Read(ModelProto model, ExternalData external)
    {
        if (model.Graph is not { } graph)
            throw new BadInputException("there is no graph in it: it is no ONNX model.");
        Dictionary<string, int> opsets = Opsets(model);
        Inline(Subgraphs.Tensors(model), external);
        OnnxInlining.Apply(model);
        (OnnxSource source, ImmutableDictionary<string, Tensor> initializers) = Initializers(model, external);
        return TopologicalOrder.Sort(
            new(
                graph.Name,
                [.. graph.Node.Select(node => Node(node, opsets, external))],
                [.. graph.Input.Select(Port)],
                [.. graph.Output.Select(Port)],
                initializers
            )
            {
                Metadata = model
                    .MetadataProps.DistinctBy(static p => p.Key)
                    .ToImmutableSortedDictionary(static p => p.Key, static p => p.Value, StringComparer.Ordinal),
                Source = source,
            },
            [.. graph.Initializer.Select(static t => t.Name), .. graph.SparseInitializer.Select(static t => t.Values?.Name ?? "")]
        );
    }

    public static Port Port(ValueInfoProto info)
    {
        TypeProto.Types.Tensor? tensor = info.Type?.TensorType;
        ElementType type = tensor is null ? ElementType.Float32 : OnnxTensors.TypeOf(tensor.ElemType) ?? ElementType.Float32;
        return new(info.Name, type, tensor?.Shape is { } shape ? [.. shape.Dim.Select(Dimension)] : null);
    }

    /// <summary>The operator set of each domain.</summary>
    private static Dictionary<string, int> Opsets(ModelProto model)
    {
        Dictionary<string, int> opsets = [];
        foreach (OperatorSetIdProto import in model.OpsetImport)
            opsets[Standard(import.Domain)] = (int)Math.Clamp(import.Version, int.MinValue, int.MaxValue);
        if (!opsets.TryGetValue("", out int opset))
        {
            if (model.Graph.Node.Any(static node => Standard(node.Domain).Length == 0))
                throw new BadInputException("it does not say which version of the ONNX operator set it uses.");
        }
        else if (opset is < OnnxOperators.OldestOpset or > OnnxOperators.NewestOpset)
        {
            throw new UnsupportedException(
                $"it uses version {opset} of the ONNX operator set; versions {OnnxOperators.OldestOpset} to {OnnxOperators.NewestOpset} are supported. "
                    + "Export it again for one of these, or convert it (onnx.version_converter.convert_version in Python)."
            );
        }
        return opsets;
    }

    /// <summary>Brings tensors that lie in other files into their records, where nothing but writing will need them.</summary>
    private static void Inline(IEnumerable<TensorProto> tensors, ExternalData external)
    {
        foreach (TensorProto tensor in tensors.Where(OnnxTensors.IsExternal))
        {
            tensor.RawData = TensorBytes.View(external.ReadBytes(tensor));
            tensor.ExternalData.Clear();
            tensor.ClearDataLocation();
        }
    }

    private static (OnnxSource Source, ImmutableDictionary<string, Tensor> Initializers) Initializers(
        ModelProto model,
        ExternalData external
    )
    {
        ImmutableDictionary<string, Tensor>.Builder initializers = ImmutableDictionary.CreateBuilder<string, Tensor>();
        HashSet<string> names = [],
            detached = [];
        Dictionary<string, Tensor> opaque = [];
        foreach (TensorProto tensor in model.Graph.Initializer)
        {
            if (tensor.Name.Length == 0)
                throw new BadInputException("one of its initializers has no name.");
            if (!names.Add(tensor.Name))
                throw new BadInputException($"two of its initializers are called '{tensor.Name}'.");
            // Text and other types without arithmetic stay in the file's own records; a node that reads them says so when it runs.
            if (OnnxTensors.TypeOf(tensor.DataType) is not null)
                initializers.Add(tensor.Name, OnnxTensors.Read(tensor, external));
            else if (OnnxTensors.IsExternal(tensor))
                opaque.Add(tensor.Name, external.ReadBytes(tensor));
            else
                continue;
            if (OnnxTensors.Detach(tensor))
                detached.Add(tensor.Name);
        }
        ImmutableDictionary<string, Tensor> read = initializers.ToImmutable();
        return (new(model, read, detached, opaque), read);
    }

    private static Node Node(NodeProto proto, Dictionary<string, int> opsets, ExternalData external)
    {
        ImmutableArray<string> captured = [.. Subgraphs.Captured(proto)],
            inputs = Present(proto.Input),
            outputs = Present(proto.Output);
        Operation operation = Operation(proto, inputs, outputs, captured, opsets, external);
        if (operation is Branching branching)
        {
            int own = branching.OwnInputs;
            if (inputs.Length > own)
                throw new BadInputException(
                    $"node '{LabelOf(proto)}' ({proto.OpType}): it has {inputs.Length} inputs, its body takes {own}."
                );
            inputs = [.. inputs, .. Enumerable.Repeat("", own - inputs.Length), .. captured];
            captured = [];
        }
        return new(proto.Name, operation, inputs, outputs) { Captured = captured, Source = new NodeSource(proto, operation) };
    }

    /// <summary>Names up to the last that is there: absent ones at the end say nothing.</summary>
    public static ImmutableArray<string> Present(IReadOnlyList<string> names)
    {
        int count = names.Count;
        while (count > 0 && names[count - 1].Length == 0)
            count--;
        return [.. names.Take(count)];
    }

    private static Operation Operation(
        NodeProto proto,
        ImmutableArray<string> inputs,
        ImmutableArray<string> outputs,
        ImmutableArray<string> captured,
        Dictionary<string, int> opsets,
        ExternalData external
    )
    {
        string domain = Standard(proto.Domain);
        try
        {
            if (domain.Length == 0)
                OnnxArity.Check(proto.OpType, opsets.GetValueOrDefault(domain), inputs.AsSpan(), outputs.AsSpan());
            if (proto.Attribute.CountBy(static a => a.Name).FirstOrDefault(static count => count.Value > 1) is { Key: { } twice })
                throw new BadInputException($"it has the attribute '{twice}' twice.");
            OnnxAttributes attributes = new(
                proto.Attribute.Select(a =>
                    KeyValuePair.Create(a.Name, IsBody(a) ? Body(a.G, captured, opsets, external) : Value(a, external))
                )
            );
            Operation bound = OnnxOperators.Bind(domain, proto.OpType, opsets.GetValueOrDefault(domain), attributes, outputs.Length);
            return bound is Unknown unknown ? unknown with { Held = Subgraphs.ParametersOf(proto) } : bound;
        }
        catch (UnsupportedException unsupported)
        {
            return new Unknown(domain, proto.OpType, unsupported.Message) { Held = Subgraphs.ParametersOf(proto) };
        }
        catch (BadInputException error)
        {
            throw new BadInputException($"node '{LabelOf(proto)}' ({proto.OpType}): {error.Message}", error);
        }
    }

    /// <summary>Graphs of other names belong to operators that we do not have: each takes all that the node captures.</summary>
    private static bool IsBody(AttributeProto attribute) => attribute is { G: not null, Name: "then_branch" or "else_branch" or "body" };

    private static string LabelOf(NodeProto proto) =>
        proto.Name.Length > 0 ? proto.Name : proto.Output.FirstOrDefault(static o => o.Length > 0) ?? "";

    /// <summary>A graph inside a node; what the node captures follows the graph's own inputs.</summary>
    private static OnnxBody Body(GraphProto graph, ImmutableArray<string> captured, Dictionary<string, int> opsets, ExternalData external)
    {
        HashSet<string> opaque = [],
            own = [.. graph.Input.Select(static port => port.Name), .. graph.Node.SelectMany(static node => node.Output)];
        ImmutableDictionary<string, Tensor>.Builder initializers = ImmutableDictionary.CreateBuilder<string, Tensor>();
        foreach (TensorProto tensor in graph.Initializer)
        {
            own.Add(tensor.Name);
            if (OnnxTensors.TypeOf(tensor.DataType) is null)
                opaque.Add(tensor.Name);
            else if (!initializers.TryAdd(tensor.Name, OnnxTensors.Read(tensor, external)))
                throw new BadInputException($"two initializers of a body are called '{tensor.Name}'.");
        }
        opaque.UnionWith(graph.SparseInitializer.Select(static t => t.Values?.Name ?? ""));
        Port[] ports = [.. graph.Input.Where(port => !initializers.ContainsKey(port.Name)).Select(Port)];
        Graph body = new(
            graph.Name,
            [.. graph.Node.Select(node => Node(node, opsets, external))],
            [
                .. ports,
                // A name that means something else in here is taken by another body of the node.
                .. captured.Select(name => new Port(own.Contains(name) ? $"\0{name}" : name, ElementType.Float32, null)),
            ],
            [.. graph.Output.Select(Port)],
            initializers.ToImmutable()
        );
        return new(TopologicalOrder.Sort(body, opaque), ports.Length);
    }

    /// <summary>The standard domain has two names.</summary>
    private static string Standard(string domain) => domain is "ai.onnx" ? "" : domain;

    private static object Value(AttributeProto attribute, ExternalData external) =>
        TypeOf(attribute) switch
        {
            AttributeType.Float => attribute.F,
            AttributeType.Int => attribute.I,
            AttributeType.String => attribute.S.ToStringUtf8(),
            AttributeType.Tensor => OnnxTensors.Read(
                attribute.T ?? throw new BadInputException($"its attribute '{attribute.Name}' says tensor and holds none."),
                external
            ),
            AttributeType.Floats => attribute.Floats.ToImmutableArray(),
            AttributeType.Ints => attribute.Ints.ToImmutableArray(),
            AttributeType.Strings => attribute.Strings.Select(static s => s.ToStringUtf8()).ToImmutableArray(),
            _ => attribute,
        };

    /// <summary>What an attribute is. The oldest files do not say, and have just the one field.</summary>
    private static AttributeType TypeOf(AttributeProto attribute) =>
        attribute switch
        {
            { Type: not AttributeType.Undefined } => attribute.Type,
            { HasF: true } => AttributeType.Float,
            { HasI: true } => AttributeType.Int,
            { HasS: true } => AttributeType.String,
            { T: not null } => AttributeType.Tensor,
            { Floats.Count: > 0 } => AttributeType.Floats,
            { Ints.Count: > 0 } => AttributeType.Ints,
            { Strings.Count: > 0 } => AttributeType.Strings,
            _ => AttributeType.Undefined,
        };

    private static Dimension Dimension(TensorShapeProto.Types.Dimension dimension) =>
        dimension.ValueCase switch
        {
            TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue when dimension.DimValue is > 0 and <= int.MaxValue => new(
                (int)dimension.DimValue
            ),
            TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam => new(null, dimension.DimParam),
            _ => new(null),
        };
}
