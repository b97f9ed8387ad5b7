using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// A convolution of quantised values with quantised weights, quantised again. Operands: x, its scale and zero point; w, scales and zero
/// points of its output channels; scale and zero point of the result; a bias in 32 bits, in units of the product of x's and w's scales.
/// </summary>
/// <param name="Window">The convolution: its strides, paddings and groups.</param>
public sealed record QLinearConv(Convolution Window) : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = Quantization.Bytes(inputs, 0, "x"),
            w = Quantization.Bytes(inputs, 3, "w"),
            zero = inputs.Required(7, "y_zero_point");
        ValueInfo result = Window.Infer([new(ElementType.Float32, x.Shape), new(ElementType.Float32, w.Shape)])[0];
        Quantization.CheckScale(inputs, 1, "x_scale", 1, x.Type);
        Quantization.CheckScale(inputs, 4, "w_scale", w.Shape[0], w.Type);
        Quantization.CheckScale(inputs, 6, "y_scale", 1);
        if (inputs.Optional(8) is { } bias && (bias.Type != ElementType.Int32 || bias.Shape != [w.Shape[0]]))
            throw new ShapeException($"the bias must hold {w.Shape[0]} numbers of Int32, not {bias.Type} {bias.Shape}.");
        return Quantization.IsInteger(zero.Type)
            ? [new(zero.Type, result.Shape)]
            : throw new BadInputException($"input 7 (y_zero_point) must hold 8-bit integers, not {zero.Type}.");
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<float> sums = ConvInteger.Sum(Window, inputs[0]!, inputs[2], inputs[3]!, inputs[5], exactly: false, workers).Of<float>();
        ReadOnlySpan<float> scales = inputs[4]!.Of<float>().Values;
        float scale = inputs[1]!.Of<float>().Values[0] / inputs[6]!.Of<float>().Values[0];
        int channels = sums.Shape[1],
            plane = sums.Shape.ElementCountOf(2, sums.Shape.Rank);
        Tensor<int>? bias = inputs.Optional(8)?.Of<int>();
        for (int row = 0; row < sums.Shape[0] * channels; row++)
        {
            Span<float> values = sums.Values.Slice(row * plane, plane);
            int channel = row % channels;
            if (bias is not null)
                TensorPrimitives.Add(values, bias.Values[channel], values);
            TensorPrimitives.Multiply(values, scale * scales[scales.Length == 1 ? 0 : channel], values);
        }
        new QuantizeLinear().Forward([sums, One, inputs[7]!.As([])], outputs, workers);
    }

    internal static Tensor<float> One => new([], new[] { 1f });

    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        (long)outputs[0].Shape.ElementCount * inputs[3]!.Shape.ElementCountOf(1, inputs[3]!.Shape.Rank);
}
