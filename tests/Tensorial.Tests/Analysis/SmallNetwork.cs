using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Analysis;

/// <summary>A network with a skip connection, a batch norm, a 1×1 kernel and a dense layer, and images to try it on.</summary>
internal static class SmallNetwork
{
    public static Graph Graph { get; } = Build();

    public static ImageSet Images { get; } = Set(30, 5);

    public static ImageSet Calibration { get; } = Set(24, 6);

    public static Analyzer Analyzer(
        SweepOptions options,
        ResultStore? store = null,
        ImageSet? images = null,
        ImageSet? calibration = null
    ) =>
        new()
        {
            Graph = Graph,
            Layers =
            [
                .. KernelWeights
                    .From(Graph)
                    .Kernels.Select(static weight => LayerFacts.From(weight, LayerFacts.MacsOf(GraphStatistics.From(Graph)))),
            ],
            Model = new("small", 0, 0, 0),
            Provenance = new()
            {
                Version = "0",
                CommandLine = "test",
                Date = DateTimeOffset.UnixEpoch,
                Model = new("small.onnx", new string('a', 64), 1),
                Machine = Machine.Here(2),
                Data = images is null ? null : DataUse.From(images, DataSplit.Test),
                Calibration = calibration is null ? null : DataUse.From(calibration, DataSplit.Train),
            },
            Images = images,
            Calibration = calibration,
            Options = options,
            Store = store,
            Threads = 2,
        };

    /// <summary>The plain way: every node as its operation defines it, all images at once.</summary>
    public static Evaluation Evaluate(Graph graph)
    {
        Scoring scoring = new(Scoring.GivesProbabilities(graph));
        scoring.Add(Sketch.Evaluate(graph, Images.Batch(0, Images.Count)), Images.Labels);
        return scoring.Result;
    }

    private static ImageSet Set(int count, int seed)
    {
        Random random = new(seed);
        int[] labels = [.. Enumerable.Range(0, count).Select(_ => random.Next(10))];
        return new($"noise {seed}", new Sketch(seed).Random([count, 3, 6, 6]), labels, 10, Normalization.None);
    }

    private static Graph Build()
    {
        Sketch sketch = new(3);
        Convolution Padded() => new() { Pads = [1, 1, 1, 1] };
        sketch.Node("a", Padded(), "x", sketch.Weights("first", [6, 3, 3, 3]));
        sketch.Node(
            "b",
            new BatchNormalization(),
            "a",
            sketch.Weights("scale", [6], 0.5f, 1.5f),
            sketch.Weights("shift", [6]),
            sketch.Weights("mean", [6]),
            sketch.Weights("var", [6], 0.5f, 2)
        );
        sketch.Node("c", new Relu(), "b");
        sketch.Node("d", Padded(), "c", sketch.Weights("second", [6, 6, 3, 3]));
        sketch.Node(
            "d2",
            new BatchNormalization(),
            "d",
            sketch.Weights("scale2", [6], 0.5f, 1.5f),
            sketch.Weights("shift2", [6]),
            sketch.Weights("mean2", [6]),
            sketch.Weights("var2", [6], 0.5f, 2)
        );
        sketch.Node("e", new Add(), "d2", "c");
        sketch.Node("f", new Relu(), "e");
        sketch.Node("g", new Convolution(), "f", sketch.Weights("point", [8, 6, 1, 1]));
        sketch.Node("h", new Relu(), "g");
        sketch.Node("i", new GlobalAveragePool(), "h");
        sketch.Node("j", new Flatten(), "i");
        sketch.Node("k", new Gemm { TransposeB = true }, "j", sketch.Weights("dense", [10, 8], -3, 3));
        return sketch.Graph(3, 6, 6);
    }
}
