using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>A convolution of 8-bit integers, each less its zero point, summed in 32 bits.</summary>
/// <param name="Window">The convolution: its strides, paddings and groups.</param>
public sealed record ConvInteger(Convolution Window) : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = Quantization.Bytes(inputs, 0, "x"),
            w = Quantization.Bytes(inputs, 1, "w");
        ValueInfo result = Window.Infer([new(ElementType.Float32, x.Shape), new(ElementType.Float32, w.Shape)])[0];
        if (inputs.Optional(2) is { } zero)
            Quantization.CheckExtents(zero, 2, "x_zero_point", 1);
        if (inputs.Optional(3) is { } zeros)
            Quantization.CheckExtents(zeros, 3, "w_zero_point", w.Shape[0]);
        return [new(ElementType.Int32, result.Shape)];
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Conversion.Convert(Sum(Window, inputs[0]!, inputs.Optional(2), inputs[1]!, inputs.Optional(3), exactly: true, workers), outputs[0]);

    /// <summary>The sums of products, whole numbers held as floating-point ones.</summary>
    internal static Tensor Sum(Convolution window, Tensor x, Tensor? zeroX, Tensor w, Tensor? zeroW, bool exactly, Workers workers)
    {
        ElementType type = exactly ? Quantization.ExactFor(w.Shape.ElementCountOf(1, w.Shape.Rank)) : ElementType.Float32;
        Tensor wide = Quantization.Centred(x, zeroX, [], type),
            kernel = Quantization.Centred(w, zeroW, zeroW is null ? null : Quantization.Along(zeroW, 0, w.Shape.Rank), type);
        return window.Evaluate([wide, kernel], 1, workers)[0];
    }

    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) => Window.Macs(inputs, outputs);
}
