using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// A matrix product of quantised values with a bias, as ONNX Runtime has it: alpha A B + C. Operands: A, its scale and zero point; B with
/// scales and zero points of all of it or of its columns; C in 32 bits, in units of alpha and the scales of A and B; scale and zero point of
/// the result, which is float32 without them.
/// </summary>
public sealed record QGemm : Operation
{
    /// <inheritdoc/>
    public override string Name => "com.microsoft.QGemm";

    /// <summary>Factor of the product.</summary>
    public float Alpha { get; init; } = 1;

    /// <summary>Whether the first matrix is transposed.</summary>
    public bool TransposeA { get; init; }

    /// <summary>Whether the second matrix is transposed.</summary>
    public bool TransposeB { get; init; }

    private Gemm Product => new() { TransposeA = TransposeA, TransposeB = TransposeB };

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo a = Quantization.Bytes(inputs, 0, "A"),
            b = Quantization.Bytes(inputs, 3, "B");
        ValueInfo? c = inputs.Optional(6);
        ValueInfo result = Product.Infer([
            new(ElementType.Float32, a.Shape),
            new(ElementType.Float32, b.Shape),
            c is null ? null : new(ElementType.Float32, c.Shape),
        ])[0];
        Quantization.CheckScale(inputs, 1, "a_scale", 1, a.Type);
        Quantization.CheckScale(inputs, 4, "b_scale", result.Shape[1], b.Type);
        if (c is not null && c.Type != ElementType.Int32)
            throw new BadInputException($"input 6 (C) must hold Int32 numbers, not {c.Type}.");
        if (inputs.Optional(7) is null)
            return [result];
        Quantization.CheckScale(inputs, 7, "y_scale", 1);
        ElementType type = inputs.Optional(8)?.Type ?? a.Type;
        return Quantization.IsInteger(type)
            ? [new(type, result.Shape)]
            : throw new BadInputException($"input 8 (y_zero_point) must hold 8-bit integers, not {type}.");
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        (Tensor a, Tensor b) = (inputs[0]!, inputs[3]!);
        int columns = outputs[0].Shape[1],
            rows = outputs[0].Shape[0];
        ElementType type = Quantization.ExactFor(a.Shape.ElementCount / Math.Max(1, rows));
        Shape zeros = inputs[5] is { Shape.ElementCount: > 1 }
            ? TransposeB
                ? [columns, 1]
                : [1, columns]
            : [];
        Tensor?[] operands =
        [
            Quantization.Centred(a, inputs[2], [], type),
            Quantization.Centred(b, inputs[5], zeros, type),
            inputs.Optional(6)?.To(type),
        ];
        Tensor<float> sums = Product.Evaluate(operands, 1, workers)[0].To(ElementType.Float32).Of<float>();
        ReadOnlySpan<float> scales = inputs[4]!.Of<float>().Values;
        float scale = Alpha * inputs[1]!.Of<float>().Values[0];
        for (int i = 0; i < sums.Shape.ElementCount; i++)
            sums.Values[i] *= scale * scales[scales.Length == 1 ? 0 : i % columns];
        if (inputs.Optional(7) is not { } step)
            Conversion.Convert(sums, outputs[0]);
        else
            new QuantizeLinear().Forward(
                [sums, step.As([]), inputs.Optional(8)?.As([]) ?? Tensor.Zeros(outputs[0].ElementType, [])],
                outputs,
                workers
            );
    }

    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        (long)outputs[0].Shape.ElementCount * inputs[0]!.Shape[TransposeA ? 0 : 1];
}
