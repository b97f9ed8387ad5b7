using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Operations;

internal static class Moments
{
    /// <summary>Mean and variance (dividing by the count), in two passes so that a large mean costs no digits.</summary>
    public static (T Mean, T Variance) Of<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IFloatingPoint<T>
    {
        T count = T.CreateChecked(values.Length),
            mean = TensorPrimitives.Sum(values) / count,
            squares = T.Zero;
        foreach (T value in values)
            squares += (value - mean) * (value - mean);
        return (mean, squares / count);
    }

    /// <summary>
    /// Adds what flows back through x̂ = (x - mean) r, for the gradients g of x̂: r (g - mean g) - b (x - mean) mean(g (x - mean)).
    /// </summary>
    /// <param name="r">The reciprocal of the deviation.</param>
    /// <param name="b">How r falls: -2 ∂r/∂variance, which is r³ for r = 1 / √(variance + ε).</param>
    public static void Back<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> g, T mean, T r, T b, Span<T> dx)
        where T : unmanaged, IFloatingPoint<T>
    {
        T count = T.CreateChecked(x.Length),
            average = TensorPrimitives.Sum(g) / count,
            along = T.Zero;
        for (int i = 0; i < x.Length; i++)
            along += g[i] * (x[i] - mean);
        along *= b / count;
        for (int i = 0; i < x.Length; i++)
            dx[i] += r * (g[i] - average) - (x[i] - mean) * along;
    }
}
