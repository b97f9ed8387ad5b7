namespace Tensorial.Kernels.Blocked;

/// <summary>
/// Along one axis, the input positions of one residue modulo the stride, first + stride·q, and the taps that reach them: those with
/// first + padding - dilation·tap a multiple of the stride, which lie stride / gcd(stride, dilation) apart. Their gradient is
/// dx(first + stride·q) = Σₜ k(tap + tapStep·t) dy(q + shift - apart·t).
/// </summary>
/// <param name="First">The first position.</param>
/// <param name="Positions">How many there are.</param>
/// <param name="Tap">The first tap that reaches them.</param>
/// <param name="TapStep">From one such tap to the next.</param>
/// <param name="Taps">How many there are.</param>
/// <param name="Apart">From what one such tap reads of dy to what the next reads.</param>
/// <param name="Before">Zeros before dy; negative where the first values of dy reach none of the positions.</param>
/// <param name="After">Zeros behind it, or values that reach none.</param>
internal readonly record struct AxisPhase(int First, int Positions, int Tap, int TapStep, int Taps, int Apart, int Before, int After)
{
    /// <summary>The phase that begins at a position below the stride; null where no tap reaches it, or only from outside dy.</summary>
    /// <param name="first">The position.</param>
    /// <param name="extent">Positions of the input.</param>
    /// <param name="upstream">Positions of dy.</param>
    public static AxisPhase? From(int first, int extent, int upstream, int taps, int stride, int dilation, int padding)
    {
        int tapStep = stride / (int)System.Numerics.BigInteger.GreatestCommonDivisor(stride, dilation),
            past = Math.Min(taps, tapStep),
            tap = 0;
        while (tap < past && (first + padding - tap * dilation) % stride != 0)
            tap++;
        if (tap == past || first >= extent)
            return null;
        int count = (taps - 1 - tap) / tapStep + 1,
            positions = (extent - 1 - first) / stride + 1,
            apart = dilation * tapStep / stride;
        int shift = (first + padding - tap * dilation) / stride,
            reach = (count - 1) * apart;
        int before = reach - shift,
            after = positions + shift - upstream;
        bool seesNothing = Math.Min(before, 0) + Math.Min(after, 0) <= -upstream;
        return seesNothing ? null : new(first, positions, tap, tapStep, count, apart, before, after);
    }
}

/// <summary>A phase of both axes of a plane.</summary>
/// <param name="Shape">The convolution whose input it is about.</param>
internal readonly record struct InputPhase(ConvolutionShape Shape, AxisPhase Down, AxisPhase Right)
{
    /// <summary>The convolution of dy that makes the phase, a plane without gaps.</summary>
    public ConvolutionShape Convolution =>
        new(
            Shape.OutputChannels,
            Shape.InputChannels,
            Down.Taps,
            Right.Taps,
            1,
            1,
            Down.Apart,
            Right.Apart,
            new(Math.Max(0, Down.Before), Math.Max(0, Right.Before), Math.Max(0, Down.After), Math.Max(0, Right.After)),
            Shape.Groups
        );

    /// <summary>The fastest method for it, for so many images in a call that some threads share.</summary>
    public ConvolutionMethod Method(int images, int threads) =>
        ConvolutionChoice.Best(Convolution, Down.Positions, Right.Positions, images, threads);

    /// <summary>The part of dy that the convolution reads: values cut off count as halo, which it does not look at.</summary>
    public BlockedLayout Seen(BlockedLayout upstream)
    {
        int top = Math.Max(0, -Down.Before),
            left = Math.Max(0, -Right.Before),
            bottom = Math.Max(0, -Down.After),
            right = Math.Max(0, -Right.After);
        Halo halo = upstream.Halo;
        return upstream with
        {
            Height = upstream.Height - top - bottom,
            Width = upstream.Width - left - right,
            Halo = new(halo.Top + top, halo.Left + left, halo.Bottom + bottom, halo.Right + right),
        };
    }

    /// <summary>
    /// The phase's taps of a kernel [outputs, inputs / groups, height, width], turned: [inputs, outputs / groups, taps down, taps right].
    /// </summary>
    public float[] Turn(ReadOnlySpan<float> kernel)
    {
        (int outputs, int inputs, int all, int count) = (
            Shape.OutputsPerGroup,
            Shape.InputsPerGroup,
            Shape.KernelHeight * Shape.KernelWidth,
            Down.Taps * Right.Taps
        );
        Span<int> taps = count <= 64 ? stackalloc int[count] : new int[count];
        for (int k = 0; k < count; k++)
        {
            (int down, int right) = Math.DivRem(count - 1 - k, Right.Taps);
            taps[k] = (Down.Tap + down * Down.TapStep) * Shape.KernelWidth + Right.Tap + right * Right.TapStep;
        }
        float[] turned = new float[Shape.OutputChannels * inputs * count];
        for (int o = 0; o < Shape.OutputChannels; o++)
        for (int i = 0; i < inputs; i++)
        {
            (int group, int output) = Math.DivRem(o, outputs);
            Span<float> to = turned.AsSpan(((group * inputs + i) * outputs + output) * count, count);
            ReadOnlySpan<float> from = kernel.Slice((o * inputs + i) * all, all);
            for (int k = 0; k < count; k++)
                to[k] = from[taps[k]];
        }
        return turned;
    }
}
