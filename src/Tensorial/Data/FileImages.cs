using System.Security.Cryptography;
using System.Text;

namespace Tensorial.Data;

/// <summary>One image a file: pictures, or NumPy arrays. Nothing but their names is held.</summary>
/// <param name="folder">The folder that names are relative to.</param>
/// <param name="files">The files, in order.</param>
internal abstract class FileImages(string folder, IReadOnlyList<string> files) : ImageStore
{
    /// <summary>Files whose content is part of a fingerprint; of larger sets names and sizes are.</summary>
    private const long MostHashedBytes = 1L << 30;

    public override int Count => files.Count;

    public override bool IsInMemory => false;

    /// <summary>Length and time of each file when it was first looked at: a set that changes is another one.</summary>
    private readonly InputFile.Stamp[] _stamps = new InputFile.Stamp[files.Count];

    /// <summary>Where an image lies.</summary>
    protected string PathOf(int image) => Path.Combine(folder, files[image]);

    public override void AddTo(IncrementalHash hash, int first, int count)
    {
        long[] sizes = [.. Enumerable.Range(first, count).Select(image => Stamp(image).Length)];
        bool isWhole = sizes.Sum() <= MostHashedBytes;
        hash.AppendData(Encoding.UTF8.GetBytes($"{count} {Settings} {isWhole}\n"));
        for (int k = 0; k < count; k++)
            hash.AppendData(
                isWhole
                    ? SHA256.HashData(Read(first + k, InputFile.ReadBytes))
                    : Encoding.UTF8.GetBytes($"{files[first + k].Replace('\\', '/')} {sizes[k]}\n")
            );
    }

    /// <summary>Reads a file, of which only the name is held between two readings.</summary>
    /// <exception cref="IOException">It is another one than at first; names it.</exception>
    protected T Read<T>(int image, Func<string, T> read)
    {
        _ = Stamp(image);
        T content = read(PathOf(image));
        _ = Stamp(image);
        return content;
    }

    private InputFile.Stamp Stamp(int image)
    {
        InputFile.Stamp now = InputFile.StampOf(PathOf(image));
        if (_stamps[image] != default && _stamps[image] != now)
            throw new IOException(
                $"'{PathOf(image)}' was changed while it was in use: what was computed of it no longer belongs to the set. Run again."
            );
        return _stamps[image] = now;
    }

    /// <summary>What else decides the pixels, as text.</summary>
    protected abstract string Settings { get; }

    /// <summary>An image that is not of the shape of the first.</summary>
    protected BadInputException Misfit(int image, string shape, string first, string advice) =>
        new($"'{PathOf(image)}' is {shape}, '{PathOf(0)}' {first}: the images of a set have one size. {advice}");
}

/// <summary>Picture files of any size, brought to one.</summary>
internal sealed class PictureFiles : FileImages
{
    private readonly ImageTransform _transform;

    public PictureFiles(string folder, IReadOnlyList<string> files, ImageTransform transform)
        : base(folder, files)
    {
        _transform = transform;
        ImageSize size = transform.Size ?? SizeOf(transform.Apply(Read(0, path => ImageFile.Read(path, transform.Grayscale))));
        ImageShape = [transform.Channels, size.Height, size.Width];
    }

    public override Shape ImageShape { get; }

    protected override string Settings => _transform.ToString();

    public override Tensor Read(int image, CancellationToken cancel)
    {
        Tensor<byte> seen = _transform.Apply(Read(image, path => ImageFile.Read(path, _transform.Grayscale, cancel)));
        if (SizeOf(seen) is var size && (size.Height != ImageShape[1] || size.Width != ImageShape[2]))
            throw Misfit(
                image,
                size.ToString(),
                $"{ImageShape[1]}x{ImageShape[2]}",
                "Cut them to one (--crop 224), resize them (--resize 224x224), or frame them (--letterbox 640)."
            );
        return Planes(seen);
    }

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

    public ArrayFiles(string folder, IReadOnlyList<string> files)
        : base(folder, files)
    {
        Tensor first = StoredArray.Pixels(PathOf(0), Read(0, NpyFile.Read));
        (_type, ImageShape) = (first.ElementType, first.Shape);
        if (first.Shape.ElementCount == 0 || (first is Tensor<byte> && first.Shape.Rank != 3))
            throw new ShapeException($"'{PathOf(0)}' has the shape {first.Shape}: a sample needs C×H×W, or floats of any shape.");
    }

    public override Shape ImageShape { get; }

    public override long ImageBytes => (long)ImageShape.ElementCount * (_type == ElementType.UInt8 ? sizeof(byte) : sizeof(float));

    protected override string Settings => "arrays";

    public override Tensor Read(int image, CancellationToken cancel)
    {
        Tensor sample = StoredArray.Pixels(PathOf(image), Read(image, NpyFile.Read));
        if (sample.ElementType != _type || sample.Shape != ImageShape)
            throw Misfit(image, $"{sample.ElementType} {sample.Shape}", $"{_type} {ImageShape}", "Store them alike.");
        if (sample is Tensor<float> floats)
            StoredArray.CheckFinite(PathOf(image), floats.As([1, .. floats.Shape]));
        return sample;
    }
}
