using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// The matrix product of 8-bit integers, each less its zero point, summed in 32 bits. Zero points belong to all of a matrix, to the rows of
/// the left, or to the columns of the right one.
/// </summary>
public sealed record MatMulInteger : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo a = Quantization.Bytes(inputs, 0, "A"),
            b = Quantization.Bytes(inputs, 1, "B");
        ValueInfo result = new MatMul().Infer([new(ElementType.Float32, a.Shape), new(ElementType.Float32, b.Shape)])[0];
        if (inputs.Optional(2) is { } zeroA)
            QuantizedProduct.Stretched(zeroA.Shape, a.Shape, 0);
        if (inputs.Optional(3) is { } zeroB)
            QuantizedProduct.Stretched(zeroB.Shape, b.Shape, 1);
        return [new(ElementType.Int32, result.Shape)];
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Conversion.Convert(QuantizedProduct.Sum(inputs[0]!, inputs.Optional(2), inputs[1]!, inputs.Optional(3), workers), outputs[0]);

    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        (long)outputs[0].Shape.ElementCount * inputs[0]!.Shape[^1];
}

/// <summary>Products of matrices of 8-bit integers.</summary>
internal static class QuantizedProduct
{
    /// <summary>The sums of products, whole numbers held exactly as floating-point ones.</summary>
    public static Tensor Sum(Tensor a, Tensor? zeroA, Tensor b, Tensor? zeroB, Workers workers)
    {
        ElementType type = Quantization.ExactFor(a.Shape[^1]);
        Tensor left = Quantization.Centred(a, zeroA, zeroA is null ? null : Stretched(zeroA.Shape, a.Shape, 0), type),
            right = Quantization.Centred(b, zeroB, zeroB is null ? null : Stretched(zeroB.Shape, b.Shape, 1), type);
        return new MatMul().Evaluate([left, right], 1, workers)[0];
    }

    /// <summary>
    /// The shape under which scales or zero points stretch to a matrix: a list belongs to the rows of the left (side 0), the columns of the
    /// right matrix (side 1).
    /// </summary>
    public static Shape Stretched(Shape numbers, Shape matrix, int side)
    {
        if (numbers.ElementCount == 1)
            return [];
        Shape stretched = numbers.Rank == 1 && side == 0 ? [numbers[0], 1] : numbers;
        return Broadcasting.Reaches(stretched, matrix)
            ? stretched
            : throw new ShapeException($"scales or zero points of shape {numbers} fit no matrix of {matrix}.");
    }
}
