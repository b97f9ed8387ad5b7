using System.Numerics;

namespace Tensorial.Operations;

/// <summary>The discrete Fourier transform of any length: radix 2 where it is a power of two, else Bluestein's convolution (1970).</summary>
internal static class Fourier
{
    /// <summary>X[k] = Σ x[n] exp(∓2πi k n / N), in place; the inverse divides by N.</summary>
    public static void Transform(Complex[] x, bool inverse)
    {
        if (x.Length <= 1)
            return;
        if (BitOperations.IsPow2(x.Length))
            PowerOfTwo(x, inverse);
        else
            Bluestein(x, inverse);
        if (inverse)
            foreach (ref Complex value in x.AsSpan())
                value /= x.Length;
    }

    private static void PowerOfTwo(Complex[] x, bool inverse)
    {
        for (int i = 1, j = 0; i < x.Length; i++)
        {
            int bit = x.Length >> 1;
            for (; (j & bit) != 0; bit >>= 1)
                j ^= bit;
            j ^= bit;
            if (i < j)
                (x[i], x[j]) = (x[j], x[i]);
        }
        for (int length = 2; length <= x.Length; length *= 2)
        {
            Complex[] roots = new Complex[length / 2];
            for (int k = 0; k < roots.Length; k++)
                roots[k] = Root(k, length, inverse);
            for (int start = 0; start < x.Length; start += length)
            for (int k = 0; k < roots.Length; k++)
            {
                Complex even = x[start + k],
                    odd = x[start + k + roots.Length] * roots[k];
                (x[start + k], x[start + k + roots.Length]) = (even + odd, even - odd);
            }
            if (length > x.Length / 2)
                break;
        }
    }

    private static void Bluestein(Complex[] x, bool inverse)
    {
        int n = x.Length,
            m = (int)BitOperations.RoundUpToPowerOf2((uint)n * 2);
        Complex[] chirp = new Complex[n],
            a = new Complex[m],
            b = new Complex[m];
        for (int k = 0; k < n; k++)
        {
            // k² modulo 2n keeps the angle exact.
            chirp[k] = Root((long)k * k % (2L * n), 2L * n, inverse);
            a[k] = x[k] * chirp[k];
            b[k] = Complex.Conjugate(chirp[k]);
            if (k > 0)
                b[m - k] = b[k];
        }
        PowerOfTwo(a, inverse: false);
        PowerOfTwo(b, inverse: false);
        for (int k = 0; k < m; k++)
            a[k] *= b[k];
        PowerOfTwo(a, inverse: true);
        for (int k = 0; k < n; k++)
            x[k] = a[k] / m * chirp[k];
    }

    private static Complex Root(long k, long n, bool inverse)
    {
        (double sine, double cosine) = Math.SinCos(2 * Math.PI * k / n);
        return new(cosine, inverse ? sine : -sine);
    }
}
