namespace Tensorial.LinearAlgebra;

/// <summary>
/// Singular values by one-sided Jacobi rotations (Hestenes 1958): columns are turned in pairs until all are orthogonal; their lengths are the
/// singular values. Slow and accurate, and nothing of the fast way through bidiagonal matrices: what that is checked against.
/// </summary>
internal static class JacobiSvd
{
    private const int MostSweeps = 60;

    private const double Orthogonal = 1e-15;

    /// <summary>Columns shorter than this part of the matrix are rounding: they stand for singular values of zero.</summary>
    private const double Negligible = 1e-16;

    /// <summary>The singular values of a matrix, falling.</summary>
    /// <param name="matrix">[rows, columns]; unchanged.</param>
    /// <exception cref="NumericalException">The rotations do not come to an end.</exception>
    public static double[] Values(Tensor<double> matrix)
    {
        (int rows, int columns) = (matrix.Shape[0], matrix.Shape[1]);
        bool isWide = columns > rows;
        (int length, int count) = isWide ? (columns, rows) : (rows, columns);
        double[][] vectors = new double[count][];
        double largest = 0;
        foreach (double value in matrix.Values)
            largest = Math.Max(largest, Math.Abs(value));
        if (largest == 0)
            return new double[count];
        for (int j = 0; j < count; j++)
        {
            vectors[j] = new double[length];
            for (int i = 0; i < length; i++)
                vectors[j][i] = matrix.Values[isWide ? j * columns + i : i * columns + j] / largest;
        }
        double least = vectors.Sum(static vector => vector.Sum(static value => value * value)) * Negligible * Negligible;
        for (int sweep = 0; sweep < MostSweeps; sweep++)
        {
            bool isDone = true;
            for (int p = 0; p < count - 1; p++)
            for (int q = p + 1; q < count; q++)
                isDone &= !Rotate(vectors[p], vectors[q], least);
            if (isDone)
                return [.. vectors.Select(vector => largest * Math.Sqrt(vector.Sum(static value => value * value))).OrderDescending()];
        }
        throw new NumericalException($"The rotations of a {rows}×{columns} matrix do not come to an end.");
    }

    /// <summary>Makes two columns orthogonal; whether they were not.</summary>
    private static bool Rotate(double[] a, double[] b, double least)
    {
        double aa = 0,
            bb = 0,
            ab = 0;
        for (int i = 0; i < a.Length; i++)
        {
            aa += a[i] * a[i];
            bb += b[i] * b[i];
            ab += a[i] * b[i];
        }
        if (Math.Min(aa, bb) <= least || Math.Abs(ab) <= Orthogonal * Math.Sqrt(aa * bb))
            return false;
        double slope = (bb - aa) / (2 * ab),
            tangent = Math.CopySign(1, slope) / (Math.Abs(slope) + Math.Sqrt(1 + slope * slope)),
            cosine = 1 / Math.Sqrt(1 + tangent * tangent),
            sine = cosine * tangent;
        for (int i = 0; i < a.Length; i++)
            (a[i], b[i]) = (cosine * a[i] - sine * b[i], sine * a[i] + cosine * b[i]);
        return true;
    }
}
