using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Execution;

/// <summary>The part of the lowering that gives values their layouts.</summary>
internal sealed partial class Lowering
{
    /// <summary>Nodes, or last nodes of a fused group, that run on blocked activations.</summary>
    private readonly Dictionary<Node, BlockedForm> _forms = new(ReferenceEqualityComparer.Instance);

    /// <summary>The halo that the readers of a value's blocked form need together.</summary>
    private readonly Dictionary<string, Halo> _halos = [];

    private readonly Dictionary<string, Value> _blocked = [];

    /// <summary>Decides which nodes run blocked and how wide a halo each value needs.</summary>
    private void PlanLayouts(FusionPlan fusions)
    {
        HashSet<string> madeBlocked = [];
        BlockedForms forms = new(_graph, _shapes, _memo, madeBlocked.Contains);
        foreach (Node node in _graph.Nodes)
        {
            BlockedForm? form =
                fusions.GroupOf(node) is { } group && forms.Of(group) is { } fused
                    ? node == group.Members[^1]
                        ? fused
                        : null
                    : forms.Of(node);
            if (form is null)
                continue;
            _forms[node] = form;
            if (form.ResultIsBlocked)
                madeBlocked.Add(form.Result);
            foreach (BlockedRead read in form.Reads.Where(static r => r.Halo is not null))
                _halos[read.Value] = read.Halo!.Value.Union(_halos.GetValueOrDefault(read.Value));
        }
    }

    private void LowerBlocked(BlockedForm form)
    {
        Value[] reads = [.. form.Reads.Select(read => read.Halo is null ? Plain(read.Value) : Blocked(read.Value))];
        Value result = form.ResultIsBlocked ? BlockedResult(form.Result) : PlainResult(form.Result);
        Emit(form.Label, reads, [result], form.Constants, form.Run(reads, result));
    }

    private Value BlockedResult(string name)
    {
        Shape shape = _shapes[name].Shape;
        BlockedLayout layout = new(shape[0], shape[1], shape[2], shape[3], _halos.GetValueOrDefault(name));
        return _blocked[name] = new(name, ElementType.Float32, shape, layout);
    }

    /// <summary>The blocked form of a computed value, converted from its plain form where that is what was made.</summary>
    private Value Blocked(string name)
    {
        if (_blocked.TryGetValue(name, out Value? known))
            return known;
        Value source = Plain(name),
            value = BlockedResult(name);
        Emit(
            $"block {name}",
            [source],
            [value],
            [],
            frame => BlockedConversion.ToBlocked(frame.Floats(source), frame.ClearedHalo(value), value.Layout!.Value, frame.Workers)
        );
        return value;
    }

    private Value Unblock(string name)
    {
        Value source = _blocked[name];
        Value value = _plain[name] = new(name, ElementType.Float32, source.Shape, layout: null);
        Emit(
            $"unblock {name}",
            [source],
            [value],
            [],
            frame => BlockedConversion.ToPlain(frame.Floats(source), source.Layout!.Value, frame.Floats(value), frame.Workers)
        );
        return value;
    }
}
