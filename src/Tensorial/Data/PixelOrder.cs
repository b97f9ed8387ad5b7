namespace Tensorial.Data;

/// <summary>Whether the channels of stored images come before their pixels, count×C×H×W, or after, count×H×W×C, or neither.</summary>
public enum PixelOrder
{
    /// <summary>[channels, height, width].</summary>
    ChannelsFirst,

    /// <summary>[height, width, channels].</summary>
    ChannelsLast,

    /// <summary>Samples of any extents, as the network takes them.</summary>
    AsStored,
}

internal static class PixelOrders
{
    /// <summary>
    /// Stored images as count×C×H×W. Without an axis for channels they are grey; with one, and no <paramref name="order"/> given, channels
    /// are the only one of axes 1 and 3 that has 1, 3 or 4 entries.
    /// </summary>
    /// <exception cref="BadInputException">The shape is of no image array, or does not tell the order.</exception>
    public static Tensor<T> ToChannelsFirst<T>(string name, Tensor<T> images, PixelOrder? order)
        where T : unmanaged
    {
        Shape shape = images.Shape;
        if (order == PixelOrder.AsStored)
            return images;
        if (shape.Rank == 3)
            return images.As([shape[0], 1, shape[1], shape[2]]);
        if (shape.Rank != 4)
            throw new ShapeException(
                $"'{name}' has the shape {shape}; images need count×H×W, count×C×H×W or count×H×W×C; samples of other shapes take ',raw' after the file names."
            );
        return (order ?? Guess(name, shape)) == PixelOrder.ChannelsFirst ? images : Transpose(images);
    }

    private static PixelOrder Guess(string name, Shape shape) =>
        (shape[1] is 1 or 3 or 4, shape[3] is 1 or 3 or 4) switch
        {
            (true, false) => PixelOrder.ChannelsFirst,
            (false, true) => PixelOrder.ChannelsLast,
            (true, true) => throw Unclear(name, shape, "both axis 1 and axis 3 could be the channels"),
            _ => throw Unclear(name, shape, "neither axis 1 nor axis 3 has 1, 3 or 4 channels"),
        };

    private static BadInputException Unclear(string name, Shape shape, string reason) =>
        new($"'{name}' has the shape {shape}, where {reason}: say which with ',nchw' or ',nhwc' after the file names.");

    private static Tensor<T> Transpose<T>(Tensor<T> images)
        where T : unmanaged
    {
        Tensor<T> result = new([images.Shape[0], images.Shape[3], images.Shape[1], images.Shape[2]]);
        Strided.Permute<T>(images.Shape, images.Values, [0, 3, 1, 2], result.Values);
        return result;
    }
}
