using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// CP from a fit of a smaller rank: the new terms are fitted to what the known ones leave, then all together by alternating least squares. On
/// a ladder of ranks that takes a fraction of the sweeps that every rank from its own start does.
/// </summary>
internal static class CpGrowth
{
    /// <summary>Sweeps of the new terms alone.</summary>
    private const int SweepsOfNew = 8;

    /// <summary>Factors [n, R] of a tensor.</summary>
    /// <param name="rank">R.</param>
    /// <param name="known">Factors of a smaller rank.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="options">Sweeps.</param>
    /// <param name="improves">Whether all terms are fitted together in the end, as in the plain norm.</param>
    /// <param name="cancel">Stops between sweeps.</param>
    public static Tensor<T>[] To<T>(
        int rank,
        Tensor<T>[] known,
        Tensor<T> tensor,
        CpOptions options,
        bool improves,
        CancellationToken cancel
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TensorFormat format = TensorFormat.Cp(known.Length);
        int before = known[0].Shape[1];
        TensorFactors<T> fit = new(format, Folding.None(tensor.Shape), [before], [.. CpTerms.Balanced(known)], 1);
        Tensor<T> rest = new(tensor.Shape);
        TensorPrimitives.Subtract<T>(tensor.Values, fit.Reconstruct().Values, rest.Values);
        CpOptions few = new(1, SweepsOfNew, SweepsOfNew, options.Tolerance, options.Seed, options.Damping);
        TensorFactors<T> added = Cp.Fit(rest, RankChoice.From(rank - before), few, cancel: cancel);
        Tensor<T>[] joined = [.. fit.Factors.Zip(added.Factors, Joined)];
        if (!improves)
            return joined;
        CpLeastSquares<T> run = new(tensor, joined, options.Damping, Workers.Serial);
        run.Run(options.Sweeps, options.Tolerance, cancel);
        return run.Best;
    }

    /// <summary>The columns of two matrices side by side.</summary>
    private static Tensor<T> Joined<T>(Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int rows, int a, int b) = (left.Shape[0], left.Shape[1], right.Shape[1]);
        Tensor<T> joined = new([rows, a + b]);
        for (int row = 0; row < rows; row++)
        {
            left.Values.Slice(row * a, a).CopyTo(joined.Values[(row * (a + b))..]);
            right.Values.Slice(row * b, b).CopyTo(joined.Values[(row * (a + b) + a)..]);
        }
        return joined;
    }
}
