using System.Collections.Immutable;

namespace Tensorial.Operations;

/// <summary>How padding comes about.</summary>
public enum AutoPad
{
    /// <summary>As given.</summary>
    Explicit,

    /// <summary>None.</summary>
    Valid,

    /// <summary>So that the result has ⌈input / stride⌉ positions; an odd rest goes to the end.</summary>
    SameUpper,

    /// <summary>As <see cref="SameUpper"/>, an odd rest going to the beginning.</summary>
    SameLower,
}

/// <summary>One spatial axis of a sliding window: input position = stride · output + dilation · tap - begin.</summary>
/// <param name="Input">Extent of the input.</param>
/// <param name="Output">Number of positions of the window.</param>
/// <param name="Taps">Extent of the window.</param>
/// <param name="Stride">Distance between positions of the window.</param>
/// <param name="Dilation">Distance between taps.</param>
/// <param name="Begin">Padding before the input; negative crops.</param>
/// <param name="End">Padding behind the input; negative crops.</param>
internal readonly record struct WindowAxis(int Input, int Output, int Taps, int Stride, int Dilation, int Begin, int End)
{
    /// <summary>
    /// The axis of an equation. The padding behind is what makes just the positions there are; a window need not use all that was given.
    /// </summary>
    public Equations.Window ToWindow(char axis) =>
        new(axis)
        {
            Stride = Stride,
            Dilation = Dilation,
            Padding = Equations.Padding.From(Begin, (Output - 1) * Stride + Dilation * (Taps - 1) + 1 - Input - Begin),
        };

    /// <summary>The first and the last but one tap that meet the input when the window stands at <paramref name="output"/>.</summary>
    public (int First, int Past) TapsInside(int output)
    {
        int start = output * Stride - Begin;
        int first = start >= 0 ? 0 : (int)((-(long)start + Dilation - 1) / Dilation);
        int past = start >= Input ? 0 : Math.Min(Taps, (Input - 1 - start) / Dilation + 1);
        return (first, Math.Max(first, past));
    }
}

/// <summary>
/// An operation that slides a window over the axes behind batch and channels. Empty lists stand for strides 1, dilations 1, no padding.
/// </summary>
public abstract record Windowed : FloatOperation
{
    /// <summary>Extents of the window; empty where a kernel's shape says them.</summary>
    public ImmutableArray<int> KernelShape { get; init; } = [];

    /// <summary>Step of the window along each axis of space; empty for 1.</summary>
    public ImmutableArray<int> Strides { get; init; } = [];

    /// <summary>Distance of the window's taps along each axis of space; empty for 1.</summary>
    public ImmutableArray<int> Dilations { get; init; } = [];

    /// <summary>Padding before every spatial axis, then behind every one.</summary>
    public ImmutableArray<int> Pads { get; init; } = [];

    /// <summary>How padding follows from the extents.</summary>
    public AutoPad AutoPad { get; init; }

    /// <summary>The window over each spatial axis of an input, with all defaults and automatic padding resolved.</summary>
    /// <param name="spatial">Extents of the input without batch and channels.</param>
    /// <param name="taps">Extents of the window.</param>
    /// <param name="ceil">Whether a last position that reaches beyond the padding still counts.</param>
    /// <exception cref="ShapeException">The attributes do not fit the input or each other.</exception>
    private protected ImmutableArray<WindowAxis> Resolve(ReadOnlySpan<int> spatial, ReadOnlySpan<int> taps, bool ceil = false)
    {
        int axes = spatial.Length;
        Check(axes, taps);
        var windows = ImmutableArray.CreateBuilder<WindowAxis>(axes);
        for (int axis = 0; axis < axes; axis++)
        {
            int stride = Strides.IsEmpty ? 1 : Strides[axis],
                dilation = Dilations.IsEmpty ? 1 : Dilations[axis];
            windows.Add(Resolve(axis, spatial[axis], taps[axis], stride, dilation, ceil));
        }
        return windows.MoveToImmutable();
    }

    /// <summary>Refuses attributes that do not fit the number of spatial axes or the extents of the window.</summary>
    private protected void Check(int axes, ReadOnlySpan<int> taps)
    {
        CheckCount(KernelShape, axes, "kernel_shape");
        CheckCount(Strides, axes, "strides");
        CheckCount(Dilations, axes, "dilations");
        CheckCount(Pads, 2 * axes, "pads");
        if (Strides.Any(static s => s < 1) || Dilations.Any(static d => d < 1))
            throw new ShapeException(
                $"strides {string.Join('×', Strides)} and dilations {string.Join('×', Dilations)} must be at least 1."
            );
        foreach (int extent in taps)
            if (extent < 1)
                throw new ShapeException($"a window of extent {extent} holds nothing.");
        // Taps are counted in 32 bits.
        _ = Shape.From(taps);
        if (!KernelShape.IsEmpty && !KernelShape.AsSpan().SequenceEqual(taps))
            throw new ShapeException(
                $"kernel_shape says {string.Join('×', KernelShape)}, the weights say {string.Join('×', taps.ToArray())}."
            );
    }

    /// <summary>Positions along an axis, padding included.</summary>
    private protected const int MostPositions = 1 << 30;

    private WindowAxis Resolve(int axis, int input, int taps, int stride, int dilation, bool ceil)
    {
        long reach = (long)dilation * (taps - 1) + 1;
        int begin = 0,
            end = 0;
        if (AutoPad is AutoPad.SameUpper or AutoPad.SameLower)
        {
            long positions = ((long)input + stride - 1) / stride;
            int total = (int)Math.Clamp((positions - 1) * stride + reach - input, 0, int.MaxValue);
            begin = AutoPad == AutoPad.SameUpper ? total / 2 : total - total / 2;
            end = total - begin;
        }
        else if (AutoPad == AutoPad.Explicit && !Pads.IsEmpty)
        {
            (begin, end) = (Pads[axis], Pads[axis + Pads.Length / 2]);
        }
        long room = (long)input + begin + end - reach;
        if (room < 0)
            throw new ShapeException($"a window reaching over {reach} does not fit {input} values with padding {begin} and {end}.");
        // Every position, from the beginning of the padding to its end, is counted in 32 bits.
        if ((long)input + Math.Max(begin, 0) + Math.Max(end, 0) > MostPositions || Math.Min(begin, end) < -MostPositions)
            throw new ShapeException($"padding {begin} and {end} around {input} values is more than can be computed with.");
        long output = room / stride + 1;
        // A window that only ceiling admits must still start inside the input or its leading padding (ONNX 19, as PyTorch).
        if (ceil && room % stride != 0 && output * stride < (long)input + begin)
            output++;
        return new(input, checked((int)output), taps, stride, dilation, begin, end);
    }

    private protected static void CheckCount(ImmutableArray<int> values, int wanted, string name)
    {
        if (!values.IsEmpty && values.Length != wanted)
            throw new ShapeException($"{name} has {values.Length} values where the input's spatial axes ask for {wanted}.");
    }
}
