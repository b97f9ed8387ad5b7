using System.Collections.Immutable;

namespace Tensorial.Graphs;

/// <summary>What holds for every network: each value is made once, before it is read, and every output is made.</summary>
internal static class TopologicalOrder
{
    /// <summary>The network with its nodes in an order of evaluation: the given one where it is one, so that files keep theirs.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="opaque">Names of constants that the file holds and we have no type for.</param>
    /// <exception cref="BadInputException">A value is defined more than once, never, or in a cycle; names the value and the nodes.</exception>
    public static Graph Sort(Graph graph, IEnumerable<string>? opaque = null)
    {
        Dictionary<string, Node?> makers = (opaque ?? []).Distinct().ToDictionary(static name => name, static _ => (Node?)null);
        HashSet<string> inputs = [];
        foreach (Port port in graph.Inputs)
        {
            if (port.Name.Length == 0)
                throw new BadInputException("An input of the network has no name.");
            if (!inputs.Add(port.Name))
                throw new BadInputException($"Two inputs are called '{port.Name}'.");
        }
        HashSet<string> results = [];
        foreach (Port port in graph.Outputs)
        {
            if (port.Name.Length == 0)
                throw new BadInputException("An output of the network has no name.");
            if (!results.Add(port.Name))
                throw new BadInputException($"Two outputs are called '{port.Name}'.");
        }
        // An initializer that is an input as well is a default value, as old files write all of them.
        foreach (string name in inputs.Concat(graph.Initializers.Keys))
            makers[name] = null;
        foreach (Node node in graph.Nodes)
        foreach (string output in node.Outputs.Where(static o => o.Length > 0))
            if (!makers.TryAdd(output, node))
                throw new BadInputException($"The value '{output}' is defined more than once, the second time by node '{node.Label}'.");
        foreach (Port port in graph.Outputs)
            if (!makers.ContainsKey(port.Name))
                throw new BadInputException($"The output '{port.Name}' is made by no node.");

        var ordered = ImmutableArray.CreateBuilder<Node>(graph.Nodes.Length);
        Dictionary<Node, bool> finished = new(ReferenceEqualityComparer.Instance);
        foreach (Node node in graph.Nodes)
            Visit(node);
        return ordered.SequenceEqual(graph.Nodes, ReferenceEqualityComparer.Instance)
            ? graph
            : graph with
            {
                Nodes = ordered.ToImmutable(),
            };

        // Depth first with a stack of its own: a chain of a million nodes must not overflow the thread's.
        void Visit(Node start)
        {
            Stack<(Node Node, ImmutableArray<string> Reads, int Next)> path = new([(start, start.Reads, 0)]);
            if (!finished.TryAdd(start, false))
                return;
            while (path.TryPop(out (Node Node, ImmutableArray<string> Reads, int Next) at))
            {
                if (at.Next == at.Reads.Length)
                {
                    finished[at.Node] = true;
                    ordered.Add(at.Node);
                    continue;
                }
                path.Push(at with { Next = at.Next + 1 });
                string name = at.Reads[at.Next];
                if (name.Length == 0)
                    continue;
                if (!makers.TryGetValue(name, out Node? maker))
                    throw new BadInputException($"Node '{at.Node.Label}' reads '{name}', which nothing makes.");
                if (maker is null)
                    continue;
                if (finished.TryAdd(maker, false))
                    path.Push((maker, maker.Reads, 0));
                else if (!finished[maker])
                    throw Cycle(path.Select(static step => step.Node), maker);
            }
        }
    }

    private static BadInputException Cycle(IEnumerable<Node> backwards, Node closing)
    {
        string[] names =
        [
            .. backwards.TakeWhile(node => node != closing).Append(closing).Take(20).Select(static node => $"'{node.Label}'").Reverse(),
        ];
        return new($"The nodes {string.Join(" → ", names)} form a cycle: each waits for the one before it.");
    }
}
