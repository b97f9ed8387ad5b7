using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>A matrix of the operand's extents with ones on a diagonal.</summary>
/// <param name="Diagonal">Which: 0 the main one, positive ones above it.</param>
/// <param name="Type">Type of the result; null for the operand's.</param>
public sealed record EyeLike(int Diagonal = 0, ElementType? Type = null) : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "input").OfRank(2, "the input");
        return [new(Type ?? x.Type, x.Shape)];
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<byte> eye = new(outputs[0].Shape);
        for (int row = 0; row < eye.Shape[0]; row++)
            if (row + (long)Diagonal is >= 0 and var column && column < eye.Shape[1])
                eye.Values[row * eye.Shape[1] + (int)column] = 1;
        Conversion.Convert(eye, outputs[0]);
    }
}
