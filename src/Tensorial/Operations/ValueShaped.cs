using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// An operation whose values decide how many results there are, such as the boxes that are left after suppression. Extents are known
/// where every operand is constant, and while a network is interpreted.
/// </summary>
public abstract record ValueShaped : Operation
{
    /// <summary>The results, extents and values.</summary>
    /// <exception cref="BadInputException">The operands do not fit.</exception>
    private protected abstract Tensor[] Compute(ReadOnlySpan<Tensor?> inputs, Workers workers);

    internal sealed override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        Tensor?[] values = new Tensor?[inputs.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = inputs.Constant(i, $"input {i}");
        return [.. Compute(values, Workers.Serial).Select(ValueInfo.From)];
    }

    internal sealed override Tensor[] Evaluate(
        ReadOnlySpan<Tensor?> inputs,
        int count,
        Workers workers,
        Action<ImmutableArray<ValueInfo>>? check = null
    )
    {
        Tensor[] results = Compute(inputs, workers);
        return results[..Limited(count, results.Length)];
    }

    internal sealed override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor[] results = Compute(inputs, workers);
        for (int i = 0; i < outputs.Length; i++)
            Conversion.Convert(results[i], outputs[i]);
    }
}
