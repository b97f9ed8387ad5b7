using System.Globalization;

namespace Tensorial.Data;

/// <summary>Height and width in pixels.</summary>
public readonly record struct ImageSize(int Height, int Width)
{
    /// <summary>More is a mistake.</summary>
    private const int Most = 1 << 15;

    /// <summary>Reads <c>224</c>, a square, or height and width, <c>480x640</c>.</summary>
    /// <exception cref="BadInputException">Neither.</exception>
    public static ImageSize Parse(string text)
    {
        string[] parts = text.Split('x', 'X', '×');
        int[] extents =
        [
            .. parts.Select(static part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : 0),
        ];
        return extents.Length is 1 or 2 && extents.All(static extent => extent is > 0 and <= Most)
            ? new(extents[0], extents[^1])
            : throw new BadInputException($"'{text}' is no size of a picture: give 224, or height and width as 480x640.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Height}x{Width}";
}

/// <summary>
/// How a picture of any size becomes an input of one size: the whole of it in the middle of a frame (letterbox), or resized, then cut to
/// its middle. All as torchvision does with Pillow images.
/// </summary>
public sealed record ImageTransform
{
    /// <summary>What fills a letterbox, as in the YOLO networks.</summary>
    private const byte Border = 114;

    /// <summary>Length of the shorter edge after resizing, the shape kept.</summary>
    public int? ShorterEdge { get; init; }

    /// <summary>Size after resizing, whatever the shape was.</summary>
    public ImageSize? Exactly { get; init; }

    /// <summary>What is cut from the middle.</summary>
    public ImageSize? Crop { get; init; }

    /// <summary>Frame that the whole picture is fitted into, its shape kept.</summary>
    public ImageSize? Letterbox { get; init; }

    /// <summary>Whether a letterbox has the picture in its top left corner (YOLOX) instead of its middle (other YOLO).</summary>
    public bool AtCorner { get; init; }

    /// <summary>Filter of resizing.</summary>
    public Interpolation Interpolation { get; init; }

    /// <summary>One channel of luma instead of R, G, B.</summary>
    public bool Grayscale { get; init; }

    /// <summary>Channels of what comes out.</summary>
    public int Channels => Grayscale ? 1 : 3;

    /// <summary>The size that every picture gets; null where that depends on the picture.</summary>
    public ImageSize? Size => Letterbox ?? Crop ?? Exactly;

    /// <exception cref="BadInputException">Settings that exclude one another.</exception>
    public void Check()
    {
        if (Letterbox is not null && (ShorterEdge is not null || Exactly is not null || Crop is not null))
            throw new BadInputException("A letterbox shows the whole picture: it does not go with resizing or cropping.");
        if (ShorterEdge is not null && Exactly is not null)
            throw new BadInputException("A picture is resized by its shorter edge or to a size, not both.");
    }

    /// <summary>A picture [height, width, channels] as the network's input is to see it, before normalisation.</summary>
    public Tensor<byte> Apply(Tensor<byte> pixels)
    {
        (int height, int width) = (pixels.Shape[0], pixels.Shape[1]);
        if (Letterbox is { } frame)
        {
            double ratio = Math.Min((double)frame.Height / height, (double)frame.Width / width);
            int rows = Math.Clamp((int)Math.Round(height * ratio), 1, frame.Height),
                columns = Math.Clamp((int)Math.Round(width * ratio), 1, frame.Width);
            Tensor<byte> fitted = Resampling.Resize(pixels, rows, columns, Interpolation);
            // Half a pixel too many goes right and below, as in YOLOv5.
            return AtCorner ? Placed(fitted, frame, 0, 0) : Placed(fitted, frame, (frame.Height - rows) / 2, (frame.Width - columns) / 2);
        }
        if (Exactly is { } size)
            pixels = Resampling.Resize(pixels, size.Height, size.Width, Interpolation);
        else if (ShorterEdge is { } edge)
            pixels =
                height <= width
                    ? Resampling.Resize(pixels, edge, (int)((long)edge * width / height), Interpolation)
                    : Resampling.Resize(pixels, (int)((long)edge * height / width), edge, Interpolation);
        return Crop is { } crop ? Cropped(pixels, crop) : pixels;
    }

    /// <summary>The middle of a picture, black where it is smaller.</summary>
    private static Tensor<byte> Cropped(Tensor<byte> pixels, ImageSize size)
    {
        // torchvision pads what is too small first, the odd pixel below and right, and rounds half a pixel to even.
        (int height, int width) = (pixels.Shape[0], pixels.Shape[1]);
        int top = height < size.Height ? -((size.Height - height) / 2) : (int)Math.Round((height - size.Height) / 2.0),
            left = width < size.Width ? -((size.Width - width) / 2) : (int)Math.Round((width - size.Width) / 2.0);
        return Placed(pixels, size, -top, -left, 0);
    }

    /// <summary>A frame with a picture at some place of it; what lies outside is cut.</summary>
    private static Tensor<byte> Placed(Tensor<byte> pixels, ImageSize frame, int top, int left, byte border = Border)
    {
        (int height, int width, int channels) = (pixels.Shape[0], pixels.Shape[1], pixels.Shape[2]);
        Tensor<byte> placed = new([frame.Height, frame.Width, channels]);
        if (border != 0)
            placed.Values.Fill(border);
        int first = Math.Max(0, left),
            length = Math.Min(frame.Width, left + width) - first;
        for (int row = Math.Max(0, top); row < Math.Min(frame.Height, top + height); row++)
            pixels
                .Values.Slice(((row - top) * width + first - left) * channels, length * channels)
                .CopyTo(placed.Values[((row * frame.Width + first) * channels)..]);
        return placed;
    }
}
