using System.Globalization;

namespace Tensorial.Training;

/// <summary>Augmentations as text: <c>none</c>, <c>cifar</c>, or parts joined by commas: <c>pad=4,flip,erase=0.25,mixup=0.2</c>.</summary>
internal static class AugmentationText
{
    /// <exception cref="BadInputException">A part is none of these; the message names it.</exception>
    public static Augmentation Parse(string text)
    {
        Augmentation result = Augmentation.None;
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            (string name, string value) = part.Split('=') is [var before, var after] ? (before, after) : (part, "");
            result = (name.ToLowerInvariant(), value) switch
            {
                ("none", "") => result,
                ("cifar", "") => result with { Padding = 4, Flips = true },
                ("flip", "") => result with { Flips = true },
                ("pad", _) => result with { Padding = (int)Number(part, value, 256) },
                ("erase", _) => result with { Erasing = Number(part, value, 1) },
                ("mixup", _) => result with { Mixup = Number(part, value, 100) },
                _ => throw new BadInputException(
                    $"'{part}' is no augmentation; there are none, cifar, flip, pad=PIXELS, erase=PROBABILITY and mixup=ALPHA."
                ),
            };
        }
        return result;
    }

    private static double Number(string part, string value, double most) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= 0 && number <= most
            ? number
            : throw new BadInputException($"'{part}' needs a number from 0 to {most}.");
}
