using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>Computes what depends on constants alone, once, and drops the nodes that did it.</summary>
internal static class FoldConstants
{
    /// <summary>Values computed of constants: some times as many as the file holds, and always so many.</summary>
    private const int BudgetMultiple = 16;

    private const long LeastBudget = 1 << 22;

    /// <param name="graph">The network.</param>
    /// <param name="shapes">What shape inference knows of its values.</param>
    /// <param name="cache">Where results of earlier compilations may lie ready.</param>
    /// <param name="origins">For every constant, the initializers of the file that it comes from; results are added.</param>
    /// <param name="changing">Constants that training changes: what depends on them is not folded.</param>
    public static Graph Apply(
        Graph graph,
        IReadOnlyDictionary<string, ValueInfo> shapes,
        WeightCache cache,
        ConstantOrigins? origins = null,
        IReadOnlySet<string>? changing = null
    )
    {
        ImmutableDictionary<string, Tensor>.Builder constants = graph.Initializers.ToBuilder();
        var kept = ImmutableArray.CreateBuilder<Node>();
        // What does not fit the budget is left to be computed in its turn, where memory is given back.
        long budget = Math.Max(LeastBudget, BudgetMultiple * graph.Initializers.Values.Sum(static value => (long)value.Shape.ElementCount));
        foreach (Node node in graph.Nodes)
        {
            if (node.Outputs.All(name => name.Length == 0 || shapes[name].Value is not null))
            {
                foreach (string name in node.Outputs.Where(static n => n.Length > 0))
                    constants[name] = shapes[name].Value!;
                origins?.Derive(node);
            }
            else if (
                node.Inputs.All(IsFixed)
                && node.Outputs.Sum(name => name.Length == 0 ? 0 : (long)shapes[name].Shape.ElementCount) is var count
                && count <= budget
            )
            {
                budget -= count;
                Tensor?[] inputs = [.. node.Inputs.Select(name => name.Length == 0 ? null : constants[name])];
                Tensor[] results = cache.Of(node.Operation, inputs, () => Computed(node, inputs));
                for (int i = 0; i < node.Outputs.Length; i++)
                    if (node.Outputs[i].Length > 0)
                        constants[node.Outputs[i]] = results[i];
                origins?.Derive(node);
            }
            else
            {
                kept.Add(node);
            }
        }
        return graph with { Nodes = kept.ToImmutable(), Initializers = constants.ToImmutable() };

        static Tensor[] Computed(Node node, Tensor?[] inputs)
        {
            try
            {
                return node.Operation.Apply(inputs);
            }
            catch (BadInputException error) when (error is not UnsupportedException)
            {
                throw new BadInputException($"Node '{node.Label}' ({node.Operation.Name}): {error.Message}", error);
            }
        }

        bool IsFixed(string name) => name.Length == 0 || (constants.ContainsKey(name) && changing?.Contains(name) != true);
    }
}

/// <summary>Remembers, through folding, which initializers of the file a constant comes from.</summary>
internal sealed class ConstantOrigins(Graph graph)
{
    private readonly Dictionary<string, ImmutableArray<string>> _origins = graph.Initializers.Keys.ToDictionary(
        static name => name,
        static name => ImmutableArray.Create(name)
    );

    /// <summary>Initializers that are told apart; a constant made of more counts as made of all.</summary>
    private const int MostListed = 1024;

    private ImmutableArray<string> _all;

    public ImmutableArray<string> this[string constant] => _origins.GetValueOrDefault(constant, []);

    /// <summary>
    /// What several constants come from. One list is shared by all that come from the same; instead of very many each, all that there are.
    /// </summary>
    public ImmutableArray<string> Of(IEnumerable<string> constants)
    {
        ImmutableArray<string> first = [];
        HashSet<string>? more = null;
        foreach (string name in constants)
        {
            ImmutableArray<string> own = this[name];
            if (own.IsEmpty || own == first)
                continue;
            if (own == _all)
                return own;
            if (first.IsEmpty)
                first = own;
            else
                (more ??= [.. first]).UnionWith(own);
            if (more?.Count > MostListed)
                return All();
        }
        return more is null || more.Count == first.Length ? first : [.. more];
    }

    private ImmutableArray<string> All() =>
        _all = _all.IsDefault
            ?
            [
                .. graph.Initializers.Keys,
                .. graph.Nodes.Where(static node => node.Operation is Constant).Select(static node => node.Outputs[0]),
            ]
            : _all;

    public void Derive(Node node)
    {
        // A Constant node is where its value comes from, as an initializer is.
        if (node.Operation is Constant)
            _origins[node.Outputs[0]] = [node.Outputs[0]];
        else
            foreach (string output in node.Outputs)
                Derive(output, node.Inputs);
    }

    /// <summary>From here on a constant comes from nothing but itself.</summary>
    public void Begin(string constant) => _origins[constant] = [constant];

    public void Derive(string result, IEnumerable<string> sources) => _origins[result] = Of(sources);
}
