using System.Diagnostics;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;

namespace Tensorial.Analysis;

/// <summary>Measures how well a network does on labelled images.</summary>
public static class Evaluator
{
    /// <summary>Evaluates a network on every image of a set; the time includes reading and scoring.</summary>
    /// <exception cref="BadInputException">The images do not fit the network, or it has fewer outputs than the set has classes.</exception>
    /// <exception cref="NumericalException">An output is not a finite number.</exception>
    public static Timed<Evaluation> Run(
        Inference network,
        Graph graph,
        ImageSet images,
        int batch = 256,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        Scoring scoring = new(Scoring.GivesProbabilities(graph));
        Stopwatch clock = Stopwatch.StartNew();
        for (int first = 0; first < images.Count; first += batch)
        {
            cancel.ThrowIfCancellationRequested();
            int count = Math.Min(batch, images.Count - first);
            scoring.Add(network.Run(images.Batch(first, count)), images.Labels.Slice(first, count));
            progress?.Report(new("evaluate", first + count, images.Count, "images"));
        }
        return new(scoring.Result, clock.Elapsed);
    }
}

/// <summary>A result and the wall-clock time it took.</summary>
public readonly record struct Timed<T>(T Result, TimeSpan Elapsed);
