using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>Batch-norm statistics of a compressed network, estimated again.</summary>
internal static class Recalibration
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
        // What other nodes read as well is not written: each normalisation gets statistics of its own.
        Graph own = SeparateRoles.Apply(FoldStatistics.Apply(compressed));
        ImageSet estimated = training.Take(Math.Min(images, training.Count)).Shifted(Shift, seed);
        Graph changed = new BatchNormRecalibration(own, estimated, Batch, threads).Of(own, cancel);
        if (changed == own)
            return (compressed, false);
        // Judged on the last images: those in front were calibrated on.
        int held = Math.Min(images, training.Count);
        ScoreOutput? scores = ScoreOutput.Find(dense, training.HasLabels ? training.Classes : null);
        using Inference reference = new(InFloat32.Apply(dense), threads),
            before = new(InFloat32.Apply(compressed), threads),
            after = new(InFloat32.Apply(changed), threads);
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
