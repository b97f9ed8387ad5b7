using Tensorial.Graphs;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>
/// What stands in a file for other nodes gives way to them when it is read: calls of the file's own functions, branches whose condition is
/// a constant, joined operators of ONNX Runtime that the standard says in several, and experiments that it took back.
/// </summary>
internal static class OnnxInlining
{
    /// <summary>More nodes than any network has; functions that call functions could else make as many as they like.</summary>
    private const int MostNodes = 1 << 20;

    private const int Deepest = 64;

    /// <summary>Bytes that functions may stand for beside those of the file: each call brings along the constants in its body.</summary>
    private const long MostBytes = 1L << 26;

    /// <exception cref="BadInputException">A function calls itself, or too many nodes come out.</exception>
    public static void Apply(ModelProto model) => new Run(model).Apply();

    private sealed class Run
    {
        private readonly ModelProto _model;
        private readonly Dictionary<(string Domain, string Name), FunctionProto> _functions = [];
        private readonly Dictionary<string, long> _opsets = [];
        private readonly NameSource _names;
        private readonly HashSet<FunctionProto> _kept = new(ReferenceEqualityComparer.Instance),
            _inlined = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<FunctionProto, long> _sizes = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<string, TensorProto> _flags = [];
        private readonly HashSet<string> _inputs;
        private int _nodes;
        private long _bytes;

        public Run(ModelProto model)
        {
            _model = model;
            _inputs = [.. model.Graph.Input.Select(static port => port.Name)];
            foreach (TensorProto tensor in model.Graph.Initializer.Where(IsFlag))
                _flags.TryAdd(tensor.Name, tensor);
            foreach (NodeProto node in model.Graph.Node.Where(static node => node is { OpType: "Constant", Output.Count: 1 }))
                if (node.Attribute.FirstOrDefault(static a => a.Name == "value")?.T is { } value && IsFlag(value))
                    _flags.TryAdd(node.Output[0], value);
            foreach (OperatorSetIdProto import in model.OpsetImport)
                _opsets[Standard(import.Domain)] = import.Version;
            foreach (FunctionProto function in model.Functions)
                _functions.TryAdd((Standard(function.Domain), function.Name), function);
            _names = new(model.Graph);
        }

        public void Apply()
        {
            Expand(_model.Graph, _model.Graph, 0);
            // A function that must stay may call any other.
            for (int i = _model.Functions.Count - 1; i >= 0 && _kept.Count == 0; i--)
                if (_inlined.Contains(_model.Functions[i]))
                    _model.Functions.RemoveAt(i);
        }

        /// <summary>Expands all nodes of a graph, and of the bodies inside them.</summary>
        private void Expand(GraphProto graph, GraphProto constants, int depth)
        {
            if (!graph.Node.Any(NeedsExpansion))
                return;
            List<NodeProto> nodes = [];
            foreach (NodeProto node in graph.Node)
                Expand(node, graph, nodes, depth);
            graph.Node.Clear();
            graph.Node.AddRange(nodes);
        }

        private bool NeedsExpansion(NodeProto node) =>
            FunctionOf(node) is not null
            || node.OpType == "If"
            || node.Domain == JoinedOperators.Domain
            || ExperimentalOperators.Has(node)
            || Subgraphs.Bodies(node).Any();

        private FunctionProto? FunctionOf(NodeProto node) => _functions.GetValueOrDefault((Standard(node.Domain), node.OpType));

        private void Expand(NodeProto node, GraphProto graph, List<NodeProto> into, int depth)
        {
            if (depth > Deepest)
                throw new BadInputException($"node '{node.Name}' ({node.OpType}): functions call each other without end.");
            if (++_nodes > MostNodes)
                throw new BadInputException($"its functions stand for more than {MostNodes:N0} nodes.");
            IReadOnlyList<NodeProto>? parts =
                FunctionOf(node) is { } function ? Body(node, function)
                : Taken(node, graph) is { } branch ? Body(node, branch, graph)
                : JoinedOperators.Parts(node, graph, _opsets.GetValueOrDefault(""), _names)
                    ?? ExperimentalOperators.Parts(node, graph, _opsets.GetValueOrDefault(""), _names);
            if (parts is null)
            {
                foreach (GraphProto body in Subgraphs.Bodies(node))
                    Expand(body, graph, depth + 1);
                into.Add(node);
                return;
            }
            foreach (NodeProto part in parts)
                Expand(part, graph, into, depth + 1);
        }

