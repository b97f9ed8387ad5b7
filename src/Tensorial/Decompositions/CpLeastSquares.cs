using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>Alternating least squares for CP from one start.</summary>
internal sealed class CpLeastSquares<T> : ExtrapolatedAlternation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly CpTree<T> _tree;
    private readonly double _energy,
        _damping;
    private readonly Workers _workers;
    private readonly Tensor<T>[] _grams;

    /// <param name="tensor">The tensor.</param>
    /// <param name="start">Factors [n, R].</param>
    /// <param name="damping">See <see cref="CpOptions.Damping"/>.</param>
    /// <param name="workers">Threads.</param>
    public CpLeastSquares(Tensor<T> tensor, Tensor<T>[] start, double damping, Workers workers)
        : base(start)
    {
        (_damping, _workers) = (damping, workers);
        _energy = Math.Pow(TensorFactors<T>.Norm(tensor.Values), 2);
        _tree = new(tensor, start[0].Shape[1], workers);
        _grams = new Tensor<T>[start.Length];
        Restart(start);
    }

    protected override void Restart(Tensor<T>[] factors)
    {
        for (int mode = 0; mode < factors.Length; mode++)
            _grams[mode] = CpTerms.Gram(factors[mode], _workers);
    }

    protected override double Sweep(Tensor<T>[] factors, Action<int, Tensor<T>> update)
    {
        if (_energy == 0)
            return 0;
        double error = 0;
        _tree.Sweep(
            factors,
            (mode, product) =>
            {
                Tensor<T> normal = CpTerms.OthersProduct(_grams, mode);
                int rank = normal.Shape[0];
                for (int r = 0; r < rank; r++)
                    normal.Values[r * (rank + 1)] *= T.CreateTruncating(1 + _damping);
                Tensor<T> solution = NormalEquations.Solve(normal, product, _workers);
                update(mode, solution);
                _grams[mode] = CpTerms.Gram(factors[mode], _workers);
                // ‖X‖² - 2⟨M, U⟩ + ⟨UᵀU, V⟩ with the last mode's, which is not extrapolated; on the diagonal are the energies of the terms.
                error = Math.Max(
                    0,
                    (_energy - 2 * Dot(product.Values, solution.Values) + Dot(_grams[mode].Values, normal.Values)) / _energy
                );
            }
        );
        return error;
    }
}
