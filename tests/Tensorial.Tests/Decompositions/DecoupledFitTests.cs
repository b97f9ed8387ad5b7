using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Decompositions;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.Decompositions;

/// <summary>Kernels with a rank for each channel.</summary>
public class DecoupledFitTests
{
    private static readonly Shape Small = [8, 6, 3, 3];

    private static readonly ImmutableArray<int> OfInputs = [2, 0, 3, 1, 1, 2],
        OfOutputs = [1, 2, 0, 1, 3, 1, 1, 2];

    public static TheoryData<string, int[]> Ranks =>
        new()
        {
            { "decoupled-in", [.. OfInputs] },
            { "decoupled-in", [2] },
            { "decoupled-out", [.. OfOutputs] },
            { "decoupled-out", [2] },
        };

    /// <summary>In the plain norm every channel is a matrix of its own: what is lost are its other singular values (Eckart and Young).</summary>
    [Theory]
    [MemberData(nameof(Ranks))]
    public void The_plain_error_is_what_the_channels_spectra_leave_out(string format, int[] ranks)
    {
        Tensor<double> kernel = Some.Noise(Small, 1);
        double[] weights = [1, 2, 0.5, 3, 1, 0.25, 2, 1];
        bool ofInput = format == "decoupled-in";
        double lost = 0,
            all = 0;
        for (int channel = 0; channel < (ofInput ? 6 : 8); channel++)
        {
            Tensor<double> matrix = ofInput ? new([8, 9]) : new([6, 9]);
            for (int row = 0; row < matrix.Shape[0]; row++)
            for (int t = 0; t < 9; t++)
            {
                (int o, int i) = ofInput ? (row, channel) : (channel, row);
                matrix.Values[row * 9 + t] = weights[o] * kernel.Values[(o * 6 + i) * 9 + t];
            }
            double[] squares = [.. Svd.Values(matrix).Select(static value => value * value)];
            lost += squares.Skip(ranks[ranks.Length == 1 ? 0 : channel]).Sum();
            all += squares.Sum();
        }

        TensorFactors<double> fit = KernelFactorization.Fit(kernel, KernelFormat.Parse(format), [.. ranks], new(null, weights));

        Assert.Equal(Math.Sqrt(lost / all), fit.RelativeError, 1e-9);
        Assert.Equal((ranks.Length == 1 ? (ofInput ? 6 : 8) * ranks[0] : ranks.Sum()) * (9 + (ofInput ? 8 : 6)), fit.Parameters);
    }

