using System.Numerics;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// T = Z diag(λ) Zᵀ of a symmetric tridiagonal T by implicit QL steps (Dubrulle, Martin, Wilkinson, Numer. Math. 12, 1968).
/// </summary>
internal static class TridiagonalEigen
{
    private const double Epsilon = 2.220446049250313e-16;
    private const int MaximalSweepsPerValue = 60;

    /// <summary>Turns d into the eigenvalues, unordered, and applies Zᵀ to the rows. The off-diagonal [n - 1] is destroyed.</summary>
    public static void Solve<T>(double[] d, double[] e, RotatedRows<T> rows)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // Beside a matrix of scale `largest` nothing below this can be told from rounding.
        double largest = 0;
        foreach (double value in d)
            largest = Math.Max(largest, Math.Abs(value));
        foreach (double value in e)
            largest = Math.Max(largest, Math.Abs(value));
        double floor = largest * Epsilon / 8;
        double[] cosines = new double[d.Length],
            sines = new double[d.Length];
        for (int first = 0; first < d.Length; first++)
        for (int sweep = 0; ; sweep++)
        {
            int last = first;
            while (
                last < e.Length
                && Math.Abs(e[last]) > Math.Max(floor, Epsilon * Math.Sqrt(Math.Abs(d[last])) * Math.Sqrt(Math.Abs(d[last + 1])))
            )
                last++;
            if (last == first)
                break;
            if (sweep == MaximalSweepsPerValue)
                throw new NumericalException(
                    $"Implicit QL did not find eigenvalue {first} of {d.Length} in {MaximalSweepsPerValue} sweeps."
                );
            Sweep(d, e, first, last, cosines, sines);
            rows.Rotate(last, -1, cosines.AsSpan(0, last - first), sines.AsSpan(0, last - first));
        }
        rows.Flush();
    }

    /// <summary>One step with Wilkinson's shift on the block first..last, from its end upwards.</summary>
    private static void Sweep(double[] d, double[] e, int first, int last, double[] cosines, double[] sines)
    {
        double ratio = (d[first + 1] - d[first]) / (2 * e[first]);
        double g = d[last] - d[first] + e[first] / (ratio + Math.CopySign(double.Hypot(ratio, 1), ratio));
        double c = 1,
            s = 1,
            p = 0;
        for (int i = last - 1; i >= first; i--)
        {
            double f = s * e[i],
                b = c * e[i];
            (c, s) = PlaneRotation.Annihilating(g, f, out double r);
            (cosines[last - 1 - i], sines[last - 1 - i]) = (c, s);
            if (i + 1 < last)
                e[i + 1] = r;
            g = d[i + 1] - p;
            r = (d[i] - g) * s + 2 * c * b;
            p = s * r;
            d[i + 1] = g + p;
            g = c * r - b;
        }
        d[first] -= p;
        e[first] = g;
    }
}
