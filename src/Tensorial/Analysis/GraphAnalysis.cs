using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;

namespace Tensorial.Analysis;

/// <summary>What a network is, and how well it does.</summary>
public static class GraphAnalysis
{
    extension(Graph graph)
    {
        /// <summary>The kernels that can be cut.</summary>
        public KernelSet Kernels => new(WeightsAsInitializers.Apply(graph));

        /// <summary>Parameters, multiply-accumulates and activations.</summary>
        public GraphStatistics Statistics => GraphStatistics.From(graph);

        /// <summary>This network with a kernel replaced by its truncation, in the type the network stores.</summary>
        public Graph With(Kernel kernel, Truncation truncation) =>
            WeightsAsInitializers.Apply(graph).With(kernel.Name, kernel.Store(truncation.Values));

        /// <summary>Accuracy and loss on all images of a labelled set.</summary>
        /// <param name="images">Images with labels.</param>
        /// <param name="threads">Threads; 0 for one a processor.</param>
        /// <param name="progress">Told after each batch.</param>
        /// <param name="cancel">Ends it between batches.</param>
        /// <exception cref="BadInputException">The images have no labels or do not fit the network, or its output is no scores of so many
        /// classes.</exception>
        /// <exception cref="NumericalException">An output is not a finite number.</exception>
        public Evaluation Evaluate(
            ImageSet images,
            int threads = 0,
            IProgress<Progress>? progress = null,
            CancellationToken cancel = default
        )
        {
            Graph fixedExtents = graph.WithImageShape(images.ImageShape);
            using Inference inference = new(InFloat32.Apply(fixedExtents), threads);
            return Evaluator.Evaluate(inference, fixedExtents, images, progress: progress, cancel: cancel).Result;
        }

        /// <summary>As <see cref="Evaluate"/>, on a thread of its own.</summary>
        public Task<Evaluation> EvaluateAsync(
            ImageSet images,
            int threads = 0,
            IProgress<Progress>? progress = null,
            CancellationToken cancel = default
        ) => Task.Run(() => graph.Evaluate(images, threads, progress, cancel), cancel);

        /// <summary>Spectra of every kernel along every cut and, with images, the accuracy left after each truncation.</summary>
        /// <param name="images">Labelled images that accuracy is measured on; null for spectra alone.</param>
        /// <param name="options">Cuts, ranks and their order.</param>
        /// <param name="threads">Threads; 0 for one a processor.</param>
        /// <param name="progress">Told after each kernel and each measurement.</param>
        /// <param name="cancel">Ends it.</param>
        /// <exception cref="NumericalException">A weight or an output is not a finite number.</exception>
        public AnalysisReport Analyze(
            ImageSet? images = null,
            SweepOptions? options = null,
            int threads = 0,
            IProgress<Progress>? progress = null,
            CancellationToken cancel = default
        )
        {
            Graph plain = WeightsAsInitializers.Apply(graph).WithImageShape(images?.ImageShape);
            int count = threads > 0 ? threads : Environment.ProcessorCount;
            Provenance provenance = new()
            {
                Version = LibraryVersion.Text,
                CommandLine = "",
                Date = DateTimeOffset.UtcNow,
                Model = ModelFile.From(plain),
                Data = images is null ? null : DataUse.From(images, DataSplit.Test),
                Machine = Machine.Here(count),
            };
            Analyzer analyzer = Analyzer.Create(plain, KernelWeights.From(plain), provenance) with
            {
                Images = images,
                Options = options ?? new(),
                Threads = count,
            };
            return analyzer.Run(progress, cancel);
        }

        /// <summary>As <see cref="Analyze"/>, on a thread of its own.</summary>
        public Task<AnalysisReport> AnalyzeAsync(
            ImageSet? images = null,
            SweepOptions? options = null,
            int threads = 0,
            IProgress<Progress>? progress = null,
            CancellationToken cancel = default
        ) => Task.Run(() => graph.Analyze(images, options, threads, progress, cancel), cancel);
    }
}
