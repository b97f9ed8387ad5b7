using System.Collections.Frozen;
using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Turns a network at concrete extents into a program, for inference and, with the nodes of its gradient appended
/// (<see cref="Differentiate"/>), for training. Nodes and fused groups that the table of implementations knows
/// (<see cref="Implementations"/>) run on blocked activations (<see cref="BlockedLayout"/>); everything else runs as the operations define
/// it, on plain ones.
/// </summary>
internal sealed class Compiler
{
    private readonly ConstantOrigins? _origins;
    private readonly FrozenSet<string> _bound;
    private readonly Dictionary<string, Value> _plain = [],
        _blocked = [];
    private readonly ImmutableArray<ProgramStep>.Builder _steps = ImmutableArray.CreateBuilder<ProgramStep>();
    private readonly LayoutPlan _layouts;
    private readonly Dictionary<string, Value> _outputs = [];
    private int _parameterSteps,
        _boundary;

    private Compiler(Scope scope, ConstantOrigins? origins, IEnumerable<string> bound)
    {
        (Scope, _origins, _bound) = (scope, origins, bound.ToFrozenSet());
        _layouts = LayoutPlan.From(scope);
    }

    public Scope Scope { get; }

    /// <summary>Compiles a network.</summary>
    /// <param name="scope">The network, its passes applied, and how its batch is gone through.</param>
    /// <param name="forwardNodes">Number of nodes behind which the caller looks at outputs and gives seeds of gradients.</param>
    /// <param name="origins">The initializers of the file that constants come from, where steps should name them.</param>
    /// <param name="bound">Outputs that are written to memory of the caller.</param>
    public static Program Compile(Scope scope, int forwardNodes, ConstantOrigins? origins = null, IEnumerable<string>? bound = null) =>
        new Compiler(scope, origins, bound ?? []).Compile(forwardNodes);

    private Program Compile(int forwardNodes)
    {
        Graph graph = Scope.Graph;
        ImmutableDictionary<string, Value> inputs = graph
            .Inputs.Where(port => !graph.Initializers.ContainsKey(port.Name))
            .ToImmutableDictionary(static port => port.Name, Input);
        for (int index = 0; index < graph.Nodes.Length; index++)
        {
            if (index == Scope.ParameterNodes)
                _parameterSteps = _steps.Count;
            if (index == forwardNodes)
                EmitBoundary(forwardNodes);
            Node node = graph.Nodes[index];
            if (_layouts.FormEndingAt(node) is { } form)
                form.Emit(new(this, form, Origins(_layouts.GroupOf(node).Members.SelectMany(static member => member.Inputs))));
            else if (!_layouts.IsFused(node))
                EmitPlain(node);
        }
        ImmutableDictionary<string, Value> outputs = graph
            .Outputs.Select(static port => port.Name)
            .Distinct()
            .ToImmutableDictionary(static name => name, OutputOf);
        return new(_steps.ToImmutable(), inputs, outputs, Scope.Batch, forwardNodes < graph.Nodes.Length ? _boundary : _steps.Count)
        {
            Plans = NodePlan.Of(graph, name => Scope.Constant(name)?.Shape ?? Scope.Shapes.GetValueOrDefault(name)?.Shape),
        };
    }

    /// <summary>Outputs of the forward part are there, plain, before the gradient's first step.</summary>
    private void EmitBoundary(int forwardNodes)
    {
        HashSet<string> later = [.. Scope.Graph.Nodes.Skip(forwardNodes).SelectMany(static node => node.Outputs)];
        foreach (Port port in Scope.Graph.Outputs)
            if (!later.Contains(port.Name))
                OutputOf(port.Name);
        _boundary = _steps.Count;
    }

    /// <summary>The plain form of a computed value, converted from its blocked form where that is what was made.</summary>
    public Value Plain(string name)
    {
        if (_plain.TryGetValue(name, out Value? known))
            return known;
        Value source = _blocked[name],
            value = PlainResult(name);
        Emit(
            new(
                $"unblock {name}",
                [source],
                [value],
                (frame, piece) =>
                    BlockedConversion.ToPlain(piece.Of(frame, source), piece.Layout(source), piece.Rows(frame, value), piece.Workers)
            )
        );
        return value;
    }

    /// <summary>The blocked form of a computed value, converted from its plain form where that is what was made.</summary>
    public Value Blocked(string name)
    {
        if (_blocked.TryGetValue(name, out Value? known))
            return known;
        Value source = Plain(name),
            value = BlockedResult(name);
        Emit(
            new(
                $"block {name}",
                [source],
                [value],
                (frame, piece) =>
                    BlockedConversion.ToBlocked(piece.Rows(frame, source), piece.Clean(frame, value), piece.Layout(value), piece.Workers)
            )
        );
        return value;
    }

