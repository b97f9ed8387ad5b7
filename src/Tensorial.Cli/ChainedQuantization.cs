using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Compression.Int8;
using Tensorial.Graphs;

namespace Tensorial.Cli;

/// <summary>
/// What follows a compression with <c>--quantize</c>: the compressed network and the dense one are quantized, and all four compared.
/// </summary>
/// <param name="Staged">The quantized compressed network, on its way to its file.</param>
/// <param name="Verification">That network against the dense one.</param>
/// <param name="Quantized">What became of its layers.</param>
/// <param name="Networks">The four: dense, int8, low rank, low rank + int8.</param>
/// <param name="Runtime">What compared them.</param>
internal sealed record ChainedQuantization(
    OutputModel Staged,
    Verification Verification,
    QuantizedNetwork Quantized,
    ImmutableArray<ComparedNetwork> Networks,
    string Runtime
)
{
    /// <param name="run">The run on the dense network.</param>
    /// <param name="dense">The dense network, as open as it was read.</param>
    /// <param name="bytes">Bytes of its file.</param>
    /// <param name="small">The compressed network, as open.</param>
    /// <param name="metadata">What the files say of how they were made.</param>
    /// <param name="output">Where the result will lie.</param>
    public static ChainedQuantization From(
        QuantizationRun run,
        Graph dense,
        long bytes,
        Graph small,
        IReadOnlyDictionary<string, string> metadata,
        FileInfo output
    )
    {
        (ComparedNetwork lowRank, MeasuredLatency? timed, Verification first, _) = Compared("low rank", small);
        (ComparedNetwork int8, _, _, _) = Compared("int8", run.Quantize(dense).Graph);
        QuantizedNetwork quantized = run.Quantize(small);
        Graph graph = quantized.Graph with
        {
            Metadata = quantized.Graph.Metadata.SetItems(metadata).SetItem("tensorial.int8", Mark(quantized)),
        };
        OutputModel staged = OutputModel.Stage(graph.WithDynamicDimensionsOf(dense), output);
        try
        {
            (ComparedNetwork both, Verification found, string runtime) = Compare("low rank + int8", staged, out _);
            return new(
                staged,
                found,
                quantized,
                [new("float", bytes, first.First?.Top1, null, timed?.BeforeMs, null), int8, lowRank, both],
                runtime
            );
        }
        catch
        {
            staged.Dispose();
            throw;
        }

        (ComparedNetwork, MeasuredLatency?, Verification, string) Compared(string kind, Graph network)
        {
            using OutputModel file = OutputModel.Stage(network.WithDynamicDimensionsOf(dense), output);
            (ComparedNetwork compared, Verification verification, string name) = Compare(kind, file, out MeasuredLatency? latency);
            return (compared, latency, verification, name);
        }

        (ComparedNetwork, Verification, string) Compare(string kind, OutputModel file, out MeasuredLatency? latency)
        {
            (Verification found, string runtime) = run.Compare(file);
            latency = run.Time(file);
            return (new(kind, file.Bytes, found.Second?.Top1, found.RelativeError, latency?.AfterMs, latency?.Ratio), found, runtime);
        }
    }

    /// <summary>What a file says of its quantization.</summary>
    public static string Mark(QuantizedNetwork quantized) =>
        $"{quantized.Layers.Count(static layer => layer.Bits is not null)} of {quantized.Layers.Length} layers";
}
