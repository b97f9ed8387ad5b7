namespace Tensorial.Analysis;

/// <summary>How well a network does on labelled images.</summary>
/// <param name="Samples">Images.</param>
/// <param name="Top1">Fraction of images, 0 to 1, whose label scores highest.</param>
/// <param name="Top5">Fraction of images, 0 to 1, whose label is among the five highest.</param>
/// <param name="Loss">Mean cross-entropy in nats.</param>
public sealed record Evaluation(int Samples, double Top1, double Top5, double Loss);
