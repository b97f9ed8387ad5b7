using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Tensorial.Data;

/// <summary>Where the pixels of a set are, before normalisation: in memory, or in files that are decoded when they are asked for.</summary>
internal abstract class ImageStore
{
    public abstract int Count { get; }

    /// <summary>Extents of one image.</summary>
    public abstract Shape ImageShape { get; }

    /// <summary>Whether an image is there at once, so that nothing is gained by reading ahead.</summary>
    public abstract bool IsInMemory { get; }

    /// <summary>Bytes that an image takes once it is read.</summary>
    public virtual long ImageBytes => ImageShape.ElementCount;

    /// <summary>Where the windows of the set begin: images that lie near each other. Usually one, of all images.</summary>
    public virtual IReadOnlyList<int> Windows => [0];

    /// <summary>The file that holds an image as it is, and how its name ends; null where there is none.</summary>
    public virtual (string Extension, byte[] Content)? FileOf(int image) => null;

    /// <summary>One image, of bytes or of float32. Not to be changed. May be called by several threads at once.</summary>
    /// <exception cref="BadInputException">Its file is damaged or does not fit the others; names it.</exception>
    public abstract Tensor Read(int image, CancellationToken cancel);

    /// <summary>Adds all that decides the pixels of some images.</summary>
    public abstract void AddTo(IncrementalHash hash, int first, int count);
}

/// <summary>Images in memory as they were stored, [count, ...]: bytes stay bytes.</summary>
internal sealed class MemoryImages(Tensor images) : ImageStore
{
    private readonly Shape _image = Shape.From(images.Shape.Extents[1..]);

    public override int Count => images.Shape[0];

    public override Shape ImageShape => _image;

    public override bool IsInMemory => true;

    public override Tensor Read(int image, CancellationToken cancel)
    {
        int size = _image.ElementCount;
        return images is Tensor<byte> bytes
            ? new Tensor<byte>(_image, bytes.Memory.Slice(image * size, size))
            : new Tensor<float>(_image, images.Of<float>().Memory.Slice(image * size, size));
    }

    public override void AddTo(IncrementalHash hash, int first, int count)
    {
        hash.AppendData(Encoding.UTF8.GetBytes($"{images.ElementType} {images.Shape.With(0, count)}"));
        int start = first * _image.ElementCount,
            length = count * _image.ElementCount;
        hash.AppendData(
            images is Tensor<byte> bytes
                ? bytes.Values.Slice(start, length)
                : MemoryMarshal.AsBytes(images.Of<float>().Values.Slice(start, length))
        );
    }
}

/// <summary>
/// Every image moved by up to so many pixels down or up and right or left, black (0) coming in at the edges: the usual augmentation, once.
/// </summary>
internal sealed class ShiftedImages(ImageStore images, int first, int count, int most, int seed) : ImageStore
{
    private readonly (int Down, int Right)[] _moves = Draw(count, most, seed);

    public override int Count => count;

    public override Shape ImageShape => images.ImageShape;

    public override bool IsInMemory => images.IsInMemory;

    public override Tensor Read(int image, CancellationToken cancel) =>
        images.Read(first + image, cancel) is var read && read is Tensor<byte> bytes
            ? Shifted(bytes, _moves[image])
            : Shifted(read.Of<float>(), _moves[image]);

    public override void AddTo(IncrementalHash hash, int start, int length)
    {
        hash.AppendData(Encoding.UTF8.GetBytes($"shifted {most} {seed} {start} "));
        images.AddTo(hash, first + start, length);
    }

    private static (int, int)[] Draw(int count, int most, int seed)
    {
        Random random = new(seed);
        var moves = new (int, int)[count];
        for (int image = 0; image < count; image++)
            moves[image] = (random.Next(-most, most + 1), random.Next(-most, most + 1));
        return moves;
    }

    private static Tensor<T> Shifted<T>(Tensor<T> image, (int Down, int Right) move)
        where T : unmanaged
    {
        Tensor<T> shifted = new(image.Shape);
        (int channels, int height, int width) = (image.Shape[0], image.Shape[1], image.Shape[2]);
        (int down, int right) = move;
        int first = Math.Max(0, right),
            length = width - Math.Abs(right);
        for (int channel = 0; channel < channels && length > 0; channel++)
        for (int row = Math.Max(0, down); row < Math.Min(height, height + down); row++)
            image
                .Values.Slice((channel * height + row - down) * width + first - right, length)
                .CopyTo(shifted.Values[((channel * height + row) * width + first)..]);
        return shifted;
    }
}
