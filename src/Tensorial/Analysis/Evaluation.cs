using System.ComponentModel.DataAnnotations;

namespace Tensorial.Analysis;

/// <summary>How well a network does on labelled images.</summary>
/// <param name="Samples">Images.</param>
/// <param name="Top1">Fraction of images, 0 to 1, whose label scores highest.</param>
/// <param name="Top5">Fraction of images, 0 to 1, whose label is among the five highest.</param>
/// <param name="Loss">Mean cross-entropy in nats.</param>
public sealed record Evaluation(
    [property: Range(0, int.MaxValue)] int Samples,
    [property: Range(0.0, 1.0)] double Top1,
    [property: Range(0.0, 1.0)] double Top5,
    double Loss
);
