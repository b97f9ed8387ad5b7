using System.Numerics;

namespace Tensorial.Kernels;

/// <summary>Values on a grid, as integers of few bits hold them.</summary>
internal static class Rounding
{
    /// <summary>
    /// 1.5 · 2²³: added to a number of less than 2²² and subtracted again it leaves the nearest integer, halves to even, as the processor rounds.
    /// </summary>
    private const float Shift = 12582912;

    /// <summary>y = round(min(max(x / scale, low), high)) · scale, halves rounding to even; y may be x. NaN stays NaN.</summary>
    /// <param name="x">Values.</param>
    /// <param name="y">As many values.</param>
    /// <param name="scale">Width of the grid.</param>
    /// <param name="low">The least integer, above -2²².</param>
    /// <param name="high">The largest integer, below 2²².</param>
    public static void ToGrid(ReadOnlySpan<float> x, Span<float> y, float scale, float low, float high)
    {
        int at = 0;
        for (; at <= x.Length - Vector<float>.Count; at += Vector<float>.Count)
        {
            Vector<float> scaled = new Vector<float>(x[at..]) / new Vector<float>(scale),
                bounded = Vector.Min(Vector.Max(scaled, new(low)), new(high));
            ((bounded + new Vector<float>(Shift) - new Vector<float>(Shift)) * scale).CopyTo(y[at..]);
        }
        for (; at < x.Length; at++)
            y[at] = MathF.Round(float.Min(float.Max(x[at] / scale, low), high)) * scale;
    }
}
