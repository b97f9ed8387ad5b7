using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
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
}
