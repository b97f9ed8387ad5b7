using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>An operation that is made of other operations. Its operands are its own, then the values that its bodies read from around.</summary>
public abstract record Branching : Operation
{
    /// <summary>Operands the node itself has, before those that its bodies capture.</summary>
    public abstract int OwnInputs { get; }

    internal sealed override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor[] results = Evaluate(inputs, outputs.Length, workers);
        for (int i = 0; i < outputs.Length; i++)
        {
            if (results[i].Shape != outputs[i].Shape || results[i].ElementType != outputs[i].ElementType)
                throw new ShapeException($"result {i} is {results[i]}, where {outputs[i]} was expected.");
            Conversion.Convert(results[i], outputs[i]);
        }
    }
}
