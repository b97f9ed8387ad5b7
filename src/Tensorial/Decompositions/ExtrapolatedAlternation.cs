using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Decompositions;

/// <summary>
/// Alternating least squares that runs ahead: each factor goes a part β further than its least squares solution, the next is solved against
/// that, and a sweep that raised the error is taken back with a smaller β (A. Ang, J. Cohen, N. Gillis, L. Hien, Numer. Linear Algebra
/// Appl. 28, 2021). Plain alternation crawls where terms are nearly parallel. From one accepted sweep to the next the error never rises.
/// </summary>
internal abstract class ExtrapolatedAlternation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Tensor<T>[] _factors,
        _solved;

    /// <summary>β, and what it may grow to.</summary>
    private double _beta = 0.5,
        _limit = 1;

    protected ExtrapolatedAlternation(Tensor<T>[] start) => (_factors, _solved, Best) = ([.. start], [.. start], [.. start]);

    /// <summary>The factors of the least error so far.</summary>
    public Tensor<T>[] Best { get; private set; }

    /// <summary>Their squared relative error, from the normal equations: good to about the machine epsilon.</summary>
    public double Error { get; private set; } = double.PositiveInfinity;

    /// <summary>Sweeps until the error has settled.</summary>
    /// <param name="sweeps">How many, at most.</param>
    /// <param name="tolerance">It has settled where ten sweeps lower the error by less than this part of it.</param>
    /// <param name="cancel">Stops between sweeps.</param>
    public void Run(int sweeps, double tolerance, CancellationToken cancel)
    {
        double tenBefore = double.PositiveInfinity;
        for (int sweep = 1; sweep <= sweeps && Error > 0; sweep++)
        {
            cancel.ThrowIfCancellationRequested();
            Advance();
            if (sweep % 10 != 0)
                continue;
            if (Math.Sqrt(tenBefore) - Math.Sqrt(Error) <= tolerance * Math.Sqrt(Error))
                break;
            tenBefore = Error;
        }
    }

    /// <summary>
    /// Solves for one factor after another and hands each to <paramref name="update"/>, which puts what is further ahead among the factors;
    /// the last one stays as it is.
    /// </summary>
    /// <returns>The squared relative error of the factors then.</returns>
    protected abstract double Sweep(Tensor<T>[] factors, Action<int, Tensor<T>> update);

    /// <summary>The factors are others than the last sweep left.</summary>
    protected abstract void Restart(Tensor<T>[] factors);

    /// <summary>⟨x, y⟩, summed in double precision piece by piece.</summary>
    protected static double Dot(ReadOnlySpan<T> x, ReadOnlySpan<T> y)
    {
        const int Piece = 1 << 9;
        double sum = 0;
        for (int at = 0; at < x.Length; at += Piece)
        {
            int length = Math.Min(Piece, x.Length - at);
            sum += double.CreateChecked(TensorPrimitives.Dot(x.Slice(at, length), y.Slice(at, length)));
        }
        return sum;
    }

    private void Advance()
    {
        int last = _factors.Length - 1;
        double error = Sweep(
            _factors,
            (index, solution) =>
            {
                _factors[index] = index == last ? solution : Ahead(solution, _solved[index]);
                _solved[index] = solution;
            }
        );
        if (error <= Error)
        {
            (Error, Best) = (error, [.. _factors]);
            _beta = Math.Min(_limit, 1.05 * _beta);
            _limit = Math.Min(1, 1.01 * _limit);
            return;
        }
        _limit = _beta;
        _beta /= 1.5;
        Best.CopyTo(_factors, 0);
        Best.CopyTo(_solved, 0);
        Restart(_factors);
    }

    private Tensor<T> Ahead(Tensor<T> solution, Tensor<T> before)
    {
        Tensor<T> ahead = new(solution.Shape);
        TensorPrimitives.Subtract<T>(solution.Values, before.Values, ahead.Values);
        TensorPrimitives.MultiplyAdd<T>(ahead.Values, T.CreateChecked(_beta), solution.Values, ahead.Values);
        return ahead;
    }
}
