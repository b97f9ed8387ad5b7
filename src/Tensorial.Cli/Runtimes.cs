using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;

namespace Tensorial.Cli;

/// <summary>What --runtime names.</summary>
internal static class Runtimes
{
    public static ImmutableArray<IRuntime> OpenAll(IEnumerable<string> runtimes) => [.. runtimes.Distinct().Select(Open)];

    public static IRuntime Open(string runtime) =>
        runtime switch
        {
            "own" => new OwnRuntime(),
            "onnxruntime" => OnnxRuntimeLibrary.Open(),
            _ when runtime.StartsWith("onnxruntime:", StringComparison.Ordinal) => OnnxRuntimeLibrary.Open(
                runtime["onnxruntime:".Length..]
            ),
            _ => throw new UsageException($"--runtime is own, onnxruntime or onnxruntime:PLACE, not '{runtime}'."),
        };
}
