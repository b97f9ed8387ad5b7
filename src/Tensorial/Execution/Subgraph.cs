using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>A graph as an operation: the body of a branch or a loop. Operands stand in the order of its inputs, results of its outputs.</summary>
/// <param name="Body">The graph; what it captures from around it is among its inputs.</param>
internal sealed record Subgraph(Graph Body) : Operation
{
    internal override int OperationCount { get; } = 1 + Body.Nodes.Sum(static node => node.Operation.OperationCount);

    internal override long OwnParameters { get; } = GraphStatistics.ParametersOf(Body);

    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs)
    {
        Dictionary<string, ValueInfo> given = [];
        for (int i = 0; i < Body.Inputs.Length; i++)
            if (inputs.Optional(i) is { } operand)
                given[Body.Inputs[i].Name] = operand;
        return GraphStatistics.MacsOf(Body, ShapeInference.Explore(Body, given).Operands);
    }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        Dictionary<string, ValueInfo> given = [];
        for (int i = 0; i < Body.Inputs.Length; i++)
            if (inputs.Optional(i) is { } operand)
                given[Body.Inputs[i].Name] = operand;
        InferredShapes shapes = ShapeInference.Explore(Body, given);
        if (!shapes.Failures.IsEmpty)
            throw shapes.Failures[0].Reason;
        return
        [
            .. Body.Outputs.Select(port =>
                shapes.Operands.GetValueOrDefault(port.Name)
                ?? throw new BadInputException($"the extents of the body's output '{port.Name}' are not known.")
            ),
        ];
    }

    internal override Tensor[] Evaluate(
        ReadOnlySpan<Tensor?> inputs,
        int count,
        Workers workers,
        Action<ImmutableArray<ValueInfo>>? check = null
    )
    {
        Dictionary<string, Tensor> given = [];
        for (int i = 0; i < Body.Inputs.Length; i++)
            if (inputs.Optional(i) is { } value)
                given[Body.Inputs[i].Name] = value;
        IReadOnlyDictionary<string, Tensor> results = Interpreter.Run(Body, given, workers);
        return [.. Body.Outputs.Take(Limited(count, Body.Outputs.Length)).Select(port => results[port.Name])];
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor[] results = Evaluate(inputs, outputs.Length, workers);
        for (int i = 0; i < outputs.Length; i++)
            Conversion.Convert(results[i], outputs[i]);
    }
}
