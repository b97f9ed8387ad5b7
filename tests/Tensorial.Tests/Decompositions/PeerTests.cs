using System.Globalization;
using Tensorial.Decompositions;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Decompositions;

/// <summary>Errors at equal ranks against the textbook algorithms in NumPy, on kernels of a trained network.</summary>
public class PeerTests
{
    private const string Textbook = """
        import sys
        import numpy as np
        x = np.load(sys.argv[1])
        name, ranks = sys.argv[2], [int(r) for r in sys.argv[3].split('x')]
        norm = np.linalg.norm(x)

        def unfold(t, k):
            return np.moveaxis(t, k, 0).reshape(t.shape[k], -1)

        def times(t, m, k):
            return np.moveaxis(np.tensordot(m, t, (1, k)), 0, k)

        def leading(m, r):
            return np.linalg.svd(m, full_matrices=False)[0][:, :r]

        if name == 'tucker':
            us = [leading(unfold(x, k), r) for k, r in enumerate(ranks)]
            for _ in range(50):
                for k in range(len(ranks)):
                    t = x
                    for j in range(len(ranks)):
                        if j != k:
                            t = times(t, us[j].T, j)
                    us[k] = leading(unfold(t, k), ranks[k])
            core = x
            for k in range(len(ranks)):
                core = times(core, us[k].T, k)
            error = np.sqrt(max(0, 1 - (np.linalg.norm(core) / norm) ** 2))
        elif name == 'tt':
            rest, left, dropped = x, 1, 0
            for n, r in zip(x.shape, ranks):
                u, s, v = np.linalg.svd(rest.reshape(left * n, -1), full_matrices=False)
                dropped += np.sum(s[r:] ** 2)
                rest, left = s[:r, None] * v[:r], r
            error = np.sqrt(dropped) / norm
        else:
            error = 1
            for seed in range(3):
                rng = np.random.RandomState(seed)
                us = [rng.randn(n, ranks[0]) for n in x.shape]
                for _ in range(100):
                    for k in range(x.ndim):
                        kr, gram = np.ones((1, ranks[0])), np.ones((ranks[0], ranks[0]))
                        for j in range(x.ndim):
                            if j != k:
                                kr = (kr[:, None] * us[j][None]).reshape(-1, ranks[0])
                                gram = gram * (us[j].T @ us[j])
                        us[k] = np.linalg.lstsq(gram, (unfold(x, k) @ kr).T, rcond=None)[0].T
                made = np.einsum('ar,br,cr,dr->abcd', *us, optimize=True)
                error = min(error, np.linalg.norm(x - made) / norm)
        print(repr(float(error)))
        """;

    [OracleTheory(Oracle.NumPy | Oracle.SharedModels)]
    [InlineData("tucker", new[] { 8, 9, 2, 2 }, 5)]
    [InlineData("tucker", new[] { 12, 16, 3, 3 }, 13)]
    [InlineData("tt", new[] { 8, 7, 3 }, 5)]
    [InlineData("tt", new[] { 12, 9, 2 }, 13)]
    [InlineData("cp", new[] { 24 }, 5)]
    [InlineData("cp", new[] { 30 }, 13)]
    public void Errors_are_no_worse_than_the_textbooks(string name, int[] ranks, int place)
    {
        Tensor<double> kernel = Some.Kernel(place);
        using TemporaryFolder folder = new();
        double textbook = double.Parse(
            Oracles.RunPython(Textbook, Some.Saved(kernel, folder.Path, "kernel"), name, string.Join('x', ranks)),
            CultureInfo.InvariantCulture
        );

        double ours = name switch
        {
            "tucker" => Tucker.Fit(kernel, RankChoice.From(ranks)).RelativeError,
            "tt" => TensorTrain.Fit(kernel, RankChoice.From(ranks)).RelativeError,
            _ => Cp.Fit(kernel, RankChoice.From(ranks)).RelativeError,
        };

        Assert.InRange(ours, textbook / 1.5, textbook * (1 + 1e-5));
    }
}
