using System.Numerics.Tensors;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>
/// Tucker-2 in the plain norm by higher-order orthogonal iteration (L. De Lathauwer, B. De Moor, J. Vandewalle, SIAM J. Matrix Anal. Appl.
/// 21, 2000): each matrix in turn takes the leading singular vectors of what the other one leaves. A few rounds settle what a descent takes
/// a hundred steps for.
/// </summary>
internal static class OrthogonalIteration
{
    /// <summary>Rounds at most; the error has usually settled after five.</summary>
    private const int MostRounds = 40;

    /// <summary>
    /// The input's matrix [r, i] and the core [s, r, h, w], one behind the other. Singular vectors of the kernel alone where a covariance
    /// counts, which the descent from there knows and this iteration does not, and where no steps are asked for.
    /// </summary>
    public static double[] Tucker2(FitTask task)
    {
        if (task.Starts.Metric.Covariance is not null || task.Options.Iterations == 0)
            return FitStarts.ByCuts(task);
        Workers workers = task.Options.Workers ?? Workers.Serial;
        Tensor<double> kernel = task.Starts.Weighed,
            input = task.Starts.Leading("i", task.Ranks[0]);
        double energy = TensorPrimitives.SumOfSquares<double>(kernel.Values),
            before = double.PositiveInfinity;
        for (int round = 0; ; round++)
        {
            task.Cancel.ThrowIfCancellationRequested();
            Tensor<double> rest = Fits.Times(kernel, 1, input, workers),
                output = Fits.Leading(Fits.Unfolded(rest, 0), task.Ranks[1], workers),
                core = Fits.Times(rest, 0, output, workers);
            double error = Math.Sqrt(Math.Max(0, energy - TensorPrimitives.SumOfSquares<double>(core.Values)));
            if (round == MostRounds || before - error <= task.Options.Tolerance * error)
                return [.. Matrix.Transpose(input).Values, .. core.Values];
            before = error;
            input = Fits.Leading(Fits.Unfolded(Fits.Times(kernel, 0, output, workers), 1), task.Ranks[0], workers);
        }
    }
}
