using System.Collections.Immutable;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>Windows over feature maps as the blocked kernels know them.</summary>
internal static class PlaneWindows
{
    /// <summary>The window of a plane, or of a single row where there is one axis; null where padding is negative or there is no plane.</summary>
    public static PlaneWindow? From(ImmutableArray<WindowAxis> axes)
    {
        if (axes is [var only])
            axes = [new(Input: 1, Output: 1, Taps: 1, Stride: 1, Dilation: 1, Begin: 0, End: 0), only];
        return axes is not [var y, var x] || Math.Min(Math.Min(y.Begin, y.End), Math.Min(x.Begin, x.End)) < 0
            ? null
            : new(y.Taps, x.Taps, y.Stride, x.Stride, y.Dilation, x.Dilation, new(y.Begin, x.Begin, y.End, x.End));
    }

    /// <summary>The convolution of a feature map by a kernel; null where blocked kernels do not know it.</summary>
    public static ConvolutionShape? Convolution(Convolution operation, Shape input, Shape weights) =>
        input.Rank is 3 or 4 ? Shape(operation.Windows(input, weights), input[1], weights[0], operation.Groups) : null;

    /// <summary>
    /// The convolution whose input gradient a transposed convolution is: from its result to its input, by the same weights. Null where
    /// blocked kernels do not know it.
    /// </summary>
    public static ConvolutionShape? Transposed(ConvolutionTranspose operation, Shape input, Shape weights) =>
        input.Rank is 3 or 4 ? Shape(operation.Windows(input, weights), weights[1] * operation.Groups, input[1], operation.Groups) : null;

    private static ConvolutionShape? Shape(ImmutableArray<WindowAxis> axes, int inputs, int outputs, int groups)
    {
        if (From(axes) is not { } w)
            return null;
        ConvolutionShape shape = new(inputs, outputs, w.Height, w.Width, w.StrideY, w.StrideX, w.DilationY, w.DilationX, w.Padding, groups);
        return BlockedConvolution.Supports(shape) ? shape : null;
    }
}
