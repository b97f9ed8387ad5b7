namespace Tensorial.Data;

/// <summary>Arrays of any type as what <see cref="ImageSet"/> keeps: pixels as bytes or float32, labels as integers.</summary>
internal static class StoredArray
{
    /// <summary>More classes than any set of images has; a larger label is a mistake, and would only show when memory runs out.</summary>
    internal const int MostClasses = 1 << 24;

    /// <summary>
    /// Floats become float32. Wider integers become bytes if all of them are in 0 to 255; otherwise their scale would be a guess.
    /// </summary>
    /// <exception cref="BadInputException">Signed bytes or booleans, or integers that are not bytes.</exception>
    public static Tensor Pixels(string name, Tensor images) =>
        images.ElementType switch
        {
            ElementType.UInt8 => images,
            _ when IsFloat(images) => images.To(ElementType.Float32),
            ElementType.Int8 or ElementType.Bool => throw new BadInputException(
                $"'{name}' holds {images.ElementType} values; images must be bytes from 0 to 255, or floats."
            ),
            _ => Bytes(name, images),
        };

    /// <summary>One number for each image: count, or count×1.</summary>
    /// <exception cref="BadInputException">Not integers, another shape, or a label that is negative or beyond any number of
    /// classes.</exception>
    public static int[] Labels(string name, Tensor labels)
    {
        if (IsFloat(labels) || labels.ElementType == ElementType.Bool)
            throw new BadInputException($"'{name}' holds {labels.ElementType} values; labels must be integers.");
        if (!(labels.Shape.Rank == 1 || (labels.Shape.Rank == 2 && labels.Shape[1] == 1)))
            throw new ShapeException($"'{name}' has the shape {labels.Shape}; labels need one number for each image: count, or count×1.");
        ReadOnlySpan<long> numbers = labels.To(ElementType.Int64).Of<long>().Values;
        int wrong = numbers.IndexOfAnyExceptInRange(0, MostClasses - 1);
        if (wrong >= 0)
            throw new BadInputException($"'{name}', entry {wrong:N0}: the label is {numbers[wrong]}; labels count classes from 0.");
        return [.. labels.To(ElementType.Int32).Of<int>().Values];
    }

    /// <exception cref="BadInputException">A value of an image is not a finite number.</exception>
    public static void CheckFinite(string name, Tensor<float> images)
    {
        ReadOnlySpan<float> values = images.Values;
        int size = values.Length / images.Shape[0];
        for (int index = 0; index < values.Length; index++)
        {
            if (!float.IsFinite(values[index]))
            {
                throw new BadInputException(
                    $"{name}: image {index / size:N0} holds {values[index]} at pixel "
                        + $"{index % size} of {Shape.From(images.Shape.Extents[1..])}."
                );
            }
        }
    }

    private static bool IsFloat(Tensor tensor) =>
        tensor.ElementType is ElementType.Float32 or ElementType.Float64 or ElementType.Float16 or ElementType.BFloat16;

    private static Tensor Bytes(string name, Tensor images)
    {
        ReadOnlySpan<long> numbers = images.To(ElementType.Int64).Of<long>().Values;
        int wrong = numbers.IndexOfAnyExceptInRange(0, 255);
        if (wrong < 0)
            return images.To(ElementType.UInt8);
        int image = wrong / (numbers.Length / images.Shape[0]);
        throw new BadInputException(
            $"'{name}' holds {images.ElementType} values, and one of image {image:N0} is {numbers[wrong]}; "
                + "integer images must be in 0 to 255, others should be stored as floats on the scale that the network wants."
        );
    }
}
