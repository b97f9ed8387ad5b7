using System.Collections.Immutable;
using Google.Protobuf.Collections;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx.Proto;
using Tensorial.Operations;

namespace Tensorial.Onnx;

/// <summary>From a graph to the file format's records.</summary>
internal sealed class OnnxWriter
{
    /// <summary>Protocol buffers count bytes in 31 bits.</summary>
    public const int LargestFile = int.MaxValue;

    /// <summary>Operator set and IR version of networks that come from no file.</summary>
    private const int OwnOpset = 17,
        OwnIrVersion = 8;

    private const int OpsetWithEinsum = 12;

    /// <summary>From this IR version on initializers need not be inputs as well.</summary>
    private const int IrWithFreeInitializers = 4;

    private readonly Graph _graph;
    private readonly OnnxSource? _source;
    private readonly ModelProto _model;
    private readonly int _opset;
    private readonly Dictionary<string, Tensor> _made = [];
    private readonly Lazy<IReadOnlyDictionary<string, ValueInfo>> _known;
    private readonly Lazy<HashSet<string>> _taken;

    private OnnxWriter(Graph graph)
    {
        _source = graph.Source as OnnxSource;
        _model =
            _source?.Model.Clone()
            ?? new()
            {
                IrVersion = OwnIrVersion,
                ProducerName = "tensorial",
                OpsetImport =
                {
                    new OperatorSetIdProto { Domain = "", Version = OwnOpset },
                },
                Graph = new(),
            };
        _opset = (int)(_model.OpsetImport.FirstOrDefault(static o => o.Domain is "" or "ai.onnx")?.Version ?? OwnOpset);
        _graph = InStandardOperators(graph, _opset);
        _known = new(() => ShapeInference.Explore(_graph).Operands);
        _taken = new(() =>
            [
                .. _graph.Initializers.Keys,
                .. _graph.Inputs.Select(static port => port.Name),
                .. _graph.Nodes.SelectMany(static node => node.Outputs),
                .. _model.Graph.Initializer.Select(static tensor => tensor.Name),
            ]
        );
    }

    /// <summary>Equations that the operator set has no word for become the steps of their plans.</summary>
    /// <exception cref="UnsupportedException">One of them cannot; names the node.</exception>
    private static Graph InStandardOperators(Graph graph, int opset)
    {
        bool hasEinsum = opset >= OpsetWithEinsum;
        if (!graph.Nodes.Any(IsUnknown))
            return graph;
        Graph written = ExpandEquations.ToStandardOperators(graph, ShapeInference.Explore(graph).Operands, hasEinsum);
        return written.Nodes.FirstOrDefault(IsUnknown) is { } left
            ? throw new UnsupportedException(
                $"Node '{left.Label}' is the equation {((EinsumOf)left.Operation).Equation}, which no operators of set {opset} express."
            )
            : written;

        bool IsUnknown(Node node) => node.Operation is EinsumOf einsum && !(hasEinsum && einsum.Equation.IsPlain);
    }

    /// <summary>
    /// The model as it was read, with the graph's nodes, constants, ports and metadata in place of its own. Nodes and constants that did
    /// not change keep every field they had, those we have no word for included.
    /// </summary>
    public static OnnxModel Write(Graph graph) => new OnnxWriter(graph).Write();

    private OnnxModel Write()
    {
        GraphProto written = _model.Graph;
        HashSet<string> before =
        [
            .. written.Node.SelectMany(static node => node.Output),
            .. written.Initializer.Select(static t => t.Name),
        ];
        if (written.Name != _graph.Name)
            written.Name = _graph.Name;
        Replace(written.Node, [.. _graph.Nodes.Select(NodeOf)]);
        (TensorProto Proto, Tensor? Values)[] initializers = [.. Initializers(written)];
        Replace(written.Initializer, [.. initializers.Select(static i => i.Proto)]);

        HashSet<string> after = [.. written.Node.SelectMany(static node => node.Output), .. written.Initializer.Select(static t => t.Name)];
        // What the file says of shapes in between holds for inputs as they were.
        bool areInputsAsRead = _graph.Inputs.All(port =>
            written.Input.FirstOrDefault(proto => proto.Name == port.Name) is not { } proto || Same(OnnxReader.Port(proto), port)
        );
        Replace(
            written.ValueInfo,
            [.. written.ValueInfo.Where(value => areInputsAsRead && (after.Contains(value.Name) || !before.Contains(value.Name)))]
        );
        Replace(
            written.Input,
            [
                .. Ports(written.Input, _graph.Inputs.Where(port => after.Contains(port.Name) || !before.Contains(port.Name))),
                .. InitializersAsInputs(),
            ]
        );
        Replace(written.Output, [.. Ports(written.Output, _graph.Outputs)]);
        Metadata();
        return new(
            _model,
            [.. initializers.Where(static i => i.Values is not null).Select(static i => (i.Proto, i.Values!))],
            _source?.Model.Graph.Initializer.Any(OnnxTensors.IsExternal) ?? false
        );
    }

