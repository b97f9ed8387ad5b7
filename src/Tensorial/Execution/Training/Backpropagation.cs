using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>A network's outputs and the gradients that were asked for, by name.</summary>
public sealed record Backpropagated(IReadOnlyDictionary<string, Tensor> Outputs, IReadOnlyDictionary<string, Tensor> Gradients);

/// <summary>
/// Gradients node by node, each operation by its plain definition and in its own element type: short, general, and what the fast executor
/// (<see cref="TrainedNetwork"/>) is compared with.
/// </summary>
public static class Backpropagation
{
    /// <summary>Evaluates a network, then carries gradients back from its outputs.</summary>
    /// <param name="graph">The network, in its <see cref="TrainingForm"/> where batch statistics are meant to be those of the
    /// batch.</param>
    /// <param name="inputs">A tensor for every input that has no constant of its name.</param>
    /// <param name="chosen">Constants, or inputs, whose gradients are wanted.</param>
    /// <param name="loss">The derivatives of a loss by the outputs, given these; an output that is not named has none.</param>
    /// <param name="workers">Threads to use; none but the caller's when null.</param>
    /// <exception cref="UnsupportedException">An operation on the way has no gradient; names node and input.</exception>
    public static Backpropagated Run(
        Graph graph,
        IReadOnlyDictionary<string, Tensor> inputs,
        IReadOnlyCollection<string> chosen,
        Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>> loss,
        Workers? workers = null
    )
    {
        Dictionary<string, Tensor> values = new(graph.Initializers);
        foreach ((string name, Tensor given) in inputs)
            values[name] = given;
        foreach (Node node in graph.Nodes)
        {
            Tensor?[] operands = [.. node.Inputs.Select(name => name.Length > 0 ? values[name] : null)];
            ImmutableArray<Operand> results = node.Operation.Infer([.. operands.Select(static x => x is null ? null : Operand.Of(x))]);
            Tensor[] made = [.. results.Take(node.Outputs.Length).Select(static result => Tensor.Zeros(result.Type, result.Shape))];
            node.Operation.Forward(operands, made, workers ?? Workers.Serial);
            for (int k = 0; k < made.Length; k++)
                if (node.Outputs[k].Length > 0)
                    values[node.Outputs[k]] = made[k];
        }
        Dictionary<string, Tensor> outputs = graph.Outputs.ToDictionary(static port => port.Name, port => values[port.Name]);

        Dictionary<string, Tensor> gradients = loss(outputs).ToDictionary(static g => g.Key, static g => new Identity().Apply(g.Value)[0]);
        GradientPaths paths = GradientPaths.Of(
            graph,
            chosen,
            values.ToDictionary(static v => v.Key, static v => Operand.Of(v.Value)),
            gradients.Keys
        );
        foreach (Node node in graph.Nodes.Reverse())
        {
            if (paths.ReadsOf(node) is not { } reads || !node.Outputs.Any(gradients.ContainsKey))
                continue;
            Tensor?[] carried = [.. node.Inputs.Select(name => paths.Carry(name) ? GradientOf(name) : null)];
            node.Operation.Backward(
                new(
                    [.. node.Inputs.Select(name => name.Length > 0 ? values[name].Shape : [])],
                    [.. node.Inputs.Select((name, i) => name.Length > 0 && reads.IncludesInput(i) ? values[name] : null)],
                    [.. node.Outputs.Select((name, k) => name.Length > 0 && reads.IncludesOutput(k) ? values[name] : null)],
                    [.. node.Outputs.Select(name => gradients.GetValueOrDefault(name))],
                    carried
                ),
                workers ?? Workers.Serial
            );
        }
        return new(outputs, chosen.ToDictionary(static name => name, GradientOf));

        Tensor GradientOf(string name) =>
            gradients.TryGetValue(name, out Tensor? known)
                ? known
                : gradients[name] = Tensor.Zeros(values[name].ElementType, values[name].Shape);
    }
}
