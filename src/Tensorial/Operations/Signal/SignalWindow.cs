using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>A window for Fourier transforms, a sum of cosines: Σ (-1)^k a_k cos(2π k i / N), as long as the operand says.</summary>
/// <param name="Type">The operator's name: HannWindow, HammingWindow or BlackmanWindow.</param>
/// <param name="Periodic">Whether N is the length, not one less.</param>
/// <param name="Result">Type of the values.</param>
internal sealed record SignalWindow(string Type, bool Periodic = true, ElementType Result = ElementType.Float32) : Operation
{
    public override string Name => Type;

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        int length = (inputs.Constant(0, "size") ?? throw new BadInputException("input 0 (size) is missing."))
            .Single("size")
            .Integers("size")[0];
        return length >= 0 ? [new(Result, [length])] : throw new ShapeException($"a window of {length} values does not exist.");
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        ReadOnlySpan<double> weights = Type switch
        {
            "HannWindow" => [0.5, 0.5],
            "HammingWindow" => [25.0 / 46, 21.0 / 46],
            _ => [0.42, 0.5, 0.08],
        };
        Tensor<double> window = new(outputs[0].Shape);
        int length = window.Shape.ElementCount,
            period = Math.Max(1, Periodic ? length : length - 1);
        for (int i = 0; i < length; i++)
        for (int k = 0; k < weights.Length; k++)
            window.Values[i] += (k % 2 == 0 ? 1 : -1) * weights[k] * Math.Cos(2 * Math.PI * k * i / period);
        Conversion.Convert(window, outputs[0]);
    }
}