    private NodeProto NodeOf(Node node)
    {
        NodeSource? source = node.Source as NodeSource;
        NodeProto proto = source?.Proto.Clone() ?? new();
        if (node.Name != proto.Name)
            proto.Name = node.Name;
        IEnumerable<string> inputs = node.Inputs;
        if (source is null || source.Operation != node.Operation)
            inputs = Encode(node, proto);
        else if (node.Operation is Branching branching)
            inputs = Own(node, branching, proto);
        ImmutableArray<string> given = [.. inputs];
        bool isAsRead =
            source?.Operation == node.Operation
            && OnnxReader.Present(proto.Input).SequenceEqual(OnnxReader.Present(given))
            && OnnxReader.Present(proto.Output).SequenceEqual(OnnxReader.Present(node.Outputs));
        Name(proto.Input, given);
        Name(proto.Output, node.Outputs);
        // A node that stands as the file had it is the file's own affair.
        if (!isAsRead)
            Check(node, proto);
        return proto;
    }

    private void Check(Node node, NodeProto proto)
    {
        try
        {
            OnnxLaw.Check(
                proto,
                _opset,
                name => _made.TryGetValue(name, out Tensor? made) ? made.ElementType : _known.Value.GetValueOrDefault(name)?.Type
            );
        }
        catch (UnsupportedException error)
        {
            throw new UnsupportedException($"Node '{node.Label}' cannot be written: {error.Message}");
        }
    }

    /// <summary>What a node with bodies reads itself; what its bodies read goes by its new name inside them.</summary>
    private static IEnumerable<string> Own(Node node, Branching branching, NodeProto proto)
    {
        Dictionary<string, string> renamed = [];
        foreach ((string former, string name) in Subgraphs.Captured(proto).Zip(node.Inputs.Skip(branching.OwnInputs)))
            if (former != name)
                renamed[former] = name;
        if (renamed.Count > 0)
            Subgraphs.Rename(proto, renamed);
        return node.Inputs.Take(branching.OwnInputs);
    }

    /// <summary>Absent names at the end stay where the file had them: it is to be written as it was read.</summary>
    private static void Name(RepeatedField<string> field, ImmutableArray<string> names)
    {
        if (!OnnxReader.Present(field).SequenceEqual(OnnxReader.Present(names)))
            Replace(field, OnnxReader.Present(names).AsSpan());
    }

    /// <summary>
    /// Writes a node of ours, and gives its inputs: what the operator set takes as constant inputs follows the node's own.
    /// </summary>
    private IEnumerable<string> Encode(Node node, NodeProto proto)
    {
        ElementType type =
            node.Inputs is [{ Length: > 0 } first, ..] && _known.Value.TryGetValue(first, out ValueInfo? operand)
                ? operand.Type
                : ElementType.Float32;
        OnnxForm form;
        try
        {
            form = OnnxOperators.Write(node.Operation, _opset, type);
        }
        catch (UnsupportedException error)
        {
            throw new UnsupportedException($"Node '{node.Label}' cannot be written: {error.Message}");
        }
        proto.ClearDomain();
        proto.OpType = form.Type;
        Replace(proto.Attribute, [.. form.Attributes.Select(static a => OnnxAttributeForm.Of(a.Key, a.Value))]);
        if (form.Inputs.IsEmpty && OnnxLaw.MissingInput(form.Type, _opset, node.Inputs.Length, type) is { } missing)
            form = form with { Inputs = [missing] };
        return node.Inputs.Concat(
            form.Inputs.Select((value, index) => value is null ? "" : Made($"{node.Label}/constant {node.Inputs.Length + index}", value))
        );
    }

