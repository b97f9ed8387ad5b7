using Tensorial.Data;
using Tensorial.Graphs;

namespace Tensorial.Training;

/// <summary>Training in one call; <see cref="Trainer"/> has checkpoints, teachers and evaluation after every epoch.</summary>
public static class GraphTraining
{
    extension(Graph graph)
    {
        /// <summary>Trains all weights, factors among them, on labelled images.</summary>
        /// <param name="images">Training images.</param>
        /// <param name="options">Optimizer, schedule, epochs; the usual ones where null.</param>
        /// <param name="progress">Told after each batch.</param>
        /// <param name="cancel">Ends it.</param>
        /// <returns>The trained network, and a record of every epoch.</returns>
        /// <exception cref="BadInputException">Network, images and options do not fit, or an operation has no gradient.</exception>
        /// <exception cref="NumericalException">The training diverged; names epoch, step and layer.</exception>
        public TrainingResult Train(
            ImageSet images,
            TrainingOptions? options = null,
            IProgress<Progress>? progress = null,
            CancellationToken cancel = default
        )
        {
            using Trainer trainer = new(graph, images, options ?? new());
            return trainer.Run(progress, cancel);
        }

        /// <summary>As <see cref="Train"/>, on a thread of its own.</summary>
        public Task<TrainingResult> TrainAsync(
            ImageSet images,
            TrainingOptions? options = null,
            IProgress<Progress>? progress = null,
            CancellationToken cancel = default
        ) => Task.Run(() => graph.Train(images, options, progress, cancel), cancel);
    }
}
