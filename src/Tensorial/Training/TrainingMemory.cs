using System.Globalization;
using Tensorial.Execution;

namespace Tensorial.Training;

/// <summary>What a training holds beside its images, planned before the first step.</summary>
/// <param name="ActivationBytes">Activations and their gradients of the images that go through the network at once.</param>
/// <param name="WeightBytes">Weights, what is made of weights alone, gradients of both, what the optimizer remembers of them, and their
/// running mean.</param>
/// <param name="Parts">Parts that a batch goes through in, one after the other; their gradients add up to the whole's.</param>
public sealed record TrainingMemory(long ActivationBytes, long WeightBytes, int Parts)
{
    /// <summary>Bytes in all.</summary>
    public long Bytes => ActivationBytes + WeightBytes;

    /// <summary>
    /// A batch as a whole where that stays within the limit; otherwise in as few equal parts as do. Without batch normalisations the parts'
    /// gradients add up to those of the whole batch, to rounding.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="batch">Batch size.</param>
    /// <param name="copies">Numbers that are kept of each weight: itself, its gradient and more.</param>
    /// <param name="limit">Bytes that may be taken; null for no limit.</param>
    /// <exception cref="BadInputException">
    /// No part fits; or the whole does not, and batch normalisations, whose mean and variance are those of all its images, forbid parts.
    /// The message says what would fit.
    /// </exception>
    public static TrainingMemory Plan(TrainedNetwork network, int batch, int copies, long? limit)
    {
        long weights = network.Weights.Sum(static w => (long)w.Value.Shape.ElementCount) * copies * sizeof(float);
        long whole = network.ActivationBytes(batch),
            most = limit ?? long.MaxValue;
        if (weights + whole <= most)
            return new(whole, weights, 1);
        string excess =
            $"A step on {batch} images takes {Text(weights + whole)}, {Text(weights)} of them for weights; {Text(most)} are allowed.";
        if (network.Statistics.Count > 0)
            throw new BadInputException($"{excess} {Smaller(network, batch, most - weights)}");
        for (int parts = 2; parts <= batch; parts++)
            if (batch % parts == 0 && network.ActivationBytes(batch / parts) is var part && weights + part <= most)
                return new(part, weights, parts);
        throw new BadInputException($"{excess} Image by image it takes {Text(weights + network.ActivationBytes(1))}.");
    }

    /// <summary>Bytes as people read them, in MB, or kB below one of those.</summary>
    public static string Text(long bytes) =>
        bytes < 1e6
            ? (bytes / 1e3).ToString("N1", CultureInfo.InvariantCulture) + " kB"
            : (bytes / 1e6).ToString("N1", CultureInfo.InvariantCulture) + " MB";

    private static string Smaller(TrainedNetwork network, int batch, long most)
    {
        const string Why = "It cannot be run in parts: batch normalisations take mean and variance of all its images.";
        (int fits, int exceeds) = (1, batch);
        while (exceeds - fits > 1)
        {
            int middle = (fits + exceeds) / 2;
            if (network.ActivationBytes(middle) <= most)
                fits = middle;
            else
                exceeds = middle;
        }
        return fits > 1
            ? $"{Why} Batches of up to {fits} images fit."
            : $"{Why} No batch fits: two images take {Text(network.ActivationBytes(2))} of activations.";
    }
}
