using System.Numerics;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>
/// The error-preserving correction of a CP fit: the least Σᵣ ‖termᵣ‖² among factors whose error is no larger (A.-H. Phan et al., ECCV 2020,
/// arXiv 2008.05441; A.-H. Phan, P. Tichavský, A. Cichocki, IEEE Trans. Signal Process. 67, 2019). Terms that cancel each other shrink, and
/// the factors can be tuned.
/// </summary>
/// <remarks>
/// One factor after another, the others' columns taken with norm 1: with N = Q Λ Qᵀ their normal equations and M the tensor's product with
/// them, U(λ) = M Q (Λ + λ)⁻¹ Qᵀ trades norm for error, and λ is the largest within the bound.
/// </remarks>
internal static class CpNormBound
{
    /// <summary>The corrected factors.</summary>
    /// <param name="tensor">The tensor they were fitted to.</param>
    /// <param name="cp">Its factors.</param>
    /// <param name="error">The relative error that is allowed; that of the factors where it is null or smaller.</param>
    /// <param name="rounds">Rounds over all modes, at most.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="cancel">Stops between rounds.</param>
    /// <exception cref="BadInputException">The factors are not those of CP, or of a tensor of another shape.</exception>
    public static TensorFactors<T> Correct<T>(
        Tensor<T> tensor,
        TensorFactors<T> cp,
        double? error = null,
        int rounds = 30,
        Workers? workers = null,
        CancellationToken cancel = default
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        workers ??= Workers.Serial;
        if (cp.Format != TensorFormat.Cp(cp.Factors.Length) || cp.Shape != tensor.Shape)
            throw new BadInputException($"The correction is for CP factors of a tensor {tensor.Shape}, not for {cp.Format} of {cp.Shape}.");
        Tensor<double> target = (Tensor<double>)tensor.To(ElementType.Float64);
        Tensor<double>[] factors = [.. cp.Factors.Select(static factor => (Tensor<double>)factor.To(ElementType.Float64))];
        Tensor<double>[] grams = [.. factors.Select(factor => CpTerms.Gram(factor, workers))];
        double energy = Math.Pow(TensorFactors<double>.Norm(target.Values), 2),
            bound = Math.Pow(Math.Max(cp.RelativeError, error ?? 0), 2) * energy;
        CpTree<double> tree = new(target, cp.Ranks[0], workers);
        double before = double.PositiveInfinity;
        for (int round = 0; round < rounds && energy > 0; round++)
        {
            cancel.ThrowIfCancellationRequested();
            tree.Sweep(
                factors,
                (mode, product) =>
                {
                    factors[mode] = Shortest(product, CpTerms.OthersProduct(grams, mode), energy, bound, workers) ?? factors[mode];
                    grams[mode] = CpTerms.Gram(factors[mode], workers);
                }
            );
            double sum = CpTerms.Weights(factors).Sum(static weight => weight * weight);
            if (sum > before * (1 - 1e-4))
                break;
            before = sum;
        }
        Tensor<T>[] result = [.. CpTerms.Balanced(factors).Select(static factor => (Tensor<T>)factor.To(ElementTypes.Of<T>()))];
        return TensorFactors<T>.Measured(cp.Format, cp.Folding, cp.Ranks, [.. result], tensor, workers);
    }

    /// <summary>The factor of least norm, weighed by the others' columns, within the bound; null where rounding leaves none.</summary>
    private static Tensor<double>? Shortest(Tensor<double> product, Tensor<double> normal, double energy, double bound, Workers workers)
    {
        int rank = normal.Shape[0],
            rows = product.Shape[0];
        double[] inverse =
        [
            .. Enumerable.Range(0, rank).Select(r => normal.Values[r * rank + r] is > 0 and double square ? 1 / Math.Sqrt(square) : 0),
        ];
        Tensor<double> unit = CpTerms.Scaled(normal, inverse),
            m = CpTerms.Scaled(product, inverse),
            rotated = new(product.Shape),
            result = new(product.Shape);
        Fits.ScaleRows(unit.Values, rank, inverse);
        SymmetricEigen<double> eigen = SymmetricEigen.Of(unit, workers);
        MatrixProduct.Multiply<double>(
            rows,
            rank,
            rank,
            1,
            m.Values,
            rank,
            1,
            eigen.Vectors.Values,
            rank,
            1,
            0,
            rotated.Values,
            rank,
            workers
        );
        double[] squares = [.. CpTerms.Norms(rotated).Select(static norm => norm * norm)];
        double most = eigen.Values[^1],
            low = Math.Log(1e-12 * most),
            high = Math.Log(1e6 * most);
        if (!(Residual(Math.Exp(low)) <= bound * (1 + 1e-12)))
            return null;
        for (int step = 0; step < 60; step++)
        {
            double middle = (low + high) / 2;
            if (Residual(Math.Exp(middle)) <= bound)
                low = middle;
            else
                high = middle;
        }
        double lambda = Math.Exp(low);
        Tensor<double> shrunk = CpTerms.Scaled(rotated, [.. eigen.Values.Select(value => 1 / (Math.Max(0, value) + lambda))]);
        MatrixProduct.Multiply<double>(
            rows,
            rank,
            rank,
            1,
            shrunk.Values,
            rank,
            1,
            eigen.Vectors.Values,
            1,
            rank,
            0,
            result.Values,
            rank,
            workers
        );
        return CpTerms.Scaled(result, inverse);

        double Residual(double lambda)
        {
            double sum = energy;
            for (int k = 0; k < rank; k++)
            {
                double value = Math.Max(0, eigen.Values[k]),
                    inverse = 1 / (value + lambda);
                sum -= squares[k] * inverse * (2 - value * inverse);
            }
            return sum;
        }
    }
}
