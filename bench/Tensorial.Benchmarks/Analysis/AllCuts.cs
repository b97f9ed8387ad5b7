using Tensorial.Analysis;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Onnx;

namespace Tensorial.Benchmarks.Analysis;

/// <summary>Singular values of every convolution kernel of a network along all its cuts, in float64, against PyTorch and NumPy.</summary>
internal static class AllCuts
{
    private static readonly string[] Peers = ["torch32", "torch64", "numpy64"];

    public static void Run(string model, int threads = 2, int rounds = 1)
    {
        using ThreadWorkers workers = new(threads);
        (Kernel Kernel, IReadOnlyList<Cut> Cuts)[] kernels =
        [
            .. from weight in KernelWeights.From(OnnxFile.Read(model)).Kernels
            where weight.Weights.Shape.Rank > 2
            let kernel = Kernel.From(weight)
            select (kernel, (IReadOnlyList<Cut>)Cut.All(kernel.Axes)),
        ];
        string name = $"{Path.GetFileName(model)}, all cuts of {kernels.Length} kernels";
        foreach (string library in Peers)
        {
            using Peer? peer = Peer.Start("/usr/bin/python3", "spectra.py", model, library, $"{threads}");
            Paired.Report($"{name}, float64 to {library}", 1, "network", () => Spectra.Of(kernels, workers), peer, rounds: rounds);
        }
    }
}