    /// <summary>The place of a value that a form makes.</summary>
    public Value Result(FormResult result)
    {
        if (result.Over is { } former)
            return _blocked[result.Name] = Blocked(former);
        return (result.IsBlocked ? _blocked : _plain).TryGetValue(result.Name, out Value? known) ? known
            : result.IsBlocked ? BlockedResult(result.Name)
            : PlainResult(result.Name);
    }

    public void Emit(ProgramStep step) => _steps.Add(step);

    /// <summary>Emits a step that depends on constants alone: before all that depends on the batch.</summary>
    public void EmitForParameters(ProgramStep step)
    {
        _steps.Insert(_parameterSteps++, step);
        _boundary++;
    }

    private Value Input(Port port)
    {
        ValueInfo operand = Scope.Shapes[port.Name];
        return _plain[port.Name] = new(port.Name, operand.Type, operand.Shape, layout: null) { IsExternal = true };
    }

    private Value PlainResult(string name)
    {
        ValueInfo operand =
            Scope.Shapes.GetValueOrDefault(name) ?? throw new BadInputException($"The value '{name}' is more than its operator makes.");
        return _plain[name] = new(name, operand.Type, operand.Shape, layout: null) { IsExternal = _bound.Contains(name) };
    }

    private Value BlockedResult(string name) =>
        _blocked[name] = new(name, ElementType.Float32, Scope.ShapeOf(name), Scope.LayoutOf(name, _layouts.HaloOf(name)));

    /// <summary>The value as the caller reads it: plain, and in memory of its own even where it is an input or a constant.</summary>
    private Value OutputOf(string name)
    {
        if (_outputs.TryGetValue(name, out Value? known))
            return known;
        Value? value = Scope.IsComputed(name) ? Plain(name) : null;
        if (value is { Root.IsExternal: false } || (value is not null && _bound.Contains(value.Name)))
            return _outputs[name] = value;
        Value copy = _outputs[name] = new(name, Scope.Shapes[name].Type, Scope.ShapeOf(name), layout: null);
        EmitOperation($"copy {name}", new Identity(), [name], [value], [copy]);
        return copy;
    }

    /// <summary>Runs a node as its operation defines it, on plain values.</summary>
    private void EmitPlain(Node node)
    {
        if (node.Operation is Reshaping && TryShareMemory(node))
            return;
        ImmutableArray<ValueInfo>? all = null;
        Value[] results =
        [
            .. node.Outputs.Select(
                (name, k) =>
                {
                    if (name.Length > 0)
                        return PlainResult(name);
                    // An optional result that nobody asked for still needs a place to go to.
                    all ??= node.Operation.Infer([.. node.Inputs.Select(input => input.Length > 0 ? Scope.Shapes[input] : null)]);
                    return new($"{node.Label}/{k}", all.Value[k].Type, all.Value[k].Shape, layout: null);
                }
            ),
        ];
        Value?[] reads = [.. node.Inputs.Select(name => Scope.IsComputed(name) ? Plain(name) : null)];
        EmitOperation(node.Label, node.Operation, node.Inputs, reads, results);
    }

    private void EmitOperation(string label, Operation operation, IReadOnlyList<string> names, Value?[] computed, Value[] results)
    {
        Tensor?[] constants = [.. names.Select(Scope.Constant)];
        Emit(
            new(
                label,
                [.. computed.OfType<Value>()],
                [.. results],
                (frame, _) =>
                {
                    Tensor?[] operands = new Tensor?[computed.Length];
                    Tensor[] outputs = new Tensor[results.Length];
                    for (int i = 0; i < operands.Length; i++)
                        operands[i] = computed[i] is { } value ? frame[value] : constants[i];
                    for (int i = 0; i < outputs.Length; i++)
                        outputs[i] = frame[results[i]];
                    operation.Forward(operands, outputs, frame.Workers);
                }
            )
            {
                IsWhole = true,
                Constants = Origins(names),
            }
        );
    }

    private bool TryShareMemory(Node node)
    {
        string name = node.Outputs[0];
        if (!Scope.IsComputed(node.Inputs[0]) || node.Outputs.Skip(1).Any(static o => o.Length > 0) || _bound.Contains(name))
            return false;
        Value source = Plain(node.Inputs[0]);
        if (source.Type != ElementType.Float32 || source.Root.IsExternal)
            return false;
        _plain[name] = new(name, source.Type, Scope.ShapeOf(name), layout: null) { SharesMemoryOf = source };
        return true;
    }

    private ImmutableArray<string> Origins(IEnumerable<string> names) => _origins?.Of(names.Where(static n => n.Length > 0)) ?? [];
}
