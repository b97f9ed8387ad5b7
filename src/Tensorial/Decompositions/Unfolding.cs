using Tensorial.Einsum;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>Tensors as matrices with some axes as rows.</summary>
internal static class Unfolding
{
    /// <summary>The first left singular vectors of a kernel with the given axes as rows, as columns.</summary>
    public static Tensor<double> Leading(Tensor<double> kernel, string rows, int rank) => Leading(kernel, "oihw", rows, rank);

    /// <summary>The first left singular vectors of a tensor with the given axes as rows, as columns; completed where there are fewer.</summary>
    public static Tensor<double> Leading(Tensor<double> tensor, string axes, string rows, int rank)
    {
        string columns = string.Concat(axes.Where(axis => !rows.Contains(axis)));
        Tensor<double> arranged = Contract(tensor, axes, rows + columns);
        int m = rows.Aggregate(1, (count, axis) => count * tensor.Shape[axes.IndexOf(axis)]), n = tensor.Shape.Count / m;
        // Left vectors are the eigenvectors of the smaller Gram matrix: only where to start is asked for, not small singular values.
        Tensor<double> gram = new([m, m]), result = new([m, rank]);
        Gemm.Multiply<double>(m, m, n, 1, arranged.Values, n, 1, arranged.Values, 1, n, 0, gram.Values, m, Workers.Serial);
        Tensor<double> vectors = SymmetricEigen.Of(gram).Vectors;
        for (int row = 0; row < m; row++)
            for (int k = 0; k < Math.Min(rank, m); k++) result.Values[row * rank + k] = vectors.Values[row * m + m - 1 - k];
        return result;
    }

    /// <summary>The product of two tensors with named axes.</summary>
    public static Tensor<double> Contract(Tensor<double> a, string aAxes, Tensor<double> b, string bAxes, string output) =>
        Contraction.Evaluate<double>(new Equation([aAxes, bAxes], output), [a, b], Workers.Serial);

    /// <summary>A tensor with its axes in another order.</summary>
    public static Tensor<double> Contract(Tensor<double> a, string axes, string output) =>
        Contraction.Evaluate<double>(new Equation([axes], output), [a], Workers.Serial);
}
