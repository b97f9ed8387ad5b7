using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>The root of a small symmetric positive definite matrix, and the root's inverse; the identity where there are none.</summary>
/// <param name="Root">S^½ [t, t].</param>
/// <param name="Inverse">S^-½.</param>
internal sealed record ChannelMetric(Tensor<double>? Root, Tensor<double>? Inverse)
{
    /// <summary>Parts of the largest eigenvalue below which there is nothing to tell.</summary>
    private const double Floor = 1e-10;

    /// <summary>The metric of one input channel: its block of Σ [i·t, i·t].</summary>
    public static ChannelMetric From(Tensor<double>? covariance, int channel, int taps)
    {
        if (covariance is null)
            return new(null, null);
        int n = covariance.Shape[0],
            first = channel * taps;
        Tensor<double> block = new([taps, taps]);
        for (int row = 0; row < taps; row++)
            covariance.Values.Slice((first + row) * n + first, taps).CopyTo(block.Values[(row * taps)..]);
        return From(block);
    }

    public static ChannelMetric From(Tensor<double> matrix)
    {
        SymmetricEigen<double> eigen = SymmetricEigen.Of(matrix);
        double floor = Math.Max(double.Epsilon, Floor * eigen.Values.Max());
        double[] roots = [.. eigen.Values.Select(value => Math.Sqrt(Math.Max(value, floor)))];
        return new(Made(eigen, roots), Made(eigen, [.. roots.Select(static root => 1 / root)]));
    }

    /// <summary>Rows times S^½.</summary>
    public double[] Weighted(double[] rows) => Times(rows, Root);

    /// <summary>Rows times S^-½.</summary>
    public double[] Unweighted(double[] rows) => Times(rows, Inverse);

    private static double[] Times(double[] rows, Tensor<double>? matrix)
    {
        if (matrix is null)
            return [.. rows];
        int n = matrix.Shape[0];
        double[] result = new double[rows.Length];
        MatrixProduct.Multiply<double>(rows.Length / n, n, n, 1, rows, n, 1, matrix.Values, n, 1, 0, result, n, Workers.Serial);
        return result;
    }

    private static Tensor<double> Made(SymmetricEigen<double> eigen, double[] values)
    {
        int n = values.Length;
        Tensor<double> scaled = eigen.Vectors.Clone(),
            result = new([n, n]);
        for (int at = 0; at < n * n; at++)
            scaled.Values[at] *= values[at % n];
        MatrixProduct.Multiply<double>(n, n, n, 1, scaled.Values, n, 1, eigen.Vectors.Values, 1, n, 0, result.Values, n, Workers.Serial);
        return result;
    }
}

/// <summary>The right singular vectors of a matrix [rows, t] with few columns, from its Gram matrix.</summary>
/// <param name="Energies">Squared singular values, descending.</param>
/// <param name="Vectors">[t, t], ascending.</param>
internal sealed record SmallSvd(double[] Energies, Tensor<double> Vectors)
{
    public static SmallSvd From(double[] matrix, int rows, int columns)
    {
        Tensor<double> gram = new([columns, columns]);
        MatrixProduct.Multiply<double>(
            columns,
            columns,
            rows,
            1,
            matrix,
            1,
            columns,
            matrix,
            columns,
            1,
            0,
            gram.Values,
            columns,
            Workers.Serial
        );
        SymmetricEigen<double> eigen = SymmetricEigen.Of(gram);
        return new([.. eigen.Values.Reverse().Select(static value => Math.Max(0, value))], eigen.Vectors);
    }

    /// <summary>The first vectors as columns [t, rank].</summary>
    public double[] Leading(int rank)
    {
        int n = Energies.Length;
        double[] vectors = new double[n * rank];
        for (int row = 0; row < n; row++)
        for (int r = 0; r < rank; r++)
            vectors[row * rank + r] = Vectors.Values[row * n + n - 1 - r];
        return vectors;
    }
}
