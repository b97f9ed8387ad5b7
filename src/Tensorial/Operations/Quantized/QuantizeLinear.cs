using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>y = saturate(round(x / scale) + zero point), halves rounding to even. Scales and zero points belong to all values, or to
/// positions or blocks along an axis.</summary>
/// <param name="Axis">The axis, where there are several scales.</param>
/// <param name="BlockSize">Values along the axis that share a scale; 0 for one scale a position.</param>
/// <param name="Type">The integers of the result; null for those of the zero point, or 8 bits without sign.</param>
public sealed record QuantizeLinear(int Axis = 1, int BlockSize = 0, ElementType? Type = null) : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Numeric(0, "x"),
            scale = inputs.Required(1, "y_scale");
        if (!x.Type.IsFloating() && x.Type != ElementType.Int32)
            throw new BadInputException($"input 0 (x) must hold floating-point or Int32 numbers, not {x.Type}.");
        if (!scale.Type.IsFloating())
            throw new BadInputException($"input 1 (y_scale) must hold floating-point numbers, not {scale.Type}.");
        QuantizationLayout.From(x.Shape, scale.Shape, Axis, BlockSize);
        ElementType type = Type ?? ElementType.UInt8;
        if (inputs.Optional(2) is { } zero)
        {
            Quantization.CheckZero(zero, scale, "y_zero_point");
            if (Type is { } wanted && wanted != zero.Type)
                throw new BadInputException($"output_dtype asks for {wanted}, y_zero_point is of {zero.Type}.");
            type = zero.Type;
        }
        return Quantization.IsInteger(type)
            ? [new(type, x.Shape)]
            : throw new BadInputException($"values are quantised to integers of 8 or 16 bits, not to {type}.");
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        if (inputs[0] is Tensor<double> || inputs[1] is Tensor<double>)
            Quantize(
                inputs[0]!.To(ElementType.Float64).Of<double>(),
                inputs[1]!.To(ElementType.Float64).Of<double>(),
                inputs,
                outputs[0],
                workers
            );
        else
            Quantize(
                inputs[0]!.To(ElementType.Float32).Of<float>(),
                inputs[1]!.To(ElementType.Float32).Of<float>(),
                inputs,
                outputs[0],
                workers
            );
    }

    private void Quantize<T>(Tensor<T> x, Tensor<T> scale, ReadOnlySpan<Tensor?> inputs, Tensor y, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        QuantizationLayout layout = QuantizationLayout.From(x.Shape, scale.Shape, Axis, BlockSize);
        Tensor<T>? zero = inputs.Optional(2)?.To(ElementTypes.Of<T>()).Of<T>();
        switch (y)
        {
            case Tensor<sbyte> q:
                Quantize(x, scale, zero, layout, q, workers);
                break;
            case Tensor<byte> q:
                Quantize(x, scale, zero, layout, q, workers);
                break;
            case Tensor<short> q:
                Quantize(x, scale, zero, layout, q, workers);
                break;
            default:
                Quantize(x, scale, zero, layout, y.Of<ushort>(), workers);
                break;
        }
    }

    private static void Quantize<T, TQ>(
        Tensor<T> x,
        Tensor<T> scale,
        Tensor<T>? zero,
        QuantizationLayout layout,
        Tensor<TQ> y,
        Workers workers
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TQ : unmanaged, INumber<TQ>
    {
        int pieces = layout.Runs == 1 ? (layout.Inner + Quantization.Piece - 1) / Quantization.Piece : layout.Runs;
        workers.For(
            pieces,
            piece =>
            {
                (int run, int first, int length) =
                    layout.Runs == 1
                        ? (0, piece * Quantization.Piece, Math.Min(Quantization.Piece, layout.Inner - piece * Quantization.Piece))
                        : (piece, 0, layout.Inner);
                int at = layout.ScaleOf(run);
                Span<T> buffer = stackalloc T[Quantization.Step];
                for (int done = 0; done < length; done += Quantization.Step)
                {
                    int step = Math.Min(Quantization.Step, length - done),
                        from = run * layout.Inner + first + done;
                    Span<T> scaled = buffer[..step];
                    ReadOnlySpan<T> values = x.Values.Slice(from, step);
                    if (layout.Block == 0)
                    {
                        TensorPrimitives.Divide(values, scale.Values[at], scaled);
                        TensorPrimitives.Round<T>(scaled, scaled);
                        if (zero is not null)
                            TensorPrimitives.Add(scaled, zero.Values[at], scaled);
                    }
                    else
                    {
                        TensorPrimitives.Divide(values, scale.Values.Slice(at + done, step), scaled);
                        TensorPrimitives.Round<T>(scaled, scaled);
                        if (zero is not null)
                            TensorPrimitives.Add(scaled, zero.Values.Slice(at + done, step), scaled);
                    }
                    TensorPrimitives.ConvertSaturating<T, TQ>(scaled, y.Values.Slice(from, step));
                }
            }
        );
    }
}
