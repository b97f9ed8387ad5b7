using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.OnnxRuntime;

namespace Tensorial.Cli;

/// <summary>What --runtime names.</summary>
internal static class Runtimes
{
    public static ImmutableArray<IRuntime> OpenAll(IEnumerable<string> runtimes) => [.. runtimes.Distinct().Select(Open)];

    public static IRuntime Open(string runtime) =>
        runtime switch
        {
            "own" => new OwnRuntime(),
            "onnxruntime" => new OrtRuntime(),
            _ => throw new UsageException($"--runtime is own or onnxruntime, not '{runtime}'."),
        };

    /// <summary>
    /// What networks are compared in where nothing was named: our executor, or ONNX Runtime where ours does not run the network.
    /// </summary>
    public static IRuntime Suiting(Graph graph, int threads)
    {
        OwnRuntime own = new();
        try
        {
            using ISession session = own.Load(graph, threads);
            return own;
        }
        catch (BadInputException)
        {
            own.Dispose();
            return new OrtRuntime();
        }
    }
}
