using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// A function of quantised values, quantised again, as ONNX Runtime's own operators are: QLinearAdd and its like. Operands are each value
/// with its scale and zero point, then scale and zero point of the result.
/// </summary>
/// <param name="Type">The operator's name.</param>
/// <param name="Function">The function of real numbers.</param>
/// <param name="Operands">How many values it takes; 0 for a list, whose result's scale and zero point then come first.</param>
internal sealed record QuantizedFunction(string Type, Operation Function, int Operands) : Operation
{
    public override string Name => $"com.microsoft.{Type}";

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        (int values, int count, int result) = Places(inputs.Length);
        ValueInfo?[] real = new ValueInfo?[count];
        ElementType type = ElementType.UInt8;
        for (int i = 0; i < count; i++)
        {
            ValueInfo value = Quantization.Bytes(inputs, values + 3 * i, $"value {i}");
            Quantization.CheckScale(inputs, values + 3 * i + 1, $"scale of value {i}", 1, value.Type);
            real[i] = new(ElementType.Float32, value.Shape);
            type = value.Type;
        }
        Quantization.CheckScale(inputs, result, "scale of the result", 1, type);
        return [.. Function.Infer(real).Select(r => new ValueInfo(type, r.Shape))];
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        (int values, int count, int result) = Places(inputs.Length);
        Tensor?[] real = new Tensor?[count];
        for (int i = 0; i < count; i++)
        {
            int at = values + 3 * i;
            real[i] = new DequantizeLinear().Evaluate([inputs[at], inputs[at + 1]!.As([]), inputs[at + 2]?.As([])], 1, workers)[0];
        }
        Tensor y = Function.Evaluate(real, 1, workers)[0],
            zero = inputs.Optional(result + 1)?.As([]) ?? Tensor.Zeros(outputs[0].ElementType, []);
        new QuantizeLinear().Forward([y, inputs[result]!.As([]), zero], outputs, workers);
    }

    /// <summary>Inputs at which values stand, each with its scale and zero point behind it; and where those of the result stand.</summary>
    public (ImmutableArray<int> Values, int Result) PlacesOf(int inputs)
    {
        (int values, int count, int result) = Places(inputs);
        return ([.. Enumerable.Range(0, count).Select(k => values + 3 * k)], result);
    }

    /// <summary>Where values begin, how many there are, and where the result's scale stands.</summary>
    private (int Values, int Count, int Result) Places(int inputs)
    {
        if (Operands > 0)
            return (0, Operands, 3 * Operands);
        return inputs >= 5 && inputs % 3 == 2
            ? (2, inputs / 3, 0)
            : throw new BadInputException($"{inputs} operands are no list of values with scales and zero points.");
    }
}
