using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Benchmarks.Execution;

/// <summary>
/// Whole networks against ONNX Runtime with the same number of threads. Needs Node.js and onnxruntime-node, found through
/// TENSORIAL_ONNXRUNTIME.
/// </summary>
internal static class AgainstOnnxRuntime
{
    public static void Run(string model, int batch, int threads = 2)
    {
        Graph graph = OnnxFile.Read(model);
        Port input = graph.Inputs.First(port => !graph.Initializers.ContainsKey(port.Name));
        int[] extents = [.. input.Dimensions!.Value.Select(static d => d.Extent ?? 1)];
        extents[0] = batch;
        Tensor<float> images = new(Shape.Of(extents));
        Random random = new(0);
        foreach (ref float value in images.Values)
            value = random.NextSingle() - 0.5f;

        using Inference inference = new(graph, threads);
        using Peer? peer = Peer.Start("node", "onnxruntime.cjs", [model, $"{threads}", input.Name, .. extents.Select(static e => $"{e}")]);
        int runs = Math.Max(1, (int)(5e10 / GraphStatistics.Of(graph).Macs / batch));
        Paired.Report(
            $"{Path.GetFileName(model)}, batch {batch}, {threads} threads",
            batch,
            "image",
            () => inference.Run(images),
            peer,
            runs
        );
        Console.WriteLine($"  activations of one piece {inference.ActivationBytes / 1024.0 / 1024:F2} MiB a thread");
    }
}
