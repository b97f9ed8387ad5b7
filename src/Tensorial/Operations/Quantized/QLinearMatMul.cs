using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>The matrix product of quantised values, quantised again. Operands: a, its scale and zero point; b and its own; those of the
/// result.</summary>
public sealed record QLinearMatMul : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo a = Quantization.Bytes(inputs, 0, "a"),
            b = Quantization.Bytes(inputs, 3, "b"),
            zero = inputs.Required(7, "y_zero_point");
        ValueInfo result = new MatMul().Infer([new(ElementType.Float32, a.Shape), new(ElementType.Float32, b.Shape)])[0];
        foreach ((int at, Shape matrix, int side) in ((int, Shape, int)[])[(1, a.Shape, 0), (4, b.Shape, 1)])
        {
            QuantizedProduct.Stretched(inputs.Floating(at, "scale").Shape, matrix, side);
            QuantizedProduct.Stretched(inputs.Required(at + 1, "zero point").Shape, matrix, side);
        }
        if (inputs.Floating(6, "y_scale").Shape.ElementCount != 1 || zero.Shape.ElementCount != 1)
            throw new ShapeException("y_scale and y_zero_point must be single values.");
        return Quantization.IsInteger(zero.Type)
            ? [new(zero.Type, result.Shape)]
            : throw new BadInputException($"input 7 (y_zero_point) must hold 8-bit integers, not {zero.Type}.");
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        (Tensor a, Tensor b) = (inputs[0]!, inputs[3]!);
        Tensor sums = QuantizedProduct.Sum(a, inputs[2], b, inputs[5], workers);
        Tensor left = inputs[1]!.To(sums.ElementType).As(QuantizedProduct.Stretched(inputs[1]!.Shape, a.Shape, 0)),
            right = inputs[4]!.To(sums.ElementType).As(QuantizedProduct.Stretched(inputs[4]!.Shape, b.Shape, 1));
        Tensor scaled = new Mul().Apply(new Mul().Apply(sums, left)[0], right)[0];
        Tensor scale = inputs[6]!.To(sums.ElementType).As([]);
        new QuantizeLinear().Forward([scaled, scale, inputs[7]!.As([])], outputs, workers);
    }

    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        (long)outputs[0].Shape.ElementCount * inputs[0]!.Shape[^1];
}
