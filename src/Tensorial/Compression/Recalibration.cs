using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>Batch-norm statistics of a compressed network, estimated again.</summary>
public static class Recalibration
{
    /// <summary>
    /// Pixels by which images are moved, as in the usual training on small images; whole ones give statistics that no training has seen.
    /// </summary>
    private const int Shift = 4;

    private const int Batch = 100;

    /// <summary>
    /// The network with its statistics estimated on training images, if that brings its predictions nearer to the dense network's on other
    /// training images; else as it was.
    /// </summary>
    public static (Graph Graph, bool Recalibrated) WhereItHelps(
        Graph dense,
        Graph compressed,
        ImageSet training,
        int images,
        int threads,
        int seed,
        CancellationToken cancel
    )
    {
        ImageSet estimated = training.Take(Math.Min(images, training.Count)).Shifted(Shift, seed);
        Graph changed = new BatchNormRecalibration(compressed, estimated, Batch, threads).Of(compressed, cancel);
        if (changed == compressed)
            return (compressed, false);
        // Judged on the last images: those in front were calibrated on.
        int held = Math.Min(images, training.Count);
        ScoreOutput? scores = ScoreOutput.Find(dense, training.HasLabels ? training.Classes : null);
        using Inference reference = new(dense, threads),
            before = new(compressed, threads),
            after = new(changed, threads);
        double DivergenceOf(Inference network) =>
            Batches()
                .Sum(images =>
                    images.Shape[0]
                    * Verification.DivergenceOf(dense, reference.RunAll(images), network.RunAll(images), scores, images.Shape[0])
                );
        return DivergenceOf(after) < DivergenceOf(before) ? (changed, true) : (compressed, false);

        IEnumerable<Tensor<float>> Batches() =>
            training.Skip(training.Count - held).Batches(Batch, cancel).Select(static batch => batch.Images);
    }
}
