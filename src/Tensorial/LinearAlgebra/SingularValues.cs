using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>Singular values without vectors: the path through QR, band and bidiagonal that is fastest for the extents.</summary>
internal static class SingularValues
{
    // Up to here the whole matrix stays in the second-level cache, and one stage is faster than two (measured).
    internal const int OneStageColumns = 256;

    /// <summary>Values, descending, of a matrix [m, n], m ≥ n, of moderate scale. The matrix is scratch.</summary>
    public static double[] Of<T>(Span<T> a, int m, int n, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (n == 0)
            return [];
        if (TallQr.Suits<T>(m, n))
            return OfBand<T>(TallQr.R<T>(a, m, n, workers), n, n, workers);
        // A QR costs 2 n² (m - n / 3), and saves the two-sided reduction (8/3) n³ of the 4 n² (m - n / 3): worth it from m = 5/3 n on.
        if (m > 5 * n / 3)
        {
            HouseholderQr.Factor(a, m, n, n, workers);
            for (int i = 1; i < n; i++)
                a.Slice(i * n, i).Clear();
            m = n;
        }
        return OfBand(a, m, n, workers);
    }

    private static double[] OfBand<T>(Span<T> a, int m, int n, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] diagonal,
            superDiagonal;
        if (n <= OneStageColumns)
        {
            Bidiagonalization<T> reduced = new(a, m, n, n, workers);
            (diagonal, superDiagonal) = (reduced.Diagonal, reduced.SuperDiagonal);
        }
        else
        {
            BandReduction.Reduce(a, m, n, workers);
            (diagonal, superDiagonal) = BulgeChasing.Reduce<T>(a, n, n, BandReduction.Width<T>());
        }
        // In double also for floats: the scalars are few, and squares of floats would underflow.
        return BidiagonalValues.Of(ToDouble(diagonal), ToDouble(superDiagonal));
    }

    public static double[] ToDouble<T>(T[] values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Array.ConvertAll(values, double.CreateTruncating);
}
