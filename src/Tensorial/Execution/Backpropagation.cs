using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>A network's outputs and the gradients that were asked for, by name.</summary>
public sealed record Backpropagated(IReadOnlyDictionary<string, Tensor> Outputs, IReadOnlyDictionary<string, Tensor> Gradients);

/// <summary>
/// Gradients by the network's own graph (<see cref="Differentiate"/>), run node by node, each operation by its plain definition and in its
/// own element type: what the fast executor (<see cref="TrainedNetwork"/>) is compared with.
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
        IReadOnlyDictionary<string, Tensor> outputs = Interpreter.Run(graph, inputs, workers);
        IReadOnlyDictionary<string, Tensor> seeds = loss(outputs);
        IReadOnlyDictionary<string, ValueInfo> shapes = ShapeInference.Run(
            graph with
            {
                Inputs = [.. graph.Inputs.Select(Typed)],
            },
            inputs.ToDictionary(static x => x.Key, static x => x.Value.Shape),
            chosen.ToHashSet()
        );
        Differentiated derivatives = Differentiate.Apply(graph, shapes, chosen, [.. seeds.Keys]);
        Dictionary<string, Tensor> given = new(inputs);
        foreach ((string output, string seed) in derivatives.Seeds)
            given[seed] = seeds[output];
        IReadOnlyDictionary<string, Tensor> results = Interpreter.Run(derivatives.Graph, given, workers);
        return new(
            outputs,
            chosen
                .Distinct()
                .ToDictionary(
                    static name => name,
                    name =>
                        derivatives.Gradients.TryGetValue(name, out string? gradient)
                            ? results[gradient]
                            : Tensor.Zeros(shapes[name].Type, shapes[name].Shape)
                )
        );

        Port Typed(Port port) => inputs.TryGetValue(port.Name, out Tensor? x) ? port with { Type = x.ElementType } : port;
    }
}
