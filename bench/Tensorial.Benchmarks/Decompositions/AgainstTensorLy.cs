using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Onnx;

namespace Tensorial.Benchmarks.Decompositions;

/// <summary>
/// Errors and times of factorizations at equal ranks against TensorLy, for one kernel of each shape of a network, in the precision stored.
/// </summary>
internal static class AgainstTensorLy
{
    /// <param name="model">An ONNX file with convolutions.</param>
    /// <param name="rate">Parameters of the factors over those of the kernel.</param>
    /// <param name="formats">cp, tucker2, tucker, tt, tr.</param>
    /// <param name="threads">Threads of ours; TensorLy's BLAS takes what it likes.</param>
    /// <param name="sweeps">Sweeps of TensorLy's iterations, at most (its default is 100).</param>
    /// <param name="starts">TensorLy's starts; the best counts.</param>
    public static void Run(string model, double rate, ImmutableArray<string> formats, int threads = 2, int sweeps = 100, int starts = 1)
    {
        using ThreadWorkers workers = new(threads);
        string file = Path.Combine(Path.GetTempPath(), $"tensorial-{Environment.ProcessId}.npy");
        try
        {
            foreach (
                KernelWeight weight in KernelWeights
                    .From(OnnxFile.Read(model))
                    .Kernels.Where(static k => k.Weights.Shape is [_, _, > 1, > 1])
                    .DistinctBy(static k => k.Weights.Shape)
            )
            {
                Tensor<float> kernel = (Tensor<float>)weight.Weights.To(ElementType.Float32);
                NpyFile.Write(kernel, file);
                foreach (string format in formats)
                {
                    ImmutableArray<int> ranks = Format(format).RanksWithin(kernel.Shape, (long)(rate * kernel.Shape.ElementCount));
                    TensorFactors<float> fit = Fit(kernel, format, ranks, workers);
                    using Peer? peer = Peer.Start(
                        "/usr/bin/python3",
                        "decompositions.py",
                        file,
                        format,
                        string.Join('x', ranks),
                        $"{sweeps}",
                        $"{starts}"
                    );
                    Paired.Report(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{kernel.Shape} {format} {string.Join('×', ranks)} error {fit.RelativeError:F6}"
                        ),
                        1,
                        "fit",
                        () => Fit(kernel, format, ranks, workers),
                        peer,
                        rounds: 3
                    );
                }
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static TensorFormat Format(string name) =>
        name switch
        {
            "cp" => TensorFormat.Cp(4),
            "tucker2" => TensorFormat.Tucker(4, 0, 1),
            "tucker" => TensorFormat.Tucker(4),
            "tt" => TensorFormat.TensorTrain(4),
            _ => TensorFormat.TensorRing(4),
        };

    private static TensorFactors<float> Fit(Tensor<float> kernel, string format, ImmutableArray<int> ranks, Workers workers)
    {
        RankChoice choice = new RankChoice.Given(ranks);
        return format switch
        {
            "cp" => Cp.Fit(kernel, choice, workers: workers),
            "tucker2" => Tucker.Fit(kernel, choice, [0, 1], workers: workers),
            "tucker" => Tucker.Fit(kernel, choice, workers: workers),
            "tt" => TensorTrain.Fit(kernel, choice, workers: workers),
            _ => TensorRing.Fit(kernel, choice, workers: workers),
        };
    }
}
