using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Execution;

/// <summary>
/// Runs a network node by node, each operation by its plain definition and in its own element type: short, general, and what the
/// fast executor is compared with.
/// </summary>
public static class Interpreter
{
    /// <summary>The network's outputs, by name.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="inputs">A tensor for every input that has no constant of its name.</param>
    /// <param name="workers">Threads to use; none but the caller's when null.</param>
    /// <exception cref="BadInputException">
    /// An input is missing, an operator is not supported or its operands do not fit; names the node.
    /// </exception>
    public static IReadOnlyDictionary<string, Tensor> Run(Graph graph, IReadOnlyDictionary<string, Tensor> inputs, Workers? workers = null)
    {
        Dictionary<string, Tensor> values = new(graph.Initializers);
        foreach (Port port in graph.Inputs)
        {
            if (inputs.TryGetValue(port.Name, out Tensor? given))
                values[port.Name] = given;
            else if (!values.ContainsKey(port.Name))
                throw new BadInputException($"No tensor is given for the input '{port.Name}'.");
        }
        ValueLimit limit = ValueLimit.From(graph, inputs.Values.Select(static tensor => tensor.Shape));
        HashSet<string> outputs = [.. graph.Outputs.Select(static port => port.Name)];
        Dictionary<string, int> lastReader = [];
        for (int i = 0; i < graph.Nodes.Length; i++)
            foreach (string name in graph.Nodes[i].Inputs)
                lastReader[name] = i;

        for (int i = 0; i < graph.Nodes.Length; i++)
        {
            Node node = graph.Nodes[i];
            Tensor?[] operands = [.. node.Inputs.Select(name => name.Length > 0 ? ValueOf(values, node, name) : null)];
            Tensor[] results = Apply(node, operands, limit, workers ?? Workers.Serial);
            for (int k = 0; k < results.Length; k++)
                if (lastReader.ContainsKey(node.Outputs[k]) || outputs.Contains(node.Outputs[k]))
                    values[node.Outputs[k]] = results[k];
            foreach (string name in node.Inputs)
                if (lastReader[name] == i && !outputs.Contains(name))
                    values.Remove(name);
        }
        return graph.Outputs.ToDictionary(
            static port => port.Name,
            port =>
                values.TryGetValue(port.Name, out Tensor? value)
                    ? value
                    : throw new BadInputException($"No node makes the output '{port.Name}'.")
        );
    }

    private static Tensor ValueOf(Dictionary<string, Tensor> values, Node node, string name) =>
        values.TryGetValue(name, out Tensor? value)
            ? value
            : throw new BadInputException($"Node '{node.Label}' reads '{name}', which nothing makes before it.");

    private static Tensor[] Apply(Node node, Tensor?[] inputs, ValueLimit limit, Workers workers)
    {
        try
        {
            return node.Operation.Evaluate(inputs, node.Outputs.Length, workers, limit.Check);
        }
        catch (UnsupportedException error)
        {
            throw new UnsupportedException($"Node '{node.Label}': {error.Message}");
        }
        catch (BadInputException error)
        {
            throw new BadInputException($"Node '{node.Label}' ({node.Operation.Name}): {error.Message}", error);
        }
    }
}
