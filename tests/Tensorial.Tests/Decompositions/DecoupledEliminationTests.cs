using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Decompositions;
using Tensorial.Kernels;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Decompositions;

/// <summary>Ranks by channel where channels are correlated.</summary>
public class DecoupledEliminationTests
{
    /// <summary>The first filter to go is the one without which NumPy's best mix of all others, solved anew for each, makes the least error.</summary>
    [OracleFact(Oracle.NumPy)]
    public void The_first_to_go_is_missed_least()
    {
        using TemporaryFolder folder = new();
        foreach (int seed in (int[])[1, 2, 3])
        {
            Tensor<double> kernel = Some.Noise([10, 4, 3, 1], seed),
                covariance = Covariance(12, seed + 10);
            double[][] times = DecoupledElimination.Times(kernel.Values, covariance, 10, 4, 3);
            int channel = int.Parse(
                Oracles.RunPython(
                    """
                    import sys, numpy as np
                    K, S = np.load(sys.argv[1]).reshape(10, 4, 3), np.load(sys.argv[2])
                    filters = []
                    for i in range(4):
                        w, V = np.linalg.eigh(S[3*i:3*i+3, 3*i:3*i+3]); R = V * np.sqrt(w) @ V.T
                        for v in np.linalg.svd(K[:, i] @ R)[2] @ np.linalg.inv(R):
                            f = np.zeros((4, 3)); f[i] = v; filters.append((i, f.ravel()))
                    L = np.linalg.cholesky(S); W = K.reshape(10, 12) @ L
                    def error(without):
                        B = np.array([f for n, (_, f) in enumerate(filters) if n != without]) @ L
                        P = np.linalg.lstsq(B.T, W.T, rcond=None)[0]
                        return np.linalg.norm(W.T - B.T @ P)
                    print(filters[min(range(12), key=error)][0])
                    """,
                    Some.Saved(kernel, folder.Path, "kernel"),
                    Some.Saved(covariance, folder.Path, "covariance")
                ),
                CultureInfo.InvariantCulture
            );
            Assert.Equal(1, times[channel][2]);
        }
    }

    /// <summary>Every filter goes once, in each channel the last first; and what stays leaves less error than what a threshold keeps.</summary>
    [Fact]
    public void What_stays_is_better_than_what_a_threshold_keeps()
    {
        double eliminated = 0,
            cut = 0;
        foreach (int seed in Enumerable.Range(1, 6))
        {
            Shape shape = [12, 8, 3, 3];
            Tensor<double> kernel = Some.Noise(shape, seed);
            KernelMetric metric = new(Covariance(72, seed + 20));
            KernelStarts starts = new(kernel, metric);
            double[][] times = DecoupledElimination.Times(kernel.Values, metric.Covariance!, 12, 8, 9);
            Assert.Equal(Enumerable.Range(1, 72).Select(static time => (double)time), times.SelectMany(static own => own).Order());
            Assert.All(times, static own => Assert.Equal(own.OrderDescending(), own));
            KernelForm form = KernelForm.From(KernelFormat.DecoupledIn, shape);
            ImmutableArray<int> ranks = form.RanksAt(starts, 0.3),
                byThreshold = DecoupledFit.Spread(DecoupledInput.Energies(kernel.Values, metric.Covariance, 12, 8, 9), ranks.Sum(), 1, 9);
            Assert.Equal(byThreshold.Sum(), ranks.Sum());
            eliminated += KernelFactorization.Fit(starts, form, ranks).RelativeError;
            cut += KernelFactorization.Fit(starts, form, byThreshold).RelativeError;
        }
        Assert.True(eliminated < cut, $"{eliminated / 6:F4} is not below {cut / 6:F4}");
    }

    private static Tensor<double> Covariance(int n, int seed)
    {
        Tensor<double> root = Some.Noise([n, n], seed),
            result = new([n, n]);
        for (int at = 0; at < n * n; at++)
            root.Values[at] *= Math.Pow(0.9, at % n);
        MatrixProduct.Multiply<double>(n, n, n, 1, root.Values, n, 1, root.Values, 1, n, 0, result.Values, n, Workers.Serial);
        return KernelMetric.Regularised(result);
    }
}
