using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>How hard a CP fit tries.</summary>
/// <param name="Starts">Starts: the first from singular vectors of the unfolded tensor, the others random. Each gets
/// <paramref name="TrialSweeps"/>, the best goes on.</param>
/// <param name="Sweeps">Sweeps over all modes, at most.</param>
/// <param name="TrialSweeps">Sweeps after which starts are compared.</param>
/// <param name="Tolerance">The error has settled where ten sweeps lower it by less than this part.</param>
/// <param name="Seed">Seed of the random numbers; the same gives the same bits.</param>
/// <param name="Damping">
/// λ of ‖X - X̃‖² + λ Σᵣ ‖termᵣ‖², which is minimised: where it is above 0, terms that grow and cancel each other cost more than they save.
/// </param>
public sealed record CpOptions(
    int Starts = 3,
    int Sweeps = 500,
    int TrialSweeps = 20,
    double Tolerance = 1e-4,
    int Seed = 0,
    double Damping = 0
);

/// <summary>
/// Sums of rank-one terms, X ≈ Σᵣ u¹ᵣ ∘ u²ᵣ ∘ … (canonical polyadic decomposition), by alternating least squares with extrapolation. A best
/// approximation need not exist: terms can grow and cancel; see <see cref="CpOptions.Damping"/> and
/// <see cref="TensorFactors{T}.TermEnergy"/>.
/// </summary>
public static class Cp
{
    /// <summary>The factors [n, R] of a tensor. Each term's weight is shared evenly by its vectors.</summary>
    /// <param name="tensor">Of order 2 or more.</param>
    /// <param name="rank">One rank. By error or by data: the smallest that doubling and halving find.</param>
    /// <param name="options">Starts and sweeps.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="cancel">Stops between sweeps.</param>
    /// <exception cref="BadInputException">The rank does not fit the tensor.</exception>
    /// <exception cref="GoalNotMetException">No rank reached the error asked for.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static TensorFactors<T> Fit<T>(
        Tensor<T> tensor,
        RankChoice rank,
        CpOptions? options = null,
        Workers? workers = null,
        CancellationToken cancel = default
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (options, workers) = (options ?? new(), workers ?? Workers.Serial);
        TensorFormat format = TensorFormat.Cp(Fits.Check(tensor, 2));
        rank.Check(format, tensor.Shape);
        return RankSearch.Fit(rank, format, tensor, ranks => At(tensor, ranks[0], options, workers, cancel));
    }

    /// <summary>From factors at hand, further down.</summary>
    /// <inheritdoc cref="Fit{T}(Tensor{T}, RankChoice, CpOptions?, Workers?, CancellationToken)"/>
    /// <param name="tensor">The tensor.</param>
    /// <param name="from">Factors of a tensor of its shape.</param>
    public static TensorFactors<T> Refine<T>(
        Tensor<T> tensor,
        TensorFactors<T> from,
        CpOptions? options = null,
        Workers? workers = null,
        CancellationToken cancel = default
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (options, workers) = (options ?? new(), workers ?? Workers.Serial);
        CpLeastSquares<T> run = new(tensor, [.. from.Factors], options.Damping, workers);
        run.Run(options.Sweeps, options.Tolerance, cancel);
        TensorFactors<T> result = Result(tensor, run.Best, workers);
        return result.RelativeError < from.RelativeError ? result : from;
    }

    private static TensorFactors<T> At<T>(Tensor<T> tensor, int rank, CpOptions options, Workers workers, CancellationToken cancel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CpLeastSquares<T>? best = null;
        for (int start = 0; start < Math.Max(1, options.Starts); start++)
        {
            CpLeastSquares<T> run = new(tensor, Start(tensor, rank, start, options.Seed, workers), options.Damping, workers);
            run.Run(Math.Min(options.Sweeps, options.TrialSweeps), options.Tolerance, cancel);
            if (best is null || run.Error < best.Error)
                best = run;
        }
        best!.Run(options.Sweeps - options.TrialSweeps, options.Tolerance, cancel);
        return Result(tensor, best.Best, workers);
    }

    private static TensorFactors<T> Result<T>(Tensor<T> tensor, Tensor<T>[] factors, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        TensorFactors<T>.Measured(
            TensorFormat.Cp(factors.Length),
            Folding.None(tensor.Shape),
            [factors[0].Shape[1]],
            [.. CpTerms.Balanced(factors)],
            tensor,
            workers
        );

    /// <summary>
    /// Leading singular vectors of each unfolding, filled up with random columns of norm 1; all random from the second start on.
    /// </summary>
    private static Tensor<T>[] Start<T>(Tensor<T> tensor, int rank, int start, int seed, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Random random = new(unchecked(seed * 7919 + start));
        return
        [
            .. Enumerable
                .Range(0, tensor.Shape.Rank)
                .Select(mode =>
                {
                    int extent = tensor.Shape[mode];
                    Tensor<T> factor = Fits.Normal<T>([rank, extent], random);
                    for (int r = 0; r < rank; r++)
                    {
                        Span<T> row = factor.Values.Slice(r * extent, extent);
                        TensorPrimitives.Divide<T>(row, TensorPrimitives.Norm<T>(row), row);
                    }
                    if (start == 0)
                    {
                        Tensor<T> leading = Matrix.Transpose(Fits.Leading(Fits.Unfolded(tensor, mode), Math.Min(rank, extent), workers));
                        leading.Values.CopyTo(factor.Values);
                    }
                    return Matrix.Transpose(factor);
                }),
        ];
    }
}