        /// <summary>The nodes of a function with the call's values and attributes put in; null where its operator sets are others.</summary>
        private List<NodeProto>? Body(NodeProto call, FunctionProto function)
        {
            if (!Agrees(function))
            {
                _kept.Add(function);
                return null;
            }
            _inlined.Add(function);
            if (!_sizes.TryGetValue(function, out long size))
                _sizes[function] = size = function.CalculateSize();
            if ((_bytes += size) > MostBytes)
                throw new BadInputException($"its functions stand for more than {_bytes:N0} bytes.");
            Dictionary<string, string> names = [];
            for (int i = 0; i < function.Input.Count; i++)
                names[function.Input[i]] = i < call.Input.Count ? call.Input[i] : "";
            for (int i = 0; i < function.Output.Count; i++)
                if (i < call.Output.Count && call.Output[i].Length > 0)
                    names[function.Output[i]] = call.Output[i];
            Dictionary<string, AttributeProto> attributes = [];
            foreach (AttributeProto given in function.AttributeProto.Concat(call.Attribute))
                attributes[given.Name] = given;
            List<NodeProto> nodes = [];
            foreach (NodeProto inner in function.Node)
            {
                NodeProto node = inner.Clone();
                Bind(node, attributes);
                nodes.Add(node);
            }
            Inlined(nodes, names, call);
            // A result that is one of the function's own inputs needs a node to carry it.
            for (int i = 0; i < Math.Min(function.Output.Count, call.Output.Count); i++)
                if (function.Input.Contains(function.Output[i]) && call.Output[i].Length > 0)
                    nodes.Add(Identity(call.Input[function.Input.IndexOf(function.Output[i])], call.Output[i]));
            return nodes;
        }

        /// <summary>Whether a function's operator sets are the model's, which then speaks for both; unknown ones are added.</summary>
        private bool Agrees(FunctionProto function)
        {
            foreach (OperatorSetIdProto import in function.OpsetImport)
                if (_opsets.TryGetValue(Standard(import.Domain), out long version) && version != import.Version)
                {
                    foreach (NodeProto node in function.Node.Where(node => Standard(node.Domain) == Standard(import.Domain)))
                        if (!SameForm(node, version, import.Version))
                            return false;
                }
            foreach (OperatorSetIdProto import in function.OpsetImport)
                if (_opsets.TryAdd(Standard(import.Domain), import.Version))
                    _model.OpsetImport.Add(import.Clone());
            return true;
        }

        private bool SameForm(NodeProto node, long one, long other) =>
            FunctionOf(node) is not null
            || OnnxOperators.RowOf(Standard(node.Domain), node.OpType, (int)Math.Clamp(one, 0, int.MaxValue)) is { } row
                && row == OnnxOperators.RowOf(Standard(node.Domain), node.OpType, (int)Math.Clamp(other, 0, int.MaxValue));

        /// <summary>The body of a branch that a constant chooses; null where the condition is computed.</summary>
        private GraphProto? Taken(NodeProto node, GraphProto graph)
        {
            if (node is not { OpType: "If", Domain: "" or "ai.onnx", Input.Count: 1 } || Truth(node.Input[0], graph) is not { } truth)
                return null;
            GraphProto? body = node.Attribute.FirstOrDefault(a => a.Name == (truth ? "then_branch" : "else_branch"))?.G;
            return body is { Input.Count: 0, SparseInitializer.Count: 0 } && body.Output.Count >= node.Output.Count ? body : null;
        }

