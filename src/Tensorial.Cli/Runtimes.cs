using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.OnnxRuntime;

namespace Tensorial.Cli;

/// <summary>What --runtime names.</summary>
internal static class Runtimes
{
    /// <summary>The runtimes named; where none is, ONNX Runtime, or our own executor on a machine on which its library does not run.</summary>
    public static ImmutableArray<IRuntime> OpenAll(IReadOnlyCollection<string> runtimes) =>
        runtimes.Count > 0 ? [.. runtimes.Distinct().Select(Open)] : [AtHand()[^1]];

    /// <summary>Every runtime that works on this machine, our own first.</summary>
    public static ImmutableArray<IRuntime> AtHand()
    {
        OrtRuntime onnxRuntime = new();
        try
        {
            return onnxRuntime.Name.Length > 0 ? [new OwnRuntime(), onnxRuntime] : [];
        }
        catch (IOException)
        {
            onnxRuntime.Dispose();
            return [new OwnRuntime()];
        }
    }

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
