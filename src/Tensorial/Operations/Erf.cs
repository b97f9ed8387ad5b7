using System.Runtime.InteropServices;

namespace Tensorial.Operations;

/// <summary>The error function, 2/√π ∫₀ˣ exp(-t²) dt, to about 1e-15, in float32 to 1e-7.</summary>
public sealed record Erf : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        if (typeof(T) == typeof(float))
        {
            Kernels.Exponential.Erf(MemoryMarshal.Cast<T, float>(x), MemoryMarshal.Cast<T, float>(y));
            return;
        }
        for (int i = 0; i < x.Length; i++)
            y[i] = T.CreateChecked(Of(double.CreateChecked(x[i])));
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        T factor = T.CreateChecked(2 / Math.Sqrt(Math.PI));
        for (int i = 0; i < at.Length; i++)
            slope[i] = factor * T.Exp(-at[i] * at[i]);
    }

    /// <summary>
    /// Below 3 the series with terms of one sign (Abramowitz and Stegun 7.1.6), above it the continued fraction of erfc (7.1.14).
    /// </summary>
    internal static double Of(double x)
    {
        double size = Math.Abs(x),
            gauss = Math.Exp(-size * size) / Math.Sqrt(Math.PI);
        if (double.IsNaN(x))
            return x;
        if (size >= 6)
            return Math.Sign(x); // erfc(6) is 2e-17
        if (size < 3)
        {
            double term = size,
                sum = size;
            for (int n = 1; term > sum * 1e-17; n++)
                sum += term *= size * size / (n + 0.5);
            return Math.CopySign(2 * gauss * sum, x);
        }
        double fraction = size;
        for (int n = 40; n > 0; n--)
            fraction = size + n / 2.0 / fraction;
        return Math.CopySign(1 - gauss / fraction, x);
    }
}
