using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>
/// Constant folding of weights: what nodes make of constants alone becomes an initializer where it takes no more room than the constants
/// that vanish for it. Weights behind Transpose and Reshape, and kernels under weight normalisation, are plain weights then. Factors that
/// are multiplied into a larger kernel, quantised weights and those that a Cast widens stay as they are stored.
/// <para>A constant that is only moved keeps its name.</para>
/// </summary>
internal sealed class FoldWeights
{
    /// <summary>Values up to which a moved constant is copied though others read it too: vectors and single numbers.</summary>
    private const int MostCopied = 1 << 12;

    /// <summary>What stands between roots and result may take this many times their room while it is computed.</summary>
    private const int MostOnTheWay = 4;

    /// <summary>Bytes computed for all weights together, in bytes of the constants; and how many always may be.</summary>
    private const int MostInAll = 16;

    private const long LeastInAll = 1 << 24;

    /// <summary>Constants that one weight is made of, at most: sets of them are kept for every value on the way.</summary>
    private const int MostRoots = 1024;

    private readonly Graph _graph;
    private readonly Dictionary<string, Tensor> _constants;

    /// <summary>Nodes that read constants alone, by each of their results.</summary>
    private readonly Dictionary<string, Node> _makers = [];

    /// <summary>Floating-point constants that a value is made of.</summary>
    private readonly Dictionary<string, ImmutableHashSet<string>> _roots = [];

    private readonly Dictionary<Node, int> _places = new(ReferenceEqualityComparer.Instance);

    /// <summary>Values that nodes of the network proper read, or that leave it.</summary>
    private readonly HashSet<string> _read;

    private readonly HashSet<string> _outputs;

    /// <summary>Values of nodes that are made of no weight; several weights may need them.</summary>
    private readonly Dictionary<string, Tensor> _shared = [];

    private long _left;

    private FoldWeights(Graph graph)
    {
        _graph = graph;
        _constants = graph.Initializers.ToDictionary();
        foreach (Node node in graph.Nodes)
            if (node.Operation is Constant constant)
                _constants[node.Outputs[0]] = constant.Value;
        _left = Math.Max(LeastInAll, MostInAll * _constants.Values.Sum(BytesOf));
        foreach ((string name, Tensor value) in _constants)
            _roots[name] = value.ElementType.IsFloating() ? [name] : [];
        _outputs = [.. graph.Outputs.Select(static port => port.Name)];
        _read = [.. _outputs];
        foreach (Node node in graph.Nodes)
        {
            _places[node] = _places.Count;
            if (node.Operation is Constant)
                continue;
            if (node.Inputs.IsEmpty || !node.Captured.IsEmpty || !node.Inputs.All(name => name.Length == 0 || _roots.ContainsKey(name)))
            {
                _read.UnionWith(node.Reads);
                continue;
            }
            if (RootsOf(node) is not { } roots)
            {
                _read.UnionWith(node.Reads);
                continue;
            }
            foreach (string output in node.Outputs.Where(static name => name.Length > 0))
                (_makers[output], _roots[output]) = (node, roots);
        }
    }

    public static Graph Apply(Graph graph) => new FoldWeights(graph).Run();

    /// <summary>Constants that the results of a node are made of; null where they are too many for a weight.</summary>
    private ImmutableHashSet<string>? RootsOf(Node node)
    {
        ImmutableHashSet<string> roots = [];
        foreach (string name in node.Inputs.Where(static name => name.Length > 0))
        {
            ImmutableHashSet<string> more = _roots[name];
            // The smaller one into the larger one: along a chain each set is its predecessor and little else.
            if (!ReferenceEquals(more, roots))
                roots = more.Count > roots.Count ? more.Union(roots) : roots.Union(more);
            if (roots.Count > MostRoots)
                return null;
        }
        return roots;
    }

    private Graph Run()
    {
        Dictionary<string, string> renamed = [];
        ImmutableDictionary<string, Tensor>.Builder constants = _graph.Initializers.ToBuilder();
        HashSet<string> captured = [.. _graph.Nodes.SelectMany(static node => node.Captured)];
        HashSet<Node> folded = new(ReferenceEqualityComparer.Instance);
        foreach (string[] results in Groups())
        {
            if (Values(results) is not { } made)
                continue;
            Node[] nodes = Expression(results);
            string[] roots = [.. results.SelectMany(name => _roots[name]).Distinct()];
            bool keepsName =
                results.Length == 1 && roots is [{ } only] && nodes.All(IsMove) && IsOwn(only) && !captured.Contains(results[0]);
            for (int k = 0; k < results.Length; k++)
            {
                string name = keepsName ? roots[0] : results[k];
                constants[name] = made[k];
                renamed[results[k]] = name;
            }
            // What is made of no weight, such as a shape, others may read: it goes where nobody does.
            folded.UnionWith(nodes.Where(node => node.Outputs.Any(name => name.Length > 0 && !_roots[name].IsEmpty)));
        }
        if (folded.Count == 0)
            return _graph;
        HashSet<string> names = [.. renamed.Values];
        // An input that gave such a constant a default has the extents it had before.
        return _graph with
        {
            Nodes =
            [
                .. _graph
                    .Nodes.Where(node => !folded.Contains(node))
                    .Select(node =>
                        node.Inputs.Any(name => renamed.GetValueOrDefault(name, name) != name)
                            ? node with
                            {
                                Inputs = [.. node.Inputs.Select(name => renamed.GetValueOrDefault(name, name))],
                            }
                            : node
                    ),
            ],
            Inputs = _graph.Inputs.RemoveAll(port => names.Contains(port.Name)),
            Initializers = constants.ToImmutable(),
        };
    }

