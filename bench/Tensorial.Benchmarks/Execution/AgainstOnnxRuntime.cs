using System.Globalization;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;

namespace Tensorial.Benchmarks.Execution;

/// <summary>Whole networks against ONNX Runtime with the same number of threads, in this process.</summary>
internal static class AgainstOnnxRuntime
{
    /// <summary>Every network of a folder, one image at a time, and the median of the ratios.</summary>
    public static void RunAll(string folder, int threads)
    {
        List<double> ratios = [];
        foreach (string model in Directory.EnumerateFiles(folder, "*.onnx").Order(StringComparer.Ordinal))
            try
            {
                ratios.Add(Run(model, 1, threads, 15, 5e8, 30));
            }
            catch (Exception error)
                when (error is BadInputException or NotSupportedException or Microsoft.ML.OnnxRuntime.OnnxRuntimeException)
            {
                Console.WriteLine($"{Path.GetFileName(model)}: {error.Message}");
            }
        if (ratios.Count > 0)
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{ratios.Count} networks, median {ratios.Order().ElementAt(ratios.Count / 2):F2}"
                )
            );
    }

    /// <summary>One network; returns how many times as fast ours is.</summary>
    public static double Run(string model, int batch, int threads = 2, int rounds = 9, double macs = 5e10, int mostRuns = 1000)
    {
        Graph graph = OnnxFile.Read(model);
        IReadOnlyDictionary<string, Tensor> inputs = RandomInputs.Create(graph, batch, 0);
        using IRuntime own = new OwnRuntime(),
            peer = new OrtRuntime();
        using ISession ours = own.Load(graph, threads),
            theirs = peer.Load(graph, threads);
        int runs = (int)Math.Clamp(macs / Math.Max(1, GraphStatistics.From(graph).Macs) / batch, 1, mostRuns);
        Console.Write($"{Difference(ours.Run(inputs), theirs.Run(inputs)):0.0e0} ");
        return Paired.Report(
            $"{Path.GetFileName(model)}, batch {batch}, {threads} threads, {peer.Name}",
            batch,
            "image",
            () => ours.Run(inputs),
            () => theirs.Run(inputs),
            runs,
            rounds
        );
    }

    /// <summary>The largest difference of the first output, over its largest magnitude.</summary>
    private static double Difference(IReadOnlyDictionary<string, Tensor> ours, IReadOnlyDictionary<string, Tensor> theirs)
    {
        if (ours.First() is not { Value: Tensor<float> mine, Key: string name } || theirs[name] is not Tensor<float> peers)
            return 0;
        double largest = 0,
            magnitude = 1e-30;
        for (int i = 0; i < mine.Values.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(mine.Values[i] - (double)peers.Values[i]));
            magnitude = Math.Max(magnitude, Math.Abs((double)peers.Values[i]));
        }
        return largest / magnitude;
    }
}
