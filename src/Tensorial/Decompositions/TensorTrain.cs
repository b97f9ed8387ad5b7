using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>
/// Tensor trains by one singular value decomposition after another (TT-SVD: I. Oseledets, SIAM J. Sci. Comput. 33, 2011, algorithm 1). The
/// squared error is the sum of what the cuts drop, at most the number of cuts times the best possible. The train of a matrix is its
/// truncated singular value decomposition.
/// </summary>
public static class TensorTrain
{
    /// <summary>
    /// The train of a tensor. The weight of every bond is shared evenly by its two cores, so that none is much larger than another.
    /// </summary>
    /// <param name="tensor">Of order 2 or more.</param>
    /// <param name="ranks">The d - 1 bonds, in the order of the chain.</param>
    /// <param name="chain">Modes in the order of the chain; their own order where none is given.</param>
    /// <param name="workers">Threads.</param>
    /// <exception cref="BadInputException">The ranks or the chain do not fit the tensor.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static TensorFactors<T> Fit<T>(Tensor<T> tensor, RankChoice ranks, ImmutableArray<int> chain = default, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        workers ??= Workers.Serial;
        int order = Fits.Check(tensor, 2);
        int[] modes = chain.IsDefaultOrEmpty ? [.. Enumerable.Range(0, order)] : [.. chain];
        TensorFormat format = TensorFormat.TensorTrain(order, modes);
        ranks.Check(format, tensor.Shape);
        if (ranks is RankChoice.AtRate(var rate))
            return RankSearch.Shared(format, tensor, rate, given => Fit(tensor, given, chain, workers));
        BondRanks bonds = new(ranks, order - 1, TensorFactors<T>.Norm(tensor.Values));
        Tensor<T> rest = Fits.Permuted(tensor, modes);
        Tensor<T>[] cores = new Tensor<T>[order];
        T[][] weights = new T[order - 1][];
        for (int k = 0, left = 1; k < order - 1; k++)
        {
            int extent = tensor.Shape[modes[k]],
                rows = left * extent,
                columns = rest.Shape.ElementCount / rows;
            Svd<T> svd = Svd.Thin(rest.As([rows, columns]), workers);
            int rank = bonds.Next(Fits.Wide(svd.Values), rows, columns);
            Tensor<T> u = Fits.Columns(svd.U, rank),
                v = new([rank, columns], svd.Vt.Values[..(rank * columns)].ToArray());
            weights[k] = svd.Values[..rank];
            cores[k] = u.As(k == 0 ? [extent, rank] : [left, extent, rank]);
            Fits.ScaleRows(v.Values, columns, weights[k]);
            (rest, left) = (v, rank);
        }
        cores[^1] = rest.As([weights[^1].Length, tensor.Shape[modes[^1]]]);
        for (int k = 0; k < order - 1; k++)
            Share(cores[k].Values, cores[k + 1].Values, weights[k]);
        return TensorFactors<T>.Measured(format, Folding.None(tensor.Shape), bonds.Taken, [.. cores], tensor, workers);
    }

    /// <summary>Moves the root of every weight from the right core to the left one.</summary>
    private static void Share<T>(Span<T> left, Span<T> right, T[] weights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // Weights of nothing stay: their row is zero and has no root to give.
        T[] roots = [.. weights.Select(static weight => weight > T.Zero ? T.Sqrt(weight) : T.One)];
        for (int at = 0; at < left.Length; at++)
            left[at] *= roots[at % roots.Length];
        Fits.ScaleRows(right, right.Length / roots.Length, [.. roots.Select(static root => T.One / root)]);
    }
}
