using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.LinearAlgebra;

/// <summary>Brings a matrix to a size at which squares neither overflow nor vanish, by a power of two, so that no bit is lost.</summary>
internal static class Scaling
{
    /// <summary>Multiplies all values by 2^-p so that the largest magnitude lies in [1, 2), and returns p; leaves zeros alone.</summary>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static int Normalize<T>(Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (values.IsEmpty)
            return 0;
        // NaN is the largest magnitude of a span that holds one.
        T largest = T.Abs(TensorPrimitives.MaxMagnitude<T>(values));
        if (!T.IsFinite(largest))
            RefuseNonFinite<T>(values);
        if (largest == T.Zero)
            return 0;
        int exponent = T.ILogB(largest);
        Multiply(values, -exponent);
        return exponent;
    }

    /// <summary>Does the same to each column of a matrix.</summary>
    /// <inheritdoc cref="Normalize"/>
    public static int[] NormalizeColumns<T>(Span<T> matrix, int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] largest = new T[columns];
        for (int i = 0; i < matrix.Length; i += columns)
        for (int j = 0; j < columns; j++)
            largest[j] = T.Max(largest[j], T.Abs(matrix[i + j]));
        if (Array.Exists(largest, static value => !T.IsFinite(value)))
            RefuseNonFinite<T>(matrix);
        int[] exponents = Array.ConvertAll(largest, static value => value == T.Zero ? 0 : T.ILogB(value));
        for (int i = 0; i < matrix.Length; i += columns)
        for (int j = 0; j < columns; j++)
            matrix[i + j] = Multiply(matrix[i + j], -exponents[j]);
        return exponents;
    }

    /// <summary>Multiplies all values by 2^<paramref name="exponent"/>.</summary>
    public static void Multiply<T>(Span<T> values, int exponent)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (exponent == 0)
            return;
        (T first, T second) = Factors<T>(exponent);
        TensorPrimitives.Multiply(values, first, values);
        TensorPrimitives.Multiply(values, second, values);
    }

    public static T Multiply<T>(T value, int exponent)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (T first, T second) = Factors<T>(exponent);
        return value * first * second;
    }

    /// <summary>2^exponent in two factors: that for a subnormal matrix would itself overflow.</summary>
    private static (T First, T Second) Factors<T>(int exponent)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => (T.ScaleB(T.One, exponent / 2), T.ScaleB(T.One, exponent - exponent / 2));

    private static void RefuseNonFinite<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < values.Length; i++)
            if (!T.IsFinite(values[i]))
                throw new NumericalException(
                    $"A matrix holds {values[i]}, at position {i:N0} of {values.Length:N0}; only finite values can be decomposed."
                );
    }
}
