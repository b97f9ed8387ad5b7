using System.Diagnostics;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;

namespace Tensorial.Analysis;

/// <summary>Measures how well a network does on labelled images.</summary>
internal static class Evaluator
{
    /// <summary>Evaluates a network on every image of a set; the time includes reading and scoring.</summary>
    /// <exception cref="BadInputException">The images have no labels or do not fit the network, or its output is no scores of so many
    /// classes.</exception>
    /// <exception cref="NumericalException">An output is not a finite number.</exception>
    internal static Timed<Evaluation> Evaluate(
        Inference network,
        Graph graph,
        ImageSet images,
        int batch = 256,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        images.LabelsFor("Top-1 accuracy");
        Scoring scoring = new(Scoring.GivesProbabilities(graph));
        Stopwatch clock = Stopwatch.StartNew();
        foreach (ImageBatch some in images.Batches(batch, cancel))
        {
            scoring.Add(network.Run(some.Images), some.Labels.Span);
            progress?.Report(new("evaluate", some.First + some.Count, images.Count, "images"));
        }
        return new(scoring.Result, clock.Elapsed);
    }
}

/// <summary>A result and the wall-clock time it took.</summary>
internal readonly record struct Timed<T>(T Result, TimeSpan Elapsed);
