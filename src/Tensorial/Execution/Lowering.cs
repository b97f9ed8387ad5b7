using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Turns a network at concrete input extents into a program: constants folded, batch norms folded into convolutions, additions
/// and activations fused into them, and every value given a layout. Convolutions and what surrounds them run on blocked
/// activations (<see cref="Kernels.Blocked.BlockedLayout"/>); everything else runs as the operations define it, on plain ones.
/// </summary>
internal sealed partial class Lowering
{
    private readonly Graph _graph;
    private readonly IReadOnlyDictionary<string, Operand> _shapes;
    private readonly ConstantOrigins _origins;
    private readonly Memo _memo;
    private readonly Dictionary<string, Value> _plain = [];
    private readonly ImmutableArray<Step>.Builder _steps = ImmutableArray.CreateBuilder<Step>();

    private Lowering(Graph graph, IReadOnlyDictionary<string, Operand> shapes, ConstantOrigins origins, Memo memo) =>
        (_graph, _shapes, _origins, _memo) = (graph, shapes, origins, memo);

    /// <summary>Compiles a network for these extents of its inputs.</summary>
    /// <exception cref="BadInputException">An operator cannot be evaluated; names the node.</exception>
    public static CompiledNetwork Compile(Graph graph, IReadOnlyDictionary<string, Shape> inputs, Memo memo)
    {
        graph = DropIdentities.Apply(graph);
        IReadOnlyDictionary<string, Operand> shapes = ShapeInference.Run(graph, inputs);
        ConstantOrigins origins = new(graph);
        graph = FoldConstants.Apply(graph, shapes, origins, memo);
        graph = FoldBatchNorm.Apply(graph, origins, memo);
        return new Lowering(graph, shapes, origins, memo).Compile();
    }

    private CompiledNetwork Compile()
    {
        ImmutableArray<Value> inputs = [.. _graph.Inputs.Where(port => !_graph.Initializers.ContainsKey(port.Name)).Select(Input)];
        FusionPlan fusions = FusionPlan.Of(_graph, _shapes);
        PlanLayouts(fusions);
        foreach (Node node in _graph.Nodes)
        {
            if (_forms.TryGetValue(node, out BlockedForm? form))
                LowerBlocked(form);
            else if (fusions.GroupOf(node) is not { } group || !_forms.ContainsKey(group.Members[^1]))
                LowerPlain(node);
        }
        ImmutableArray<Value> outputs = [.. _graph.Outputs.Select(port => OutputOf(port.Name))];
        return new(_steps.ToImmutable(), inputs, outputs);
    }

    private Value Input(Port port)
    {
        Operand operand = _shapes[port.Name];
        return _plain[port.Name] = new(port.Name, operand.Type, operand.Shape, layout: null) { IsExternal = true };
    }

    /// <summary>The value as the caller reads it: plain, and in memory of its own even where it is an input or a constant.</summary>
    private Value OutputOf(string name)
    {
        Value? value = _graph.Initializers.ContainsKey(name) ? null : Plain(name);
        if (value is { Root.IsExternal: false })
            return value;
        Value copy = new(name, _shapes[name].Type, _shapes[name].Shape, layout: null);
        Emit($"copy {name}", value is null ? [] : [value], [copy], [name], CopyOf(new Identity(), [name], copy));
        return copy;
    }

    /// <summary>Runs a node as its operation defines it, on plain values.</summary>
    private void LowerPlain(Node node)
    {
        if (node.Operation is Reshaping && TryShareMemory(node))
            return;
        ImmutableArray<Value> outputs = [.. node.Outputs.Select((name, k) => name.Length > 0 ? PlainResult(name) : Unasked(node, k))];
        ImmutableArray<Value> reads = [.. node.Inputs.Where(IsComputed).Select(Plain)];
        Emit(
            node.Label,
            reads,
            outputs,
            node.Inputs.Where(_graph.Initializers.ContainsKey),
            CopyOf(node.Operation, node.Inputs, [.. outputs])
        );
    }

    private Action<Frame> CopyOf(Operation operation, IReadOnlyList<string> names, params Value[] outputs)
    {
        Tensor?[] constants = [.. names.Select(name => _graph.Initializers.GetValueOrDefault(name))];
        Value?[] computed = [.. names.Select(name => IsComputed(name) ? Plain(name) : null)];
        return frame =>
        {
            Tensor?[] operands = new Tensor?[computed.Length],
                results = new Tensor[outputs.Length];
            for (int i = 0; i < operands.Length; i++)
                operands[i] = computed[i] is { } value ? frame[value] : constants[i];
            for (int i = 0; i < results.Length; i++)
                results[i] = frame[outputs[i]];
            operation.Forward(operands, results!, frame.Workers);
        };
    }

    private bool TryShareMemory(Node node)
    {
        if (!IsComputed(node.Inputs[0]))
            return false;
        Value source = Plain(node.Inputs[0]);
        if (source.Type != ElementType.Float32 || source.Root.IsExternal)
            return false;
        _plain[node.Outputs[0]] = new(node.Outputs[0], source.Type, _shapes[node.Outputs[0]].Shape, layout: null)
        {
            SharesMemoryOf = source,
        };
        return true;
    }

    /// <summary>The plain form of a computed value, converted from its blocked form where that is what was made.</summary>
    private Value Plain(string name) => _plain.TryGetValue(name, out Value? known) ? known : Unblock(name);

    /// <summary>An optional result that nobody asked for still needs a place to go to.</summary>
    private Value Unasked(Node node, int index)
    {
        Operand operand = node.Operation.Infer([.. node.Inputs.Select(name => name.Length > 0 ? _shapes[name] : null)])[index];
        return new($"{node.Label} (result {index})", operand.Type, operand.Shape, layout: null);
    }

    private Value PlainResult(string name)
    {
        Operand operand = _shapes[name];
        return _plain[name] = new(name, operand.Type, operand.Shape, layout: null);
    }

    private bool IsComputed(string name) => name.Length > 0 && !_graph.Initializers.ContainsKey(name);

    private void Emit(
        string label,
        IEnumerable<Value> reads,
        IEnumerable<Value> writes,
        IEnumerable<string> constants,
        Action<Frame> run
    ) => _steps.Add(new(label, [.. reads], [.. writes], _origins.Of(constants.Where(static n => n.Length > 0)), run));
}
