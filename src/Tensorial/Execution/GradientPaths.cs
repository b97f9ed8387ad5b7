using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Which values of a network carry gradients: those that change with the chosen constants and on which an output depends.
/// </summary>
internal sealed class GradientPaths
{
    private readonly HashSet<string> _carriers;

    private GradientPaths(HashSet<string> carriers) => _carriers = carriers;

    /// <summary>Whether a value's gradient is computed.</summary>
    public bool Carry(string value) => _carriers.Contains(value);

    /// <summary>What a node's gradients read beside those of its results; null where no gradient passes through it.</summary>
    public Reads? ReadsOf(Node node)
    {
        if (!node.Outputs.Any(Carry))
            return null;
        Reads? reads = null;
        for (int i = 0; i < node.Inputs.Length; i++)
            if (Carry(node.Inputs[i]))
                reads = (reads ?? Reads.Nothing) | node.Operation.GradientReads(i)!.Value;
        return reads;
    }

    /// <summary>Follows gradients from outputs to chosen constants.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="chosen">Constants, or inputs, whose gradients are wanted.</param>
    /// <param name="values">What shape inference knows.</param>
    /// <param name="outputs">Values whose gradients are given.</param>
    /// <exception cref="UnsupportedException">An operation on the way has no gradient; names node and input.</exception>
    /// <exception cref="BadInputException">A chosen constant does not exist, is no float32 or float64, or reaches no output.</exception>
    public static GradientPaths From(
        Graph graph,
        IReadOnlyCollection<string> chosen,
        IReadOnlyDictionary<string, ValueInfo> values,
        IReadOnlyCollection<string> outputs
    )
    {
        foreach (string name in chosen)
        {
            if (!values.TryGetValue(name, out ValueInfo? operand))
                throw new BadInputException($"The network has no constant '{name}' to be trained.");
            if (!IsReal(operand))
                throw new BadInputException($"'{name}' holds {operand.Type} numbers; only Float32 and Float64 ones are trained.");
        }
        HashSet<string> changing = [.. chosen];
        foreach (Node node in graph.Nodes)
            if (node.Inputs.Any(changing.Contains))
                changing.UnionWith(Differentiable(node).Where(name => name.Length > 0 && IsReal(values[name])));

        HashSet<string> carriers = [.. outputs.Where(changing.Contains)];
        foreach (Node node in graph.Nodes.Reverse())
        {
            if (!node.Outputs.Any(carriers.Contains))
                continue;
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                string name = node.Inputs[i];
                if (name.Length == 0 || !changing.Contains(name))
                    continue;
                if (node.Operation.GradientReads(i) is null)
                    throw new UnsupportedException(
                        $"Node '{node.Label}' ({node.Operation.Name}) has no gradient for its input '{name}', which training needs."
                    );
                carriers.Add(name);
            }
        }
        if (chosen.FirstOrDefault(name => !carriers.Contains(name)) is { } idle)
            throw new BadInputException($"No output of the network depends on '{idle}', so that it cannot be trained.");
        return new(carriers);
    }

    /// <summary>Results through which gradients pass: running statistics are bookkeeping.</summary>
    private static IEnumerable<string> Differentiable(Node node) =>
        node.Operation is BatchNormalizationInTraining ? node.Outputs.Take(1) : node.Outputs;

    private static bool IsReal(ValueInfo operand) => operand.Type is ElementType.Float32 or ElementType.Float64;
}
