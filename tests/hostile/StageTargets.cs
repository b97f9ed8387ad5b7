using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Cli;
using Tensorial.Cli.Commands;
using Tensorial.Compression;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Hostile;

/// <summary>What is done with a network once it is read. Large networks are left out: they are not wrong, only slow.</summary>
internal static class StageTargets
{
    private const long MostMacs = 1_000_000,
        MostActivations = 200_000,
        MostParameters = 20_000;

    public static IReadOnlyList<Target> All =>
        [
            Stage("inspect", Inspect),
            Stage("shapes", static bytes => Shapes(OnnxFile.Read(bytes, "x.onnx"))),
            Stage("evaluate", Evaluate),
            Stage("train-step", TrainStep),
            Stage("rewrite", Rewrite),
            Stage("spectra", Spectra),
        ];

    private static Target Stage(string name, Action<byte[]> use) => new(name, true, Corpora.Models, Messages.Mutate, use);

    private static void Inspect(byte[] bytes)
    {
        Terminal terminal = new(TextWriter.Null, TextWriter.Null, errorIsTerminal: false, color: false, width: 200);
        _ = InspectCommand.Run(new(new(Scratch.Write(bytes, "inspect.onnx")), null), terminal);
    }

    private static void Shapes(Graph graph)
    {
        _ = ShapeInference.Explore(graph);
        _ = ShapeInference.Explore(graph.WithImageShape([2, 8, 8]));
        _ = GraphStatistics.From(graph);
    }

    private static Graph? Small(byte[] bytes)
    {
        Graph graph = OnnxFile.Read(bytes, "x.onnx");
        GraphStatistics statistics = GraphStatistics.From(graph);
        return statistics.Macs > MostMacs || statistics.PeakActivations > MostActivations || statistics.Parameters > MostParameters
            ? null
            : graph;
    }

    private static void Evaluate(byte[] bytes)
    {
        if (Small(bytes) is not { } graph)
            return;
        using Inference network = new(graph, threads: 1);
        if (network.IsForImages && Images(graph) is { } images)
            _ = network.Run(images);
    }

    /// <summary>Two images for a network's first input; null where that would be large.</summary>
    private static Tensor<float>? Images(Graph graph)
    {
        if (graph.FreeInputs is not [{ Dimensions: { Length: > 0 } dimensions }, ..])
            return null;
        int[] extents = [2, .. dimensions.Skip(1).Select(static dimension => dimension.Extent ?? 1)];
        return extents.Aggregate(1.0, static (product, extent) => product * extent) > MostActivations
            ? null
            : new Tensor<float>(Shape.From(extents));
    }

    private static void TrainStep(byte[] bytes)
    {
        if (Small(bytes) is not { } graph)
            return;
        graph = InFloat32.Apply(WeightsAsInitializers.ForTraining(graph));
        if (Images(graph) is not { } images)
            return;
        using TrainedNetwork network = new(graph, threads: 1);
        Tensor<float> output = network.Forward(images);
        network.Backward(new Tensor<float>(output.Shape));
    }

    private static void Rewrite(byte[] bytes)
    {
        if (Small(bytes) is not { } read)
            return;
        Graph graph = WeightsAsInitializers.Apply(read);
        ImmutableArray<CompressionCandidate> chosen =
        [
            .. CompressibleLayer
                .Of(graph)
                .Layers.Take(2)
                .Select(layer =>
                {
                    KernelFormat format = layer.Formats[bytes.Length % layer.Formats.Length];
                    return CompressionCandidate.From(layer, LayerForm.From(layer, format, layer.FormOf(format).RanksAt(0.5)), 0, 0);
                }),
        ];
        (Graph small, _) = new Compressor(graph, images: null, new() { Threads = 1 }, ResultCache.None).Run(chosen);
        _ = OnnxFile.Read(OnnxFile.ToBytes(small), "small.onnx");
    }

    private static void Spectra(byte[] bytes)
    {
        if (Small(bytes) is { } graph)
            _ = graph.Analyze(threads: 1);
    }
}
