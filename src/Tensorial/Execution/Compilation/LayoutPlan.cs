using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Execution;

/// <summary>
/// Which nodes and groups run on blocked activations, and how wide a halo each value needs. A convolution always runs there; what lies
/// between convolutions does where an operand is blocked already, so that activations keep one layout from the first convolution to the
/// last pooling, and their gradients on the way back.
/// </summary>
internal sealed class LayoutPlan
{
    private readonly Dictionary<Node, FusedGroup> _groups;
    private readonly Dictionary<FusedGroup, Form> _forms = [];
    private readonly Dictionary<string, Halo> _halos = [];

    private LayoutPlan(Dictionary<Node, FusedGroup> groups) => _groups = groups;

    public static LayoutPlan From(Scope scope)
    {
        LayoutPlan plan = new(Fusion.Of(scope));
        LastReads last = new(scope, plan._groups);
        HashSet<Node> tails = NarrowTails.Of(scope);
        foreach (Node node in scope.Graph.Nodes)
        {
            // A group is decided upon where its first member stands; if it cannot run as one, its members go their own ways.
            FusedGroup group = plan._groups[node];
            if (group.Members.Count > 1 && node == group.Members[0] && Implementations.Of(group, scope, last) is null)
                foreach (Node member in group.Members)
                    plan._groups[member] = new(member);
            group = plan._groups[node];
            if (node == group.Members[^1] && !tails.Contains(group.Head) && Implementations.Of(group, scope, last) is { } form)
                plan.Add(group, form, scope);
        }
        plan.JoinHalos();
        return plan;
    }

    public FusedGroup GroupOf(Node node) => _groups[node];

    /// <summary>Whether a form takes the node in.</summary>
    public bool IsFused(Node node) => _forms.ContainsKey(_groups[node]);

    /// <summary>The form that is emitted where a node stands.</summary>
    public Form? FormEndingAt(Node node) => _groups[node].Members[^1] == node ? _forms.GetValueOrDefault(_groups[node]) : null;

    /// <summary>The halo that the readers of a value's blocked form need together.</summary>
    public Halo HaloOf(string name) => _halos.GetValueOrDefault(name);

    private void Add(FusedGroup group, Form form, Scope scope)
    {
        _forms[group] = form;
        foreach (FormResult result in form.Results)
            if (result.IsBlocked)
                scope.MarkBlocked(result.Name);
        foreach (BlockedRead read in form.Reads)
            Need(read.Value, read.Halo);
    }

    /// <summary>A value whose memory another takes over needs the other's halo from the beginning.</summary>
    private void JoinHalos()
    {
        foreach (FormResult result in _forms.Values.Reverse().SelectMany(static form => form.Results.Reverse()))
            if (result.Over is { } former)
                Need(former, HaloOf(result.Name));
    }

    private void Need(string name, Halo halo) => _halos[name] = halo.Union(HaloOf(name));
}

/// <summary>Which group reads a value last.</summary>
internal sealed class LastReads
{
    /// <summary>Readers that are looked through; a value that more read is left alone.</summary>
    private const int MostReaders = 256;

    private readonly Scope _scope;
    private readonly Dictionary<Node, FusedGroup> _groups;
    private readonly Dictionary<Node, int> _index = new(ReferenceEqualityComparer.Instance);

    public LastReads(Scope scope, Dictionary<Node, FusedGroup> groups)
    {
        (_scope, _groups) = (scope, groups);
        for (int index = 0; index < scope.Graph.Nodes.Length; index++)
            _index[scope.Graph.Nodes[index]] = index;
    }

    /// <summary>The value, where the group reads it once and last of all, and may therefore overwrite it; else null.</summary>
    public string? Over(string value, FusedGroup group) =>
        !_scope.Uses.IsOutput(value)
        && !_scope.Uses.Readers(value).Skip(MostReaders).Any()
        && _scope.Uses.Readers(value).Count(reader => _groups[reader] == group) == 1
        && _scope.Uses.Readers(value).All(reader => _groups[reader] == group || IndexOf(_groups[reader]) < IndexOf(group))
            ? value
            : null;

    private int IndexOf(FusedGroup group) => _index[group.Members[^1]];
}
