using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;
using Tensorial.Data.Jpeg;
using Tensorial.Data.Png;

namespace Tensorial.Data;

/// <summary>
/// Reads picture files: JPEG, PNG, BMP, WebP, and the first frame of GIF, turned upright as EXIF says. Pixels are those that Pillow's
/// <c>convert("RGB")</c> or <c>convert("L")</c> gives; transparency is dropped. JPEG and PNG are read by decoders of our own, the
/// others by ImageSharp.
/// </summary>
public static class ImageFile
{
    /// <summary>More pixels than this are taken for an attack, as Pillow does.</summary>
    private const long MostPixels = 178_956_970;

    /// <summary>What files are recognised by, in lower case.</summary>
    internal static IReadOnlySet<string> Extensions { get; } =
        new HashSet<string>(StringComparer.OrdinalIgnoreCase) { ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".webp" };

    /// <summary>Pixels for a byte of what ImageSharp decodes; small pictures cost nothing.</summary>
    private const long MostExpansion = 2048,
        SmallPicture = 1 << 22;

    private static readonly Configuration Formats = new(
        new BmpConfigurationModule(),
        new GifConfigurationModule(),
        new WebpConfigurationModule()
    )
    {
        MaxDegreeOfParallelism = 1,
    };

    /// <summary>The pixels as [height, width, 3], or [height, width, 1] in grey.</summary>
    /// <param name="path">The file; its content, not its name, tells the format.</param>
    /// <param name="grayscale">Whether to give grey: 0.299 R + 0.587 G + 0.114 B.</param>
    /// <param name="cancel">Ends it between rows.</param>
    /// <exception cref="BadInputException">Not a picture of a known format, or damaged; names the file.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static Tensor<byte> Read(string path, bool grayscale = false, CancellationToken cancel = default) =>
        Read(InputFile.ReadBytes(path), path, grayscale, cancel);

    /// <inheritdoc cref="Read(string, bool, CancellationToken)"/>
    /// <param name="file">The file's bytes.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="grayscale">Whether to give grey.</param>
    /// <param name="cancel">Ends it between rows.</param>
    public static Tensor<byte> Read(ReadOnlyMemory<byte> file, string name, bool grayscale = false, CancellationToken cancel = default)
    {
        (Tensor<byte> pixels, int orientation) = JpegFile.Begins(file.Span)
            ? JpegFile.Read(file, name, cancel) is var jpeg
                ? (jpeg.Pixels, jpeg.Orientation)
                : default
            : PngFile.Begins(file.Span)
                ? PngFile.Read(file, name, cancel)
                : Decode(file, name);
        return Exif.Upright(
            (pixels.Shape[2], grayscale) switch
            {
                (3, true) => Gray(pixels),
                (1, false) => Colored(pixels),
                _ => pixels,
            },
            orientation
        );
    }

    /// <summary>Writes a PNG file, whole or not at all.</summary>
    /// <param name="pixels">[height, width, 1 or 3].</param>
    /// <param name="path">The file.</param>
    public static void WritePng(Tensor<byte> pixels, string path) => AtomicFile.Write(path, stream => WritePng(pixels, stream));

    /// <inheritdoc cref="WritePng(Tensor{byte}, string)"/>
    internal static void WritePng(Tensor<byte> pixels, Stream stream)
    {
        (int height, int width, int channels) = (pixels.Shape[0], pixels.Shape[1], pixels.Shape[2]);
        if (channels is not (1 or 3))
            throw new ShapeException($"A picture is written with 1 channel or 3, not with {channels}.");
        using Image image =
            channels == 1
                ? Image.LoadPixelData<L8>(Formats, pixels.Values, width, height)
                : Image.LoadPixelData<Rgb24>(Formats, pixels.Values, width, height);
        image.Save(stream, new PngEncoder { ColorType = channels == 1 ? PngColorType.Grayscale : PngColorType.Rgb });
    }

    /// <exception cref="BadInputException">No pixel, or more than any picture has.</exception>
    internal static void CheckSize(string name, long width, long height)
    {
        if (width < 1 || height < 1 || (Int128)width * height > MostPixels)
            throw new BadInputException($"'{name}' declares {width:N0} × {height:N0} pixels; from 1 to {MostPixels:N0} can be read.");
    }

    private static (Tensor<byte> Pixels, int Orientation) Decode(ReadOnlyMemory<byte> file, string name)
    {
        try
        {
            using MemoryStream stream = new(file.ToArray());
            IImageFormat format =
                Image.DetectFormat(Formats, stream)
                ?? throw new BadInputException($"'{name}' is no picture in JPEG, PNG, BMP, GIF or WebP format.");
            // Before the decoder looks at what the file declares.
            if (!WholeFile.Is(file.Span))
                throw new BadInputException($"'{name}' is cut: it ends at byte {file.Length:N0}, before its pixels do.");
            IImageInfo info = Image.Identify(Formats, stream) ?? throw new BadInputException($"'{name}' is damaged: it has no header.");
            CheckSize(name, info.Width, info.Height);
            if ((long)info.Width * info.Height > Math.Max(SmallPicture, MostExpansion * file.Length))
                throw new BadInputException(
                    $"'{name}' declares {info.Width:N0} × {info.Height:N0} pixels, more than its {file.Length:N0} bytes can hold."
                );
            stream.Position = 0;
            using Image<Rgb24> image = Image.Load<Rgb24>(Formats, stream, DecoderOf(format));
            Tensor<byte> pixels = new([image.Height, image.Width, 3]);
            image.CopyPixelDataTo(pixels.Values);
            ushort? orientation = image.Metadata.ExifProfile?.GetValue(ExifTag.Orientation)?.Value;
            return (pixels, orientation is >= 1 and <= 8 ? (int)orientation : 1);
        }
        // Whatever the decoder throws at bytes of strangers, it is the bytes: a division by zero as well as an index.
        catch (Exception broken) when (broken is not (BadInputException or OutOfMemoryException or OperationCanceledException))
        {
            throw new BadInputException($"'{name}' is damaged or of a kind that is not read: {broken.Message.TrimEnd('.')}.", broken);
        }
    }

    /// <summary>Of animations, the first frame alone is decoded.</summary>
    private static IImageDecoder DecoderOf(IImageFormat format) =>
        format is GifFormat ? new GifDecoder { DecodingMode = FrameDecodingMode.First } : Formats.ImageFormatsManager.FindDecoder(format);

    /// <summary>ITU-R 601 luma in 16-bit fixed point, as Pillow has it.</summary>
    private static Tensor<byte> Gray(Tensor<byte> pixels)
    {
        Tensor<byte> gray = new([pixels.Shape[0], pixels.Shape[1], 1]);
        ReadOnlySpan<byte> from = pixels.Values;
        Span<byte> to = gray.Values;
        for (int k = 0; k < to.Length; k++)
            to[k] = (byte)((from[3 * k] * 19595 + from[3 * k + 1] * 38470 + from[3 * k + 2] * 7471 + 0x8000) >> 16);
        return gray;
    }

    private static Tensor<byte> Colored(Tensor<byte> pixels)
    {
        Tensor<byte> colored = new([pixels.Shape[0], pixels.Shape[1], 3]);
        ReadOnlySpan<byte> from = pixels.Values;
        Span<byte> to = colored.Values;
        for (int k = 0; k < from.Length; k++)
            to[3 * k] = to[3 * k + 1] = to[3 * k + 2] = from[k];
        return colored;
    }
}
