using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;

namespace Tensorial.Benchmarks.Execution;

/// <summary>Whole networks against ONNX Runtime with the same number of threads, in this process.</summary>
internal static class AgainstOnnxRuntime
{
    public static void Run(string model, int batch, int threads = 2)
    {
        Graph graph = OnnxFile.Read(model);
        IReadOnlyDictionary<string, Tensor> inputs = RandomInputs.Create(graph, batch, 0);
        using IRuntime own = new OwnRuntime(),
            peer = new OrtRuntime();
        using ISession ours = own.Load(graph, threads),
            theirs = peer.Load(graph, threads);
        int runs = Math.Max(1, (int)(5e10 / GraphStatistics.From(graph).Macs / batch));
        Paired.Report(
            $"{Path.GetFileName(model)}, batch {batch}, {threads} threads, {peer.Name}",
            batch,
            "image",
            () => ours.Run(inputs),
            () => theirs.Run(inputs),
            runs
        );
    }
}