    /// <summary>Results that the network reads, those together that are made of the same constants.</summary>
    private List<string[]> Groups()
    {
        Dictionary<string, string> parents = [];
        string Find(string name)
        {
            while (parents.TryGetValue(name, out string? parent) && parent != name)
                name = parents[name] = parents.GetValueOrDefault(parent, parent);
            return name;
        }
        string[] results = [.. _makers.Keys.Where(_read.Contains)];
        foreach (string result in results)
        {
            string[] roots = [.. _roots[result]];
            foreach (string root in roots)
                parents[Find(root)] = Find(roots[0]);
        }
        return
        [
            .. results
                .Where(result => !_roots[result].IsEmpty)
                .GroupBy(result => Find(_roots[result].First()))
                .Select(static group => group.ToArray()),
        ];
    }

    private static bool IsMove(Node node) => node.Operation is Reshaping or Transpose;

    /// <summary>Whether nothing but nodes on constants read a constant.</summary>
    private bool IsOwn(string root) => !_read.Contains(root);

    /// <summary>The values of results that belong together; null where folding them would cost room, or cannot be done.</summary>
    private Tensor[]? Values(string[] results)
    {
        if (results.Any(_outputs.Contains))
            return null;
        string[] roots = [.. results.SelectMany(name => _roots[name]).Distinct()];
        long all = roots.Sum(name => BytesOf(_constants[name])),
            own = roots.Where(IsOwn).Sum(name => BytesOf(_constants[name]));
        Node[] nodes = Expression(results);
        Dictionary<string, Tensor> values = [];
        try
        {
            foreach (Node node in nodes)
            {
                Tensor?[] inputs =
                [
                    .. node.Inputs.Select(name =>
                        name.Length == 0
                            ? null
                            : values.GetValueOrDefault(name) ?? _shared.GetValueOrDefault(name) ?? _constants.GetValueOrDefault(name)
                    ),
                ];
                ImmutableArray<ValueInfo> types = node.Operation.Infer([
                    .. inputs.Select(static value => value is null ? null : ValueInfo.From(value)),
                ]);
                // One that widens in what is stored, and changes nothing where all is float32: both keep the constant and its name.
                if (node.Operation is Cast && inputs[0]?.ElementType == types[0].Type)
                    return null;
                long bytes = types.Sum(static type => (long)type.Shape.ElementCount * type.Type.Size());
                if (bytes > MostOnTheWay * Math.Max(all, MostCopied) || (_left -= bytes) < 0)
                    return null;
                Tensor[] made = node.Operation is Identity ? [inputs[0]!] : node.Operation.Apply(inputs);
                for (int k = 0; k < node.Outputs.Length; k++)
                    if (node.Outputs[k].Length > 0)
                        (_roots[node.Outputs[k]].IsEmpty ? _shared : values)[node.Outputs[k]] = made[k];
            }
        }
        catch (BadInputException)
        {
            // What is wrong with a node is said where it is run.
            return null;
        }
        Tensor[] found = [.. results.Select(name => values[name])];
        bool isSmall = found.Sum(static value => (long)value.Shape.ElementCount) <= MostCopied && nodes.All(IsMove);
        return found.All(static value => value.ElementType.IsFloating()) && (isSmall || found.Sum(BytesOf) <= own) ? found : null;
    }

    /// <summary>The nodes that make results, in order.</summary>
    private Node[] Expression(string[] results)
    {
        HashSet<Node> nodes = new(ReferenceEqualityComparer.Instance);
        Stack<string> open = new(results);
        List<Node> found = [];
        while (open.TryPop(out string? name))
            if (!_shared.ContainsKey(name) && _makers.TryGetValue(name, out Node? maker) && nodes.Add(maker))
            {
                found.Add(maker);
                foreach (string read in maker.Inputs)
                    open.Push(read);
            }
        return [.. found.OrderBy(node => _places[node])];
    }

    private static long BytesOf(Tensor value) => (long)value.Shape.ElementCount * value.ElementType.Size();
}
