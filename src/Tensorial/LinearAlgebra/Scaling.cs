using System.Numerics;

namespace Tensorial.LinearAlgebra;

/// <summary>Brings a matrix to a size at which squares neither overflow nor vanish, by a power of two, so that no bit is lost.</summary>
internal static class Scaling
{
    /// <summary>Multiplies all values by 2^p so that the largest magnitude lies in [1, 2), and returns -p; does nothing to zeros.</summary>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static int Normalize<T>(Span<T> values) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T largest = Largest(values);
        if (largest == T.Zero) return 0;
        int exponent = T.ILogB(largest);
        Multiply(values, -exponent);
        return exponent;
    }

    /// <summary>Multiplies all values by 2^<paramref name="exponent"/>.</summary>
    public static void Multiply<T>(Span<T> values, int exponent) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (exponent == 0) return;
        // In two steps: the factor for a subnormal matrix would itself overflow.
        T first = T.ScaleB(T.One, exponent / 2), second = T.ScaleB(T.One, exponent - exponent / 2);
        for (int i = 0; i < values.Length; i++) values[i] = values[i] * first * second;
    }

    private static T Largest<T>(ReadOnlySpan<T> values) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T largest = T.Zero;
        for (int i = 0; i < values.Length; i++)
        {
            T magnitude = T.Abs(values[i]);
            if (!T.IsFinite(magnitude)) throw new NumericalException($"A matrix holds {values[i]}, at position {i:N0} of {values.Length:N0}; only finite values can be decomposed.");
            largest = T.Max(largest, magnitude);
        }
        return largest;
    }
}
