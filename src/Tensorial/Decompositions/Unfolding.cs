using Tensorial.Equations;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>Tensors as matrices with some axes as rows.</summary>
internal static class Unfolding
{
    /// <summary>
    /// The left singular vectors of a tensor with the given axes as rows, as columns [rows, min(rows, columns)], the largest first. From
    /// the smaller Gram matrix: they say where a fit starts, and small singular values do not matter there.
    /// </summary>
    public static Tensor<double> Leading(Tensor<double> tensor, string axes, string rows) => Spectrum(tensor, axes, rows).Vectors;

    /// <summary>
    /// The same, and the squared singular values, the largest first: good to about the machine epsilon of the largest.
    /// </summary>
    public static (Tensor<double> Vectors, double[] Energies) Spectrum(Tensor<double> tensor, string axes, string rows)
    {
        string columns = string.Concat(axes.Where(axis => !rows.Contains(axis)));
        Tensor<double> arranged = Contract(tensor, axes, rows + columns);
        int m = rows.Aggregate(1, (count, axis) => count * tensor.Shape[axes.IndexOf(axis)]),
            n = tensor.Shape.ElementCount / m,
            rank = Math.Min(m, n);
        bool wide = m <= n;
        Tensor<double> gram = new([rank, rank]),
            largestFirst = new([rank, rank]);
        if (wide)
            MatrixProduct.Multiply<double>(m, m, n, 1, arranged.Values, n, 1, arranged.Values, 1, n, 0, gram.Values, m, Workers.Serial);
        else
            MatrixProduct.Multiply<double>(n, n, m, 1, arranged.Values, 1, n, arranged.Values, n, 1, 0, gram.Values, n, Workers.Serial);
        SymmetricEigen<double> eigen = SymmetricEigen.Of(gram);
        Tensor<double> vectors = eigen.Vectors;
        double[] energies = [.. eigen.Values.Reverse().Select(static value => Math.Max(0, value))];
        for (int row = 0; row < rank; row++)
        for (int k = 0; k < rank; k++)
            largestFirst.Values[row * rank + k] = vectors.Values[row * rank + rank - 1 - k];
        if (wide)
            return (largestFirst, energies);
        Tensor<double> left = new([m, rank]);
        MatrixProduct.Multiply<double>(
            m,
            rank,
            n,
            1,
            arranged.Values,
            n,
            1,
            largestFirst.Values,
            rank,
            1,
            0,
            left.Values,
            rank,
            Workers.Serial
        );
        return (Qr.Thin(left).Q, energies);
    }

    /// <summary>The product of two tensors with named axes.</summary>
    public static Tensor<double> Contract(Tensor<double> a, string aAxes, Tensor<double> b, string bAxes, string output) =>
        Contraction.Evaluate<double>(new Equation([aAxes, bAxes], output), [a, b], Workers.Serial);

    /// <summary>A tensor with its axes in another order.</summary>
    public static Tensor<double> Contract(Tensor<double> a, string axes, string output) =>
        Contraction.Evaluate<double>(new Equation([axes], output), [a], Workers.Serial);
}