        /// <summary>What a constant condition of the outermost graph says; null where it is no constant.</summary>
        private bool? Truth(string name, GraphProto graph) =>
            graph == _model.Graph
            && !_inputs.Contains(name)
            && _flags.TryGetValue(name, out TensorProto? constant)
            && OnnxTensors.Read(constant, new(null)) is Tensor<bool> { Shape.ElementCount: 1 } flag
                ? flag.Values[0]
                : null;

        private static bool IsFlag(TensorProto tensor) =>
            tensor.DataType == (int)TensorProto.Types.DataType.Bool && !OnnxTensors.IsExternal(tensor);

        private List<NodeProto> Body(NodeProto call, GraphProto branch, GraphProto graph)
        {
            Dictionary<string, string> names = [];
            foreach (TensorProto tensor in branch.Initializer)
            {
                TensorProto moved = tensor.Clone();
                moved.Name = names[tensor.Name] = _names.Fresh($"{Label(call)}/{UniqueNames.Shorten(tensor.Name)}");
                graph.Initializer.Add(moved);
                if (IsFlag(moved))
                    _flags[moved.Name] = moved;
            }
            HashSet<string> made = [.. branch.Node.SelectMany(static node => node.Output)];
            List<NodeProto> carried = [];
            for (int i = 0; i < call.Output.Count; i++)
            {
                string result = branch.Output[i].Name;
                if (call.Output[i].Length == 0)
                    continue;
                if (made.Contains(result) && !names.ContainsKey(result))
                    names[result] = call.Output[i];
                else
                    carried.Add(Identity(names.GetValueOrDefault(result, result), call.Output[i]));
            }
            List<NodeProto> nodes = [.. branch.Node.Select(static node => node.Clone())];
            Inlined(nodes, names, call);
            return [.. nodes, .. carried];
        }

        /// <summary>Gives nodes and values that come out of another graph names that are free in this one.</summary>
        private void Inlined(List<NodeProto> nodes, Dictionary<string, string> names, NodeProto call)
        {
            foreach (string output in nodes.SelectMany(static node => node.Output).Where(static o => o.Length > 0))
                if (!names.ContainsKey(output))
                    names[output] = _names.Fresh($"{Label(call)}/{UniqueNames.Shorten(output)}");
            foreach (NodeProto node in nodes)
            {
                if (node.Name.Length > 0 || call.Name.Length > 0)
                    node.Name = _names.FreshNode($"{Label(call)}/{UniqueNames.Shorten(node.Name.Length > 0 ? node.Name : node.OpType)}");
                Replace(node.Input, names);
                Replace(node.Output, names);
                if (Subgraphs.Bodies(node).Any())
                    Subgraphs.Rename(node, names);
            }
        }

        private static void Replace(Google.Protobuf.Collections.RepeatedField<string> field, Dictionary<string, string> names)
        {
            for (int i = 0; i < field.Count; i++)
                field[i] = names.GetValueOrDefault(field[i], field[i]);
        }

        /// <summary>Puts a call's attributes where the function refers to them, in the bodies of its nodes too.</summary>
        private static void Bind(NodeProto node, Dictionary<string, AttributeProto> given)
        {
            for (int i = node.Attribute.Count - 1; i >= 0; i--)
            {
                AttributeProto attribute = node.Attribute[i];
                if (attribute.RefAttrName.Length == 0)
                    continue;
                if (given.TryGetValue(attribute.RefAttrName, out AttributeProto? value))
                {
                    node.Attribute[i] = value.Clone();
                    node.Attribute[i].Name = attribute.Name;
                }
                else
                    node.Attribute.RemoveAt(i);
            }
            foreach (NodeProto inner in Subgraphs.Bodies(node).SelectMany(static body => body.Node))
                Bind(inner, given);
        }

        private static NodeProto Identity(string from, string to) =>
            new()
            {
                OpType = "Identity",
                Input = { from },
                Output = { to },
            };

        private static string Label(NodeProto call) =>
            UniqueNames.Shorten(call.Name.Length > 0 ? call.Name : call.Output.FirstOrDefault() ?? call.OpType);

        private static string Standard(string domain) => domain is "ai.onnx" ? "" : domain;
    }
}
