using System.Numerics;

namespace Tensorial.Kernels;

/// <summary>One Householder reflection H = I - tau v vᵀ, v₁ = 1, that maps a vector x to (beta, 0, …, 0).</summary>
internal static class Reflector
{
    /// <summary>
    /// From x₁ and ||x||²: tau, beta, and the factor that turns x₂, x₃, … into v₂, v₃, ….
    /// A vector whose square falls out of the normal range counts as zero (tau 0, factor 0): beside a matrix of scale 1 it is below every
    /// rounding error.
    /// </summary>
    public static (T Tau, T Beta, T Factor) From<T>(T first, T squaredNorm)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (squaredNorm <= Negligible<T>())
            return (T.Zero, first, T.Zero);
        T norm = T.Sqrt(squaredNorm),
            beta = first > T.Zero ? -norm : norm;
        return ((beta - first) / beta, beta, T.One / (first - beta));
    }

    // 2^-900 of a double's 2^-1022, 2^-100 of a float's 2^-126: the sums of squares still have all their bits.
    private static T Negligible<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.ScaleB(T.One, typeof(T) == typeof(double) ? -900 : -100);
}
