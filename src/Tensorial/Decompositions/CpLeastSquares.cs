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
    private readonly Tensor<T> _normal;
    private readonly T[] _triangle;

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
        Shape square = [start[0].Shape[1], start[0].Shape[1]];
        _grams = [.. start.Select(_ => new Tensor<T>(square))];
        (_normal, _triangle) = (new(square), new T[square.ElementCount]);
        Restart(start);
    }

    protected override void Restart(Tensor<T>[] factors)
    {
        for (int mode = 0; mode < factors.Length; mode++)
            CpTerms.Gram(factors[mode], _grams[mode], _workers);
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
                CpTerms.OthersProduct(_grams, mode, _normal);
                int rank = _normal.Shape[0];
                for (int r = 0; r < rank; r++)
                    _normal.Values[r * (rank + 1)] *= T.CreateTruncating(1 + _damping);
                Tensor<T> solution = NormalEquations.Solve(_normal, product, _workers, _triangle);
                update(mode, solution);
                CpTerms.Gram(factors[mode], _grams[mode], _workers);
                // ‖X‖² - 2⟨M, U⟩ + ⟨UᵀU, V⟩ with the last mode's, which is not extrapolated; on the diagonal are the energies of the terms.
                error = Math.Max(
                    0,
                    (_energy - 2 * Dot(product.Values, solution.Values) + Dot(_grams[mode].Values, _normal.Values)) / _energy
                );
            }
        );
        return error;
    }
}
