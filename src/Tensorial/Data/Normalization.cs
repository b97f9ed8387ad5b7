using System.Collections.Immutable;
using System.Globalization;

namespace Tensorial.Data;

/// <summary>
/// What is done to a pixel x in [0, 1] of channel c before a network sees it: (x - mean_c) / deviation_c. One pair serves every channel;
/// images of one channel take the first pair of several.
/// </summary>
public sealed class Normalization : IEquatable<Normalization>
{
    /// <summary>Means, then standard deviations; as many of each as there are channels.</summary>
    /// <param name="means">Of pixels in [0, 1], in the order in which the network takes channels.</param>
    /// <param name="deviations">In the same order.</param>
    /// <param name="isReversed">Whether the network takes channels in reverse: B, G, R of images stored as R, G, B.</param>
    /// <exception cref="BadInputException">Not the same number of both, none at all, one that is not finite, or a deviation that is not
    /// positive.</exception>
    public Normalization(ImmutableArray<float> means, ImmutableArray<float> deviations, bool isReversed = false)
    {
        if (means.IsDefaultOrEmpty || means.Length != deviations.Length)
        {
            throw new BadInputException(
                $"A normalisation needs as many means as deviations, not {Length(means)} and " + $"{Length(deviations)}."
            );
        }
        foreach (float mean in means)
            if (!float.IsFinite(mean))
                throw new BadInputException($"A mean of a normalisation must be finite, not {mean}.");
        foreach (float deviation in deviations)
        {
            if (!float.IsFinite(deviation) || deviation <= 0)
                throw new BadInputException($"A standard deviation of a normalisation must be positive and finite, not {deviation}.");
        }
        (Means, Deviations, IsReversed) = (means, deviations, isReversed);

        static int Length(ImmutableArray<float> values) => values.IsDefault ? 0 : values.Length;
    }

    /// <summary>Pixels in [0, 1], as they are.</summary>
    public static Normalization None { get; } = new([0], [1]);

    /// <summary>The means and deviations of ImageNet's training images, as torchvision publishes them.</summary>
    public static Normalization ImageNet { get; } = new([.485f, .456f, .406f], [.229f, .224f, .225f]);

    /// <summary>The means and deviations over all pixels of CIFAR-10's 50,000 training images, to four digits.</summary>
    public static Normalization Cifar10 { get; } = new([.4914f, .4822f, .4465f], [.2470f, .2435f, .2616f]);

    private static readonly (string Name, Normalization Value)[] Presets = [("none", None), ("imagenet", ImageNet), ("cifar10", Cifar10)];

    /// <summary>Mean of each channel.</summary>
    public ImmutableArray<float> Means { get; }

    /// <summary>Standard deviation of each channel.</summary>
    public ImmutableArray<float> Deviations { get; }

    /// <summary>Whether channels are reversed before their mean and deviation apply.</summary>
    public bool IsReversed { get; }

    /// <summary>The same for pixels on another scale: means and deviations of pixels in [0, <paramref name="white"/>].</summary>
    /// <exception cref="BadInputException">The scale is not positive and finite.</exception>
    public Normalization AtScale(float white) =>
        white > 0 && float.IsFinite(white)
            ? new([.. Means.Select(mean => mean / white)], [.. Deviations.Select(deviation => deviation / white)], IsReversed)
            : throw new BadInputException($"White must have a positive value, such as 1 or 255, not {white}.");

    /// <summary>The same with the order of channels as given.</summary>
    public Normalization Reversed(bool isReversed) => new(Means, Deviations, isReversed);

    /// <summary>
    /// Reads a preset's name (<c>none</c>, <c>imagenet</c>, <c>cifar10</c>), or the means and then the deviations, separated by commas.
    /// </summary>
    /// <exception cref="BadInputException">Neither a preset nor an even number of numbers.</exception>
    public static Normalization Parse(string text)
    {
        foreach ((string name, Normalization preset) in Presets)
            if (text.Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
                return preset;

        string[] parts = text.Split(',');
        float[] numbers = new float[parts.Length];
        for (int index = 0; index < parts.Length; index++)
        {
            if (!float.TryParse(parts[index], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[index]))
                throw new BadInputException($"'{text}' is no normalisation: '{parts[index].Trim()}' is not a number. {Expected}");
        }
        if (numbers.Length % 2 != 0)
        {
            throw new BadInputException(
                $"'{text}' is no normalisation: it has {numbers.Length} numbers, as many means as deviations "
                    + $"make an even number. {Expected}"
            );
        }
        return new([.. numbers[..(numbers.Length / 2)]], [.. numbers[(numbers.Length / 2)..]]);
    }

    private const string Expected =
        "Give a preset (none, imagenet, cifar10), or the channel means and then the channel deviations, "
        + "such as .485,.456,.406,.229,.224,.225.";

    /// <summary>The mean and the deviation of one channel of images that have <paramref name="channels"/>.</summary>
    internal (float Mean, float Deviation) Of(int channel, int channels)
    {
        int index = channels == 1 || Means.Length == 1 ? 0 : channel;
        return (Means[index], Deviations[index]);
    }

    /// <exception cref="BadInputException">Images of that many channels cannot be normalised with this.</exception>
    internal void Check(string name, int channels)
    {
        if (channels != 1 && Means.Length != 1 && Means.Length != channels)
        {
            throw new BadInputException(
                $"{name} has {channels} channels and the normalisation {this} is for {Means.Length}: give "
                    + $"{2 * channels} numbers, or 2 for all channels."
            );
        }
    }

    /// <inheritdoc/>
    public bool Equals(Normalization? other) =>
        other is not null
        && IsReversed == other.IsReversed
        && Means.SequenceEqual(other.Means)
        && Deviations.SequenceEqual(other.Deviations);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Normalization);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Means.Length, Means[0], Deviations[0], IsReversed);

    /// <summary>A preset's name, or the numbers as <see cref="Parse"/> reads them; "reversed" where channels are.</summary>
    public override string ToString()
    {
        if (IsReversed)
            return $"{Reversed(false)} reversed";
        foreach ((string name, Normalization preset) in Presets)
            if (Equals(preset))
                return name;
        return string.Join(',', Means.Concat(Deviations).Select(number => number.ToString(CultureInfo.InvariantCulture)));
    }
}