    /// <summary>
    /// With a covariance NumPy does alternating least squares by explicit design matrices, many rounds of it, from singular vectors in the
    /// channels' metrics; ours comes as low, and says what its factors do.
    /// </summary>
    [OracleTheory(Oracle.NumPy)]
    [MemberData(nameof(Ranks))]
    public void With_a_covariance_it_is_as_good_as_alternating_least_squares(string format, int[] ranks)
    {
        Tensor<double> kernel = Some.Noise(Small, 2),
            covariance = Covariance(3);
        KernelMetric metric = new(covariance);
        TensorFactors<double> fit = KernelFactorization.Fit(kernel, KernelFormat.Parse(format), [.. ranks], metric);
        Assert.Equal(metric.ErrorOf(kernel, fit.Reconstruct()), fit.RelativeError, 1e-9);

        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            int places = format == "decoupled-in" ? 6 : 8;
            double reference = double.Parse(
                Oracles.RunPython(
                    Program,
                    Some.Saved(kernel, folder, "kernel"),
                    Some.Saved(covariance, folder, "covariance"),
                    format,
                    string.Join(',', Enumerable.Range(0, places).Select(k => ranks[ranks.Length == 1 ? 0 : k]))
                ),
                CultureInfo.InvariantCulture
            );
            Assert.InRange(fit.RelativeError, 0.5 * reference, 1.03 * reference);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>The largest singular values of all channels are kept, so many as were asked for.</summary>
    [Fact]
    public void One_threshold_decides_all_ranks()
    {
        double[][] energies =
        [
            [9, 4, 1],
            [8, 7, 6],
            [0.5, 0.2, 0.1],
            [5, 3, 2],
        ];

        Assert.Equal<int>([1, 3, 0, 1], DecoupledFit.Spread(energies, 5, 1, 3));
        Assert.Equal<int>([2, 3, 0, 2], DecoupledFit.Spread(energies, 7, 1, 3));
        Assert.Equal<int>([1, 2, 0, 1], DecoupledFit.Spread(energies, 4, 1, 2));
        Assert.Equal<int>(
            [0, 0, 0, 1],
            DecoupledFit.Spread(
                [
                    [0],
                    [0],
                    [0],
                    [1],
                ],
                1,
                1,
                3
            )
        );
        Assert.Equal<int>([3, 3, 3, 3], DecoupledFit.Spread(energies, 100, 1, 3));
    }

    /// <summary>Numbers of channels that share a convolution are multiples, and no more filters are used than asked for.</summary>
    [Theory]
    [InlineData(10), InlineData(37), InlineData(64), InlineData(100)]
    public void Widths_of_branches_are_multiples(int total)
    {
        Random random = new(total);
        double[][] energies =
        [
            .. Enumerable
                .Range(0, 40)
                .Select(_ => (double[])[.. Enumerable.Range(0, 9).Select(_ => Math.Pow(random.NextDouble(), 3)).OrderDescending()]),
        ];
        ImmutableArray<int> ranks = DecoupledFit.Spread(energies, total, 8, 9);

        Assert.InRange(ranks.Sum(), total - 12, total);
        for (int rank = 1; rank <= ranks.Max(); rank++)
        {
            int width = ranks.Count(own => own >= rank);
            Assert.True(width % 8 == 0 || width < 8 || width == 40, $"{width} channels have rank {rank} or more");
        }
    }

    /// <summary>At equal parameters ranks that differ by channel lose less, where channels differ.</summary>
    [Theory]
    [InlineData("decoupled-in"), InlineData("decoupled-out")]
    public void Ranks_that_differ_lose_less(string format)
    {
        Tensor<double> kernel = Some.Noise([16, 12, 3, 3], 5).Clone();
        for (int at = 0; at < kernel.Shape.ElementCount; at++)
            kernel.Values[at] *= Math.Pow(0.7, at / 9 % 12) * Math.Pow(0.7, at / 108);
        KernelStarts starts = new(kernel, KernelMetric.Plain);
        KernelForm form = KernelForm.From(KernelFormat.Parse(format), kernel.Shape);
        ImmutableArray<int> own = form.RanksAt(starts, 0.4),
            same = form.RanksAt(0.4);

        Assert.InRange(form.Parameters(own.AsSpan()), 1, 0.4 * kernel.Shape.ElementCount);
        Assert.True(
            KernelFactorization.Fit(starts, form, own).RelativeError < 0.9 * KernelFactorization.Fit(starts, form, same).RelativeError,
            "ranks by channel should help here"
        );
    }

    [Theory]
    [InlineData("decoupled-in", new[] { 1, 2 }), InlineData("decoupled-in", new[] { 0 }), InlineData("decoupled-in", new[] { 9 })]
    [InlineData("decoupled-out", new[] { 1, 1, 1, 1, 1, 1, 1, -1 }), InlineData("decoupled-out", new[] { 0, 0, 0, 0, 0, 0, 0, 0 })]
    public void Ranks_that_no_channel_has_are_refused(string format, int[] ranks) =>
        Assert.Contains(
            format,
            Assert
                .Throws<BadInputException>(() => KernelFactorization.Fit(Some.Noise(Small, 4), KernelFormat.Parse(format), [.. ranks]))
                .Message
        );

    private static Tensor<double> Covariance(int seed)
    {
        int n = Small.ElementCount / Small[0];
        Tensor<double> root = Some.Noise([n, n], seed),
            result = new([n, n]);
        for (int at = 0; at < n * n; at++)
            root.Values[at] *= Math.Pow(0.93, at % n);
        MatrixProduct.Multiply<double>(n, n, n, 1, root.Values, n, 1, root.Values, 1, n, 0, result.Values, n, Workers.Serial);
        return KernelMetric.Regularised(result);
    }

    /// <summary>Alternating least squares over all filters at once and all of the mix at once.</summary>
    private const string Program = """
        import sys, numpy as np
        K, S = np.load(sys.argv[1]), np.load(sys.argv[2])
        O, I, T = K.shape[0], K.shape[1], 9
        K = K.reshape(O, I, T)
        ranks = [int(r) for r in sys.argv[4].split(',')]
        L = np.linalg.cholesky(S)                       # error is |(k - k~) L|
        def solve(columns, target):                     # columns: list of kernels [..], target kernel
            A = np.stack([(c.reshape(-1, I * T) @ L).ravel() for c in columns], 1)
            return np.linalg.lstsq(A, (target.reshape(-1, I * T) @ L).ravel(), rcond=None)[0]
        def root(M):
            w, V = np.linalg.eigh(M)
            return V * np.sqrt(w) @ V.T
        if sys.argv[3] == 'decoupled-in':
            where = [i for i in range(I) for _ in range(ranks[i])]
            D = []
            for i in range(I):
                R = root(S.reshape(I, T, I, T)[i, :, i, :])
                V = np.linalg.svd(K[:, i] @ R)[2]
                D += [V[r] @ np.linalg.inv(R) for r in range(ranks[i])]
            N = len(where)
            for _ in range(60):
                B = np.zeros((N, I, T))
                for n in range(N): B[n, where[n]] = D[n]
                B = B.reshape(N, -1)
                P = K.reshape(O, -1) @ S @ B.T @ np.linalg.pinv(B @ S @ B.T)
                columns = []
                for n in range(N):
                    for t in range(T):
                        c = np.zeros((O, I, T)); c[:, where[n], t] = P[:, n]; columns.append(c)
                D = solve(columns, K).reshape(N, T)
            B = np.zeros((N, I, T))
            for n in range(N): B[n, where[n]] = D[n]
            made = P @ B.reshape(N, -1)
        else:
            made = np.zeros((O, I * T))
            for o in range(O):
                R = ranks[o]
                if R == 0: continue
                D = np.linalg.svd(K[o])[2][:R]
                for _ in range(60):
                    columns = []
                    for r in range(R):
                        for i in range(I):
                            c = np.zeros((I, T)); c[i] = D[r]; columns.append(c)
                    p = solve(columns, K[o]).reshape(R, I)
                    columns = []
                    for r in range(R):
                        for t in range(T):
                            c = np.zeros((I, T)); c[:, t] = p[r]; columns.append(c)
                    D = solve(columns, K[o]).reshape(R, T)
                made[o] = (p.T @ D).ravel()
        K = K.reshape(O, -1)
        print(repr(float(np.linalg.norm((K - made) @ L) / np.linalg.norm(K @ L))))
        """;
}
