using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>y = (x - zero point) scale. Scales and zero points belong to all values, or to positions or blocks along an axis.</summary>
/// <param name="Axis">The axis, where there are several scales.</param>
/// <param name="BlockSize">Values along the axis that share a scale; 0 for one scale a position.</param>
/// <param name="Type">Type of the result; null for that of the scale.</param>
public sealed record DequantizeLinear(int Axis = 1, int BlockSize = 0, ElementType? Type = null) : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Numeric(0, "x"),
            scale = inputs.Floating(1, "x_scale");
        if (!Quantization.IsInteger(x.Type) && x.Type != ElementType.Int32)
            throw new BadInputException($"input 0 (x) must hold integers of 8, 16 or 32 bits, not {x.Type}.");
        QuantizationLayout.From(x.Shape, scale.Shape, Axis, BlockSize);
        if (inputs.Optional(2) is { } zero)
        {
            Quantization.CheckZero(zero, scale, "x_zero_point");
            Operands.SameType(x, zero);
        }
        ElementType type = Type ?? scale.Type;
        return type.IsFloating() ? [new(type, x.Shape)] : throw new BadInputException($"output_dtype {type} is no floating-point type.");
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        if (inputs[1] is Tensor<double>)
            Dequantize<double>(inputs, outputs[0], workers);
        else
            Dequantize<float>(inputs, outputs[0], workers);
    }

    /// <summary>The scales alone have a gradient.</summary>
    internal override Reads? GradientReads(int input) => input == 1 ? Reads.Input(0) | Reads.Input(1) | Reads.Input(2) : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(1) is not { } scales)
            return;
        QuantizationLayout layout = QuantizationLayout.From(pull.Shape(0), scales.Shape, Axis, BlockSize);
        Tensor<T> x = pull.Inputs[0]!.To(ElementTypes.Of<T>()).Of<T>();
        Tensor<T>? zero = pull.Inputs.Optional(2)?.To(ElementTypes.Of<T>()).Of<T>();
        for (int run = 0; run < layout.Runs; run++)
        for (int k = 0; k < layout.Inner; k++)
        {
            int from = run * layout.Inner + k,
                at = layout.ScaleOf(run) + (layout.Block == 0 ? 0 : k);
            scales.Values[at] += pull.Dy.Values[from] * (x.Values[from] - (zero is null ? T.Zero : zero.Values[at]));
        }
    }

    private void Dequantize<T>(ReadOnlySpan<Tensor?> inputs, Tensor result, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ElementType type = ElementTypes.Of<T>();
        Tensor<T> y = result as Tensor<T> ?? new Tensor<T>(result.Shape),
            scale = inputs[1]!.To(type).Of<T>();
        Tensor<T>? zero = inputs.Optional(2)?.To(type).Of<T>();
        QuantizationLayout layout = QuantizationLayout.From(y.Shape, scale.Shape, Axis, BlockSize);
        Conversion.Convert(inputs[0]!, y);
        workers.For(
            layout.Runs,
            run =>
            {
                Span<T> values = y.Values.Slice(run * layout.Inner, layout.Inner);
                int at = layout.ScaleOf(run);
                if (layout.Block == 0)
                {
                    if (zero is not null)
                        TensorPrimitives.Subtract(values, zero.Values[at], values);
                    TensorPrimitives.Multiply(values, scale.Values[at], values);
                    return;
                }
                if (zero is not null)
                    TensorPrimitives.Subtract(values, zero.Values.Slice(at, layout.Inner), values);
                TensorPrimitives.Multiply(values, scale.Values.Slice(at, layout.Inner), values);
            }
        );
        if (y != result)
            Conversion.Convert(y, result);
    }
}
