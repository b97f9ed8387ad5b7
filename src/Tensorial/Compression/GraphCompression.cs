using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Compression.Runtimes;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>From a network to a smaller one.</summary>
public static class GraphCompression
{
    extension(Graph graph)
    {
        /// <summary>A smaller network whose predictions are damaged least, with the defaults of the tool.</summary>
        /// <param name="target">For example <c>params=0.5</c>, <c>macs=0.4</c>, <c>max-drop=0.5</c>.</param>
        /// <param name="calibration">Training images that factors are fitted on; null for fits to the kernels alone.</param>
        /// <exception cref="GoalNotMetException">The target cannot be met; says the least that is possible.</exception>
        /// <exception cref="BadInputException">The target is no target, or takes images that were not given.</exception>
        public CompressedNetwork Compress(string target, ImageSet? calibration = null) =>
            graph.Compress(new CompressionOptions { Targets = [CompressionTarget.Parse(target)] }, calibration);

        /// <summary>A smaller network.</summary>
        /// <param name="options">How small, and how.</param>
        /// <param name="calibration">Training images that factors are fitted on; null for fits to the kernels alone.</param>
        /// <param name="progress">Told after each candidate and each layer.</param>
        /// <param name="cancel">Ends it.</param>
        /// <exception cref="GoalNotMetException">The targets cannot be met; says the least that is possible.</exception>
        /// <exception cref="BadInputException">A layer that is named does not exist, or a target takes images that were not given.</exception>
        public CompressedNetwork Compress(
            CompressionOptions options,
            ImageSet? calibration = null,
            IProgress<Progress>? progress = null,
            CancellationToken cancel = default
        )
        {
            Graph read = WeightsAsInitializers.Apply(graph),
                sized = read.WithImageShape(calibration?.ImageShape);
            (ImmutableArray<CompressibleLayer> layers, ImmutableArray<KeptLayer> kept) = LayerChoice.From(
                sized,
                options.Layers,
                options.Keep,
                read
            );
            NetworkCompression compression = new(sized, layers, calibration, options.Runtimes, options.Rewriting, options.Memory)
            {
                Recalibrates = options.Recalibrate,
            };
            return compression.Run(options.Request, progress, cancel).With(sized, kept).OpenAs(read);
        }

        /// <summary>As <see cref="Compress(Graph, CompressionOptions, ImageSet, IProgress{Progress}, CancellationToken)"/>, on a thread of its own.</summary>
        public Task<CompressedNetwork> CompressAsync(
            CompressionOptions options,
            ImageSet? calibration = null,
            IProgress<Progress>? progress = null,
            CancellationToken cancel = default
        ) => Task.Run(() => graph.Compress(options, calibration, progress, cancel), cancel);

        /// <summary>How the answers of another network to images differ from this one's, output by output.</summary>
        /// <param name="other">The other network.</param>
        /// <param name="images">The images; with labels, the accuracy of both as well.</param>
        /// <param name="threads">Threads; 0 for one a processor.</param>
        /// <param name="progress">Told after each batch.</param>
        /// <param name="cancel">Ends it between batches.</param>
        /// <exception cref="BadInputException">The networks have different outputs, or do not take the images.</exception>
        public Verification Verify(
            Graph other,
            ImageSet images,
            int threads = 0,
            IProgress<Progress>? progress = null,
            CancellationToken cancel = default
        )
        {
            int count = threads > 0 ? threads : Environment.ProcessorCount;
            Graph sized = graph.WithImageShape(images.ImageShape);
            using OwnRuntime runtime = new();
            using ISession before = runtime.Load(sized, count),
                after = runtime.Load(other.WithImageShape(images.ImageShape), count);
            return Verification.From(
                before.Run,
                after.Run,
                InputBatch.Images(sized, images, batch: 64),
                ScoreOutput.Find(sized, images.HasLabels ? images.Classes : null),
                images.Count,
                progress,
                cancel
            );
        }

        /// <summary>
        /// This architecture with its layers in a format, factors drawn anew: a tensorial network (arXiv 1805.10352) to be trained.
        /// </summary>
        /// <param name="format">The format; layers it does not suit are written as <c>svd-out</c>.</param>
        /// <param name="rate">Parameters of the factors over those of the dense kernel, above 0 and below 1.</param>
        /// <param name="batch">Images a batch it will be trained with, on which the cheapest order of factors depends.</param>
        /// <param name="seed">Decides the factors.</param>
        /// <exception cref="BadInputException">The rate is not above 0 and below 1.</exception>
        public Graph InitializeFactorized(KernelFormat format, double rate, int batch = 128, int seed = 0) =>
            Tensorization.InitializeFactorized(graph, format, rate, batch, seed);
    }
}
