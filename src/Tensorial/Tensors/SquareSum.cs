using System.Numerics.Tensors;

namespace Tensorial;

/// <summary>Σ x² of float32 values, whatever their size.</summary>
internal static class SquareSum
{
    /// <summary>Below this squares of float32 may have been lost on the way.</summary>
    private const float Least = 1e-30f;

    /// <summary>The sum; infinite or NaN only where a value is.</summary>
    public static double Of(ReadOnlySpan<float> values)
    {
        float fast = TensorPrimitives.SumOfSquares(values);
        if (fast is >= Least and < float.PositiveInfinity)
            return fast;
        // Squares leave the range of float32 where values above 1e19 or below 1e-22 do not.
        double sum = 0;
        foreach (float value in values)
            sum += (double)value * value;
        return sum;
    }
}
