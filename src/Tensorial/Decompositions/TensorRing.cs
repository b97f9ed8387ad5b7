using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>How hard a ring fit tries.</summary>
/// <param name="Starts">Starts: the first from singular values (TR-SVD), the others random. Each gets <paramref name="TrialSweeps"/>, the
/// best goes on.</param>
/// <param name="Sweeps">Sweeps of alternating least squares, at most; 0 leaves the first start.</param>
/// <param name="TrialSweeps">Sweeps after which starts are compared.</param>
/// <param name="Tolerance">The error has settled where ten sweeps lower it by less than this part.</param>
/// <param name="Seed">Seed of the random numbers; the same gives the same bits.</param>
public sealed record TensorRingOptions(int Starts = 2, int Sweeps = 300, int TrialSweeps = 20, double Tolerance = 1e-4, int Seed = 0);

/// <summary>
/// Trains whose ends are joined, X = tr(G¹ G² …) (Q. Zhao et al., arXiv 1606.05535): singular value decompositions of one cut after another
/// with the first split over two bonds, then alternating least squares.
/// </summary>
public static class TensorRing
{
    /// <summary>The cores [r, n, r'] of a tensor.</summary>
    /// <param name="tensor">Of order 2 or more.</param>
    /// <param name="ranks">The d bonds: first the one that joins the ends, then along the chain. By error or by data all bonds get the
    /// same.</param>
    /// <param name="chain">Modes in the order of the ring; their own order where none is given.</param>
    /// <param name="options">Starts and sweeps.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="cancel">Stops between sweeps.</param>
    /// <exception cref="BadInputException">The ranks or the chain do not fit the tensor.</exception>
    /// <exception cref="GoalNotMetException">No ranks reached the error asked for.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static TensorFactors<T> Fit<T>(
        Tensor<T> tensor,
        RankChoice ranks,
        ImmutableArray<int> chain = default,
        TensorRingOptions? options = null,
        Workers? workers = null,
        CancellationToken cancel = default
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (options, workers) = (options ?? new(), workers ?? Workers.Serial);
        int order = Fits.Check(tensor, 2);
        int[] modes = chain.IsDefaultOrEmpty ? [.. Enumerable.Range(0, order)] : [.. chain];
        TensorFormat format = TensorFormat.TensorRing(order, modes);
        ranks.Check(format, tensor.Shape);
        Tensor<T> arranged = Fits.Permuted(tensor, modes);
        return RankSearch.Fit(
            ranks,
            format,
            tensor,
            bonds =>
                TensorFactors<T>.Measured(
                    format,
                    Folding.None(tensor.Shape),
                    bonds,
                    [.. At(arranged, bonds, options, workers, cancel)],
                    tensor,
                    workers
                )
        );
    }

    private static Tensor<T>[] At<T>(
        Tensor<T> tensor,
        ImmutableArray<int> ranks,
        TensorRingOptions options,
        Workers workers,
        CancellationToken cancel
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (options.Sweeps == 0)
            return BySingularValues(tensor, ranks, new(options.Seed), workers);
        TensorRingLeastSquares<T>? best = null;
        for (int start = 0; start < Math.Max(1, options.Starts); start++)
        {
            Random random = new(unchecked(options.Seed * 7919 + start));
            TensorRingLeastSquares<T> run = new(
                tensor,
                start == 0 ? BySingularValues(tensor, ranks, random, workers) : ByChance(tensor, ranks, random),
                workers
            );
            run.Run(Math.Min(options.Sweeps, options.TrialSweeps), options.Tolerance, cancel);
            if (best is null || run.Error < best.Error)
                best = run;
        }
        best!.Run(options.Sweeps - options.TrialSweeps, options.Tolerance, cancel);
        return best.Best;
    }

    /// <summary>
    /// TR-SVD: the first cut's r₀ r₁ values are split over two bonds, the rest is a train. Bonds larger than a cut are filled up with small
    /// random numbers.
    /// </summary>
    private static Tensor<T>[] BySingularValues<T>(Tensor<T> tensor, ImmutableArray<int> ranks, Random random, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Shape shape = tensor.Shape;
        int order = shape.Rank,
            joint = ranks[0];
        Tensor<T>[] cores = new Tensor<T>[order];
        (Tensor<T> u, Tensor<T> rest) = Cut(tensor.As([shape[0], shape.ElementCount / shape[0]]), ranks[0] * ranks[1], random, workers);
        cores[0] = Fits.Permuted(u.As([shape[0], joint, ranks[1]]), 1, 0, 2);
        // [r₀, r₁, …] to [r₁, …, r₀]: the end that will join the first core comes last.
        rest = Fits.Permuted(rest.As([joint, rest.Shape.ElementCount / joint]), 1, 0);
        for (int k = 1; k < order - 1; k++)
        {
            int rows = ranks[k] * shape[k];
            (u, rest) = Cut(rest.As([rows, rest.Shape.ElementCount / rows]), ranks[k + 1], random, workers);
            cores[k] = u.As([ranks[k], shape[k], ranks[k + 1]]);
        }
        cores[^1] = rest.As([ranks[order - 1], shape[order - 1], joint]);
        return cores;
    }

    /// <summary>U and S Vᵀ with exactly <paramref name="rank"/> columns and rows.</summary>
    private static (Tensor<T> Left, Tensor<T> Right) Cut<T>(Tensor<T> matrix, int rank, Random random, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int rows, int columns) = (matrix.Shape[0], matrix.Shape[1]);
        Svd<T> svd = Svd.Truncated(matrix, Math.Min(rank, Math.Min(rows, columns)), workers);
        int found = svd.Values.Length;
        Tensor<T> left = Fits.Normal<T>([rows, rank], random),
            right = Fits.Normal<T>([rank, columns], random);
        T little = T.CreateChecked(1e-2),
            most = svd.Values.FirstOrDefault();
        foreach (ref T value in left.Values)
            value *= little / T.Sqrt(T.CreateChecked(rows));
        foreach (ref T value in right.Values)
            value *= little * most / T.Sqrt(T.CreateChecked(columns));
        for (int k = 0; k < found; k++)
        {
            for (int row = 0; row < rows; row++)
                left.Values[row * rank + k] = svd.U.Values[row * found + k];
            for (int column = 0; column < columns; column++)
                right.Values[k * columns + column] = svd.Vt.Values[k * columns + column] * svd.Values[k];
        }
        return (left, right);
    }

    /// <summary>Normal numbers of a variance that gives the product about the tensor's norm.</summary>
    private static Tensor<T>[] ByChance<T>(Tensor<T> tensor, ImmutableArray<int> ranks, Random random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int order = tensor.Shape.Rank;
        double variance =
            Math.Pow(TensorFactors<T>.Norm(tensor.Values), 2)
            / tensor.Shape.ElementCount
            / ranks.Aggregate(1.0, static (product, rank) => product * rank);
        T scale = T.CreateChecked(Math.Pow(variance, 0.5 / order));
        return
        [
            .. Enumerable
                .Range(0, order)
                .Select(k =>
                {
                    Tensor<T> core = Fits.Normal<T>([ranks[k], tensor.Shape[k], ranks[(k + 1) % order]], random);
                    foreach (ref T value in core.Values)
                        value *= scale;
                    return core;
                }),
        ];
    }
}
