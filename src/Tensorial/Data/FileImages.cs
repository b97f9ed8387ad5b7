using System.Security.Cryptography;
using System.Text;

namespace Tensorial.Data;

/// <summary>One image a file: pictures, or NumPy arrays. Nothing but their names and places is held.</summary>
internal abstract class FileImages(SampleFiles files) : ImageStore
{
    /// <summary>Files whose content is part of a fingerprint; of larger sets names and sizes are.</summary>
    private const long MostHashedBytes = 1L << 30;

    protected SampleFiles Files { get; } = files;

    public override int Count => Files.Count;

    public override bool IsInMemory => false;

    public override IReadOnlyList<int> Windows => Files.Windows;

    public override void AddTo(IncrementalHash hash, int first, int count)
    {
        long[] sizes = [.. Enumerable.Range(first, count).Select(Files.LengthOf)];
        bool isWhole = sizes.Sum() <= MostHashedBytes;
        hash.AppendData(Encoding.UTF8.GetBytes($"{count} {Settings} {isWhole}\n"));
        for (int k = 0; k < count; k++)
            hash.AppendData(
                isWhole ? SHA256.HashData(Files.Read(first + k)) : Encoding.UTF8.GetBytes($"{Files.NameOf(first + k)} {sizes[k]}\n")
            );
    }

    /// <summary>The file itself, and how its name ends.</summary>
    protected (string Extension, byte[] Content) Original(int image) =>
        (Path.GetExtension(Files.NameOf(image)).ToLowerInvariant(), Files.Read(image));

    /// <summary>What else decides the pixels, as text.</summary>
    protected abstract string Settings { get; }

    /// <summary>An image that is not of the shape of the first.</summary>
    protected BadInputException Misfit(int image, string shape, string first, string advice) =>
        new($"'{Files.PathOf(image)}' is {shape}, '{Files.PathOf(0)}' {first}: the images of a set have one size. {advice}");
}

/// <summary>Picture files of any size, brought to one.</summary>
internal sealed class PictureFiles : FileImages
{
    private readonly ImageTransform _transform;

    public PictureFiles(SampleFiles files, ImageTransform transform)
        : base(files)
    {
        _transform = transform;
        ImageSize size = transform.Size ?? SizeOf(Decode(0, default));
        ImageShape = [transform.Channels, size.Height, size.Width];
    }

    public override Shape ImageShape { get; }

    protected override string Settings => _transform.ToString();

    public override Tensor Read(int image, CancellationToken cancel)
    {
        Tensor<byte> seen = Decode(image, cancel);
        if (SizeOf(seen) is var size && (size.Height != ImageShape[1] || size.Width != ImageShape[2]))
            throw Misfit(
                image,
                size.ToString(),
                $"{ImageShape[1]}x{ImageShape[2]}",
                "Cut them to one (--crop 224), resize them (--resize 224x224), or frame them (--letterbox 640)."
            );
        return Planes(seen);
    }

    /// <summary>The file as it is, where nothing is done to its picture.</summary>
    public override (string Extension, byte[] Content)? FileOf(int image) => _transform == new ImageTransform() ? Original(image) : null;

    /// <summary>[H, W, C] as the transform leaves it.</summary>
    private Tensor<byte> Decode(int image, CancellationToken cancel) =>
        _transform.Apply(ImageFile.Read(Files.Read(image), Files.PathOf(image), _transform.Grayscale, cancel));

    private static ImageSize SizeOf(Tensor<byte> pixels) => new(pixels.Shape[0], pixels.Shape[1]);

    /// <summary>[H, W, C] as [C, H, W].</summary>
    private static Tensor<byte> Planes(Tensor<byte> pixels)
    {
        (int height, int width, int channels) = (pixels.Shape[0], pixels.Shape[1], pixels.Shape[2]);
        Tensor<byte> planes = pixels.As([channels, height, width]);
        if (channels == 1)
            return planes;
        planes = new([channels, height, width]);
        ReadOnlySpan<byte> from = pixels.Values;
        for (int channel = 0; channel < channels; channel++)
        {
            Span<byte> to = planes.Values.Slice(channel * height * width, height * width);
            for (int k = 0, at = channel; k < to.Length; k++, at += channels)
                to[k] = from[at];
        }
        return planes;
    }
}

/// <summary>A NumPy file for each sample, [C, H, W] or of any other extents, all alike.</summary>
internal sealed class ArrayFiles : FileImages
{
    private readonly ElementType _type;

    public ArrayFiles(SampleFiles files)
        : base(files)
    {
        Tensor first = Decode(0);
        (_type, ImageShape) = (first.ElementType, first.Shape);
        if (first.Shape.ElementCount == 0 || (first is Tensor<byte> && first.Shape.Rank != 3))
            throw new ShapeException($"'{Files.PathOf(0)}' has the shape {first.Shape}: a sample needs C×H×W, or floats of any shape.");
    }

    public override Shape ImageShape { get; }

    public override long ImageBytes => (long)ImageShape.ElementCount * (_type == ElementType.UInt8 ? sizeof(byte) : sizeof(float));

    protected override string Settings => "arrays";

    public override Tensor Read(int image, CancellationToken cancel)
    {
        Tensor sample = Decode(image);
        if (sample.ElementType != _type || sample.Shape != ImageShape)
            throw Misfit(image, $"{sample.ElementType} {sample.Shape}", $"{_type} {ImageShape}", "Store them alike.");
        if (sample is Tensor<float> floats)
            StoredArray.CheckFinite(Files.PathOf(image), floats.As([1, .. floats.Shape]));
        return sample;
    }

    /// <inheritdoc/>
    public override (string Extension, byte[] Content)? FileOf(int image) => Original(image);

    private Tensor Decode(int image)
    {
        byte[] content = Files.Read(image);
        string path = Files.PathOf(image);
        return StoredArray.Pixels(path, NpyFile.Read(new MemoryStream(content), path, content.Length));
    }
}
