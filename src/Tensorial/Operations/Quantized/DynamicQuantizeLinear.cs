using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// Values quantised to 8 bits without sign over their own range, 0 included; further results are the scale and the zero point.
/// </summary>
public sealed record DynamicQuantizeLinear : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "x");
        return x.Type == ElementType.Float32
            ? [new(ElementType.UInt8, x.Shape), new(ElementType.Float32, []), new(ElementType.UInt8, [])]
            : throw new BadInputException($"input 0 (x) must hold Float32 numbers, not {x.Type}.");
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<float> x = inputs[0]!.Of<float>();
        float low = x.Shape.ElementCount == 0 ? 0 : Math.Min(0, TensorPrimitives.Min<float>(x.Values)),
            high = x.Shape.ElementCount == 0 ? 0 : Math.Max(0, TensorPrimitives.Max<float>(x.Values)),
            scale = high == low ? 1 : (high - low) / byte.MaxValue,
            zero = MathF.Round(Math.Clamp(-low / scale, 0, byte.MaxValue));
        Tensor<float> scales = new([], new[] { scale });
        Tensor<byte> zeros = new([], new[] { byte.CreateSaturating(zero) });
        new QuantizeLinear().Forward([x, scales, zeros], outputs[..1], workers);
        if (outputs.Length > 1)
            outputs[1].Of<float>().Values[0] = scale;
        if (outputs.Length > 2)
            outputs[2].Of<byte>().Values[0] = zeros.Values[0];
    }
}
