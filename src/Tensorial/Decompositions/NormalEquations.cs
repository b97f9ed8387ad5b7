using System.Numerics;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>Least squares by the normal equations, X N = B.</summary>
internal static class NormalEquations
{
    /// <summary>
    /// The rows X for rows B, with a ridge of some epsilons times the mean diagonal, ten times larger at every failure: factors that are
    /// all but dependent leave the equations singular, and they shall not stop the fit.
    /// </summary>
    /// <param name="normal">N, [n, n].</param>
    /// <param name="rows">B.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="memory">n · n numbers to factor in; null for fresh ones.</param>
    /// <exception cref="NumericalException">Nothing helps: the equations hold values that are not finite.</exception>
    public static Tensor<T> Solve<T>(Tensor<T> normal, Tensor<T> rows, Workers workers, T[]? memory = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> solution = rows.Clone();
        Cholesky
            .OfRegularised<T>(normal.Values, normal.Shape[0], typeof(T) == typeof(float) ? 1e-6 : 1e-11, workers, memory)
            .SolveRows(solution.Values);
        return solution;
    }
}
