using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using Tensorial.Graphs;

namespace Tensorial.Training;

/// <summary>What an epoch came to.</summary>
/// <param name="Epoch">Counted from 1.</param>
/// <param name="Loss">Mean loss over its batches as it was minimised: nats; of <see cref="Losses.RelativeSquares"/> without a
/// unit.</param>
/// <param name="TrainTop1">Share of images told right on the way, varied as they were and with weights still changing; null without
/// labels.</param>
/// <param name="TestTop1">Test accuracy after the epoch, 0 to 1; null if not evaluated.</param>
/// <param name="Seconds">Wall time, evaluation included.</param>
/// <param name="LearningRate">The rate of its last step.</param>
/// <param name="ImagesPerSecond">Training alone.</param>
/// <param name="TestError">‖y - t‖ / ‖t‖ of the outputs for the test images, t the teacher's; null unless the test images have no labels
/// for them.</param>
public sealed record EpochRecord(
    [property: Range(1, int.MaxValue)] int Epoch,
    double Loss,
    [property: Range(0.0, 1.0)] double? TrainTop1,
    [property: Range(0.0, 1.0)] double? TestTop1,
    [property: Range(0, double.MaxValue)] double Seconds,
    [property: Range(0, double.MaxValue)] double LearningRate,
    [property: Range(0, double.MaxValue)] double ImagesPerSecond,
    [property: Range(0, double.MaxValue)] double? TestError = null
);

/// <summary>Why a training ended.</summary>
public enum StopReason
{
    /// <summary>All epochs are done.</summary>
    Finished,

    /// <summary>The test accuracy has not risen for as many epochs as patience allowed.</summary>
    NoProgress,
}

/// <summary>A trained network and how it came about.</summary>
/// <param name="Network">The network after the last epoch; after the best one where training stopped early.</param>
/// <param name="Epochs">Every epoch, those before a resumption included.</param>
/// <param name="Stopped">Why it ended.</param>
public sealed record TrainingResult(Graph Network, ImmutableArray<EpochRecord> Epochs, StopReason Stopped);
