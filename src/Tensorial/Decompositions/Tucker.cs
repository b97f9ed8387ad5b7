using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>How hard a Tucker fit tries.</summary>
/// <param name="Sweeps">Sweeps of orthogonal iteration over all modes, at most; 0 leaves the truncated higher-order singular value
/// decomposition.</param>
/// <param name="Tolerance">It has converged where five sweeps raise the norm kept by less than this part of the tensor's.</param>
public sealed record TuckerOptions(int Sweeps = 100, double Tolerance = 1e-7);

/// <summary>
/// Orthonormal matrices for some or all modes and a core, X ≈ G ×₁ U₁ ×₂ U₂ …: the sequentially truncated higher-order singular value
/// decomposition (N. Vannieuwenhoven, R. Vandebril, K. Meerbergen, SIAM J. Sci. Comput. 34, 2012), then orthogonal iteration (HOOI:
/// L. De Lathauwer, B. De Moor, J. Vandewalle, SIAM J. Matrix Anal. Appl. 21, 2000), which never raises the error.
/// </summary>
public static class Tucker
{
    /// <summary>The factors of a tensor. The squared error is ‖X‖² - ‖G‖².</summary>
    /// <param name="tensor">Of any order.</param>
    /// <param name="ranks">One for each of the modes.</param>
    /// <param name="modes">Modes that get a matrix, the others stay whole in the core (partial Tucker); all where none are given.</param>
    /// <param name="options">Sweeps.</param>
    /// <param name="workers">Threads.</param>
    /// <exception cref="BadInputException">The ranks or modes do not fit the tensor.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static TensorFactors<T> Fit<T>(
        Tensor<T> tensor,
        RankChoice ranks,
        ImmutableArray<int> modes = default,
        TuckerOptions? options = null,
        Workers? workers = null
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (options, workers) = (options ?? new(), workers ?? Workers.Serial);
        int order = Fits.Check(tensor, 1);
        int[] factored = modes.IsDefaultOrEmpty ? [.. Enumerable.Range(0, order)] : [.. modes];
        TensorFormat format = TensorFormat.Tucker(order, factored);
        ranks.Check(format, tensor.Shape);
        if (ranks is RankChoice.AtRate(var rate))
            return RankSearch.Shared(format, tensor, rate, given => Fit(tensor, given, modes, options, workers));
        double norm = TensorFactors<T>.Norm(tensor.Values);
        BondRanks bonds = new(ranks, factored.Length, norm);

        Tensor<T> core = tensor;
        Tensor<T>[] factors = new Tensor<T>[factored.Length];
        for (int k = 0; k < factored.Length; k++)
        {
            Tensor<T> matrix = Fits.Unfolded(core, factored[k]);
            Svd<T> svd = Svd.Thin(matrix, workers);
            int rank = bonds.Next(Fits.Wide(svd.Values), matrix.Shape[0], matrix.Shape[1]);
            factors[k] = Fits.Columns(svd.U, rank);
            core = Fits.Times(core, factored[k], factors[k], workers);
        }
        core = Iterate(tensor, core, factored, factors, norm, options, workers);
        return TensorFactors<T>.Measured(format, Folding.None(tensor.Shape), bonds.Taken, [core, .. factors], tensor, workers);
    }

    private static Tensor<T> Iterate<T>(
        Tensor<T> tensor,
        Tensor<T> core,
        int[] modes,
        Tensor<T>[] factors,
        double norm,
        TuckerOptions options,
        Workers workers
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // One truncated mode alone is at its best already.
        if (options.Sweeps == 0 || !modes.Where((mode, k) => factors[k].Shape[1] < tensor.Shape[mode]).Skip(1).Any())
            return core;
        // Short modes outermost: products then run over long rows.
        int[] arranged = [.. Enumerable.Range(0, tensor.Shape.Rank).OrderBy(mode => tensor.Shape[mode])];
        (tensor, modes) = (Fits.Permuted(tensor, arranged), [.. modes.Select(mode => Array.IndexOf(arranged, mode))]);
        double kept = TensorFactors<T>.Norm(core.Values);
        for (int sweep = 0; sweep < options.Sweeps; sweep++)
        {
            for (int k = 0; k < modes.Length; k++)
            {
                Tensor<T> projected = tensor;
                foreach (
                    int other in Enumerable
                        .Range(0, modes.Length)
                        .Where(other => other != k)
                        .OrderBy(other => (double)factors[other].Shape[1] / tensor.Shape[modes[other]])
                )
                    projected = Fits.Times(projected, modes[other], factors[other], workers);
                factors[k] = Fits.Leading(Fits.Unfolded(projected, modes[k]), factors[k].Shape[1], workers);
                if (k == modes.Length - 1)
                    core = Fits.Times(projected, modes[k], factors[k], workers);
            }
            if (sweep % 5 != 4)
                continue;
            double before = kept;
            kept = TensorFactors<T>.Norm(core.Values);
            if (kept - before <= options.Tolerance * norm)
                break;
        }
        return Fits.Permuted(core, [.. Enumerable.Range(0, arranged.Length).Select(mode => Array.IndexOf(arranged, mode))]);
    }
}
