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
    /// <exception cref="NumericalException">Nothing helps: the equations hold values that are not finite.</exception>
    public static Tensor<T> Solve<T>(Tensor<T> normal, Tensor<T> rows, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int n = normal.Shape[0];
        double mean = 0;
        for (int k = 0; k < n; k++)
            mean += double.CreateChecked(normal.Values[k * n + k]) / n;
        for (double ridge = typeof(T) == typeof(float) ? 1e-6 : 1e-11; ridge < 1; ridge *= 10)
        {
            Tensor<T> ridged = normal.Clone(),
                solution = rows.Clone();
            for (int k = 0; k < n; k++)
                ridged.Values[k * n + k] += T.CreateChecked(mean > 0 ? ridge * mean : 1);
            try
            {
                Cholesky.Of<T>(ridged.Values, n, workers).SolveRows(solution.Values);
                return solution;
            }
            catch (NumericalException)
            {
                // The next ridge is larger.
            }
        }
        throw new NumericalException($"The normal equations of {n} unknowns are singular whatever is added to them.");
    }
}