    /// <summary>Stores a constant under the name, or under the next one that is free.</summary>
    private string Made(string name, Tensor value)
    {
        string unique = name;
        for (int k = 2; !_taken.Value.Add(unique); k++)
            unique = $"{name}.{k}";
        _made.Add(unique, value);
        return unique;
    }

    /// <summary>
    /// The file's order first, then what is new, so that a changed weight stays where it was. Values are null where the record has its own.
    /// </summary>
    private IEnumerable<(TensorProto Proto, Tensor? Values)> Initializers(GraphProto written)
    {
        HashSet<string> done = [];
        foreach (TensorProto former in written.Initializer)
        {
            done.Add(former.Name);
            Tensor? read = _source?.Tensors.GetValueOrDefault(former.Name);
            if (read is null)
                yield return (former, _source?.Opaque.GetValueOrDefault(former.Name));
            else if (!_graph.Initializers.TryGetValue(former.Name, out Tensor? value))
                continue;
            else if (value != read)
                yield return (OnnxTensors.Header(former, value), value);
            else
                yield return (former, _source!.Detached.Contains(former.Name) ? value : null);
        }
        foreach (
            (string name, Tensor value) in _graph
                .Initializers.Concat(_made)
                .Where(i => !done.Contains(i.Key))
                .OrderBy(static i => i.Key, StringComparer.Ordinal)
        )
            yield return (OnnxTensors.Header(new() { Name = name }, value), value);
    }

    /// <summary>Ports that the file had keep what else it said of them; others are written as we know them.</summary>
    private static IEnumerable<ValueInfoProto> Ports(IEnumerable<ValueInfoProto> former, IEnumerable<Port> ports)
    {
        Dictionary<string, ValueInfoProto> known = former.DistinctBy(static v => v.Name).ToDictionary(static v => v.Name);
        return ports.Select(port =>
            known.TryGetValue(port.Name, out ValueInfoProto? proto) && Same(OnnxReader.Port(proto), port) ? proto : ValueInfo(port)
        );
    }

    private static bool Same(Port one, Port other) =>
        one.Type == other.Type
        && (one.Dimensions is { } dimensions ? other.Dimensions?.SequenceEqual(dimensions) ?? false : other.Dimensions is null);

    /// <summary>Old files must list every initializer among the inputs.</summary>
    private IEnumerable<ValueInfoProto> InitializersAsInputs() =>
        _model.IrVersion >= IrWithFreeInitializers
            ? []
            : from initializer in _graph.Initializers.Concat(_made)
            where !_graph.Inputs.Any(port => port.Name == initializer.Key)
            orderby initializer.Key
            select ValueInfo(
                new(
                    initializer.Key,
                    initializer.Value.ElementType,
                    [.. initializer.Value.Shape.Select(static extent => new Dimension(extent))]
                )
            );

    private static ValueInfoProto ValueInfo(Port port)
    {
        TypeProto.Types.Tensor tensor = new() { ElemType = OnnxTensors.DataTypeOf(port.Type) };
        if (port.Dimensions is { } dimensions)
        {
            tensor.Shape = new();
            foreach (Dimension dimension in dimensions)
            {
                TensorShapeProto.Types.Dimension made = new();
                if (dimension.Extent is { } extent)
                    made.DimValue = extent;
                else if (dimension.Name is { } name)
                    made.DimParam = name;
                tensor.Shape.Dim.Add(made);
            }
        }
        return new()
        {
            Name = port.Name,
            Type = new() { TensorType = tensor },
        };
    }

    /// <summary>Entries that were there keep their place.</summary>
    private void Metadata()
    {
        ImmutableHashSet<string> former = [.. _model.MetadataProps.Select(static p => p.Key)];
        Replace(_model.MetadataProps, [.. _model.MetadataProps.Where(p => _graph.Metadata.ContainsKey(p.Key))]);
        foreach (StringStringEntryProto entry in _model.MetadataProps)
            if (entry.Value != _graph.Metadata[entry.Key])
                entry.Value = _graph.Metadata[entry.Key];
        _model.MetadataProps.AddRange(
            _graph
                .Metadata.Where(m => !former.Contains(m.Key))
                .Select(static m => new StringStringEntryProto { Key = m.Key, Value = m.Value })
        );
    }

    private static void Replace<T>(RepeatedField<T> field, ReadOnlySpan<T> values)
    {
        field.Clear();
        field.AddRange(values.ToArray());
    }
}
