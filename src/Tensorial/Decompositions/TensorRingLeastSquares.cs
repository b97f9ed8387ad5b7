using System.Numerics;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// Alternating least squares for a ring from one start. A core's normal equations come from the others' transfer matrices
/// E[(r,r̄),(s,s̄)] = Σₙ G[r,n,s] G[r̄,n,s̄], multiplied around the ring, so that the large matrix of all other modes is never formed.
/// </summary>
internal sealed class TensorRingLeastSquares<T> : ExtrapolatedAlternation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Tensor<T> _tensor;
    private readonly TensorFormat _format;
    private readonly double _energy;
    private readonly Workers _workers;
    private readonly Tensor<T>[] _transfers;

    public TensorRingLeastSquares(Tensor<T> tensor, Tensor<T>[] start, Workers workers)
        : base(start)
    {
        (_tensor, _format, _workers) = (tensor, TensorFormat.TensorRing(tensor.Shape.Rank), workers);
        _energy = Math.Pow(TensorFactors<T>.Norm(tensor.Values), 2);
        _transfers = new Tensor<T>[start.Length];
        Restart(start);
    }

    protected override void Restart(Tensor<T>[] factors)
    {
        for (int k = 0; k < factors.Length; k++)
            _transfers[k] = Transfer(factors[k]);
    }

    protected override double Sweep(Tensor<T>[] factors, Action<int, Tensor<T>> update)
    {
        if (_energy == 0)
            return 0;
        double error = 0;
        for (int k = 0; k < factors.Length; k++)
        {
            Shape shape = factors[k].Shape;
            int extent = shape[1],
                unknowns = shape[0] * shape[2];
            Tensor<T> product = Product(factors, k).As([extent, unknowns]),
                normal = Normal(k, shape).As([unknowns, unknowns]);
            Tensor<T> solution = NormalEquations.Solve(normal, product, _workers);
            update(k, Fits.Permuted(solution.As([extent, shape[0], shape[2]]), 1, 0, 2));
            _transfers[k] = Transfer(factors[k]);
            Tensor<T> gram = CpTerms.Gram(solution, _workers);
            error = Math.Max(0, (_energy - 2 * Dot(product.Values, solution.Values) + Dot(gram.Values, normal.Values)) / _energy);
        }
        return error;
    }

    /// <summary>The tensor contracted with all cores but one, the longest modes first, since they shrink it most: [n, r, s].</summary>
    private Tensor<T> Product(Tensor<T>[] factors, int core)
    {
        int[] others = [.. Enumerable.Range(0, factors.Length).Where(k => k != core).OrderByDescending(k => _tensor.Shape[k])];
        string axes = _format.Equation.Inputs[core];
        Equation equation = new(
            [_format.Equation.Output, .. others.Select(k => _format.Equation.Inputs[k])],
            $"{axes[1]}{axes[0]}{axes[2]}"
        );
        return Fits.Contract<T>(equation, _workers, [_tensor, .. others.Select(k => factors[k])]);
    }

    /// <summary>[(r,s),(r̄,s̄)] of one core: the product of all others' transfer matrices, from its right end around to its left.</summary>
    private Tensor<T> Normal(int core, Shape shape)
    {
        int order = _transfers.Length;
        Tensor<T> around = _transfers[(core + 1) % order];
        for (int k = 2; k < order; k++)
        {
            Tensor<T> next = _transfers[(core + k) % order],
                product = new([around.Shape[0], next.Shape[1]]);
            MatrixProduct.Multiply<T>(
                around.Shape[0],
                next.Shape[1],
                next.Shape[0],
                T.One,
                around.Values,
                around.Shape[1],
                1,
                next.Values,
                next.Shape[1],
                1,
                T.Zero,
                product.Values,
                next.Shape[1],
                _workers
            );
            around = product;
        }
        (int r, int s) = (shape[0], shape[2]);
        return Fits.Permuted(around.As([s, s, r, r]), 2, 0, 3, 1);
    }

    /// <summary>[(r,r̄),(s,s̄)].</summary>
    private Tensor<T> Transfer(Tensor<T> core)
    {
        (int r, int s) = (core.Shape[0], core.Shape[2]);
        return Fits.Contract<T>(new Equation(["rns", "RnS"], "rRsS"), _workers, core, core).As([r * r, s * s]);
    }
}
