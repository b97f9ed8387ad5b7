using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Tensorial.Data;

/// <summary>
/// Labelled images, held in memory as they were stored and normalised batch by batch. Bytes stay bytes: 10,000 CIFAR images take 30 MB.
/// Never changes, and may be read by several threads at once.
/// </summary>
public sealed class ImageSet
{
    private readonly Tensor _images;
    private readonly ReadOnlyMemory<int> _labels;
    private readonly Normalization _normalization;

    /// <summary>For every channel, what each of the 256 bytes becomes; empty where pixels are floats.</summary>
    private readonly float[] _table;

    private readonly Lazy<string> _fingerprint;

    /// <param name="name">What messages and reports call the set.</param>
    /// <param name="images">[count, C, H, W]: bytes, where 255 is white, or float32 values, which are taken as they are.</param>
    /// <param name="labels">The class of every image.</param>
    /// <param name="classes">How many classes there are; every label is below.</param>
    /// <param name="normalization">What <see cref="Batch"/> does to the pixels.</param>
    /// <exception cref="BadInputException">An empty set, shapes that do not fit, a label out of range, a pixel that is not
    /// finite.</exception>
    public ImageSet(string name, Tensor images, ReadOnlyMemory<int> labels, int classes, Normalization normalization)
    {
        if (images is not (Tensor<byte> or Tensor<float>))
            throw new BadInputException($"{name}: images must be UInt8 or Float32, not {images.ElementType}.");
        if (images.Shape.Rank != 4)
            throw new ShapeException($"{name}: images must have the shape count×C×H×W, not {images.Shape}.");
        if (images.Shape[0] != labels.Length)
            throw new ShapeException($"{name}: {images.Shape[0]:N0} images and {labels.Length:N0} labels do not fit.");
        if (images.Shape.Count == 0)
            throw new BadInputException($"{name} is empty: its images have the shape {images.Shape}.");
        CheckLabels(name, labels.Span, classes);
        normalization.Check(name, images.Shape[1]);

        (Name, _images, _labels, Classes, _normalization) = (name, images, labels, classes, normalization);
        ImageShape = Shape.Of(images.Shape.Extents[1..]);
        if (images is Tensor<float> floats)
            CheckFinite(floats);
        _table = images is Tensor<byte> ? Table(normalization, ImageShape[0]) : [];
        _fingerprint = new(ComputeFingerprint);
    }

    public string Name { get; }

    public int Count => _labels.Length;

    /// <summary>Channels, height, width.</summary>
    public Shape ImageShape { get; }

    public int Classes { get; }

    public ReadOnlySpan<int> Labels => _labels.Span;

    public Normalization Normalization => _normalization;

    /// <summary>
    /// SHA-256, as lower-case hexadecimal digits, over shape, pixels, labels and normalisation: sets with equal fingerprints show every
    /// network the same.
    /// </summary>
    public string Fingerprint => _fingerprint.Value;

    /// <summary>
    /// Images <paramref name="first"/> up to <paramref name="first"/> + <paramref name="count"/>, normalised: [count, C, H, W].
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The set does not have all of these images.</exception>
    public Tensor<float> Batch(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count - first);
        Tensor<float> batch = new([count, .. ImageShape]);
        int plane = ImageShape[1] * ImageShape[2];
        for (int offset = 0; offset < batch.Values.Length; offset += plane)
            Normalize(offset / plane % ImageShape[0], first * ImageShape.Count + offset, batch.Values.Slice(offset, plane));
        return batch;
    }

    /// <summary>Some images, in the order given, normalised: [count, C, H, W].</summary>
    /// <exception cref="ArgumentOutOfRangeException">The set does not have one of them.</exception>
    public Tensor<float> Pick(ReadOnlySpan<int> indices)
    {
        Tensor<float> batch = new([indices.Length, .. ImageShape]);
        int plane = ImageShape[1] * ImageShape[2];
        for (int i = 0; i < indices.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)indices[i], (uint)Count);
            for (int channel = 0; channel < ImageShape[0]; channel++)
                Normalize(
                    channel,
                    indices[i] * ImageShape.Count + channel * plane,
                    batch.Values.Slice((i * ImageShape[0] + channel) * plane, plane)
                );
        }
        return batch;
    }

    /// <summary>The same images seen as some of more classes, as a network tells apart that knows others too. Memory is shared.</summary>
    /// <exception cref="BadInputException">A label is not below the count.</exception>
    public ImageSet OfClasses(int classes) => classes == Classes ? this : new(Name, _images, _labels, classes, _normalization);

    /// <summary>The first <paramref name="limit"/> images, or all if there are fewer. Memory is shared.</summary>
    /// <exception cref="BadInputException">The limit is not positive.</exception>
    public ImageSet Take(int limit)
    {
        CheckLimit(limit);
        return limit >= Count ? this : Part(0, limit);
    }

    /// <summary>The images behind the first <paramref name="count"/>. Memory is shared.</summary>
    /// <exception cref="BadInputException">None would be left.</exception>
    public ImageSet Skip(int count) =>
        count == 0 ? this
        : count > 0 && count < Count ? Part(count, Count - count)
        : throw new BadInputException($"Without the first {count:N0} images {Name} has none left: it holds {Count:N0}.");

    private ImageSet Part(int first, int count)
    {
        Shape shape = _images.Shape.With(0, count);
        int start = first * (_images.Shape.Count / Count);
        Tensor images = _images is Tensor<byte> bytes
            ? new Tensor<byte>(shape, bytes.Memory.Slice(start, shape.Count))
            : new Tensor<float>(shape, _images.Of<float>().Memory.Slice(start, shape.Count));
        return new(Name, images, _labels.Slice(first, count), Classes, _normalization);
    }

    /// <summary>
    /// Every image moved by up to so many pixels down or up and right or left, black (0) coming in at the edges: the usual augmentation,
    /// once.
    /// </summary>
    public ImageSet Shifted(int most, int seed)
    {
        Random random = new(seed);
        Tensor images = _images is Tensor<byte> bytes ? Shifted(bytes, most, random) : Shifted(_images.Of<float>(), most, random);
        return new($"{Name}, shifted", images, _labels, Classes, _normalization);
    }

    private Tensor<T> Shifted<T>(Tensor<T> images, int most, Random random)
        where T : unmanaged
    {
        Tensor<T> shifted = new(images.Shape);
        (int channels, int height, int width) = (ImageShape[0], ImageShape[1], ImageShape[2]);
        for (int image = 0; image < Count; image++)
        {
            int down = random.Next(-most, most + 1),
                right = random.Next(-most, most + 1);
            int first = Math.Max(0, right),
                length = width - Math.Abs(right);
            for (int channel = 0; channel < channels && length > 0; channel++)
            for (int row = Math.Max(0, down); row < Math.Min(height, height + down); row++)
            {
                int plane = (image * channels + channel) * height;
                images
                    .Values.Slice((plane + row - down) * width + first - right, length)
                    .CopyTo(shifted.Values[((plane + row) * width + first)..]);
            }
        }
        return shifted;
    }

    public override string ToString() => $"{Name}: {Count:N0} images of {ImageShape}, {Classes} classes";

    /// <exception cref="BadInputException">The limit is not positive.</exception>
    internal static void CheckLimit(int? limit)
    {
        if (limit <= 0)
            throw new BadInputException($"A limit of {limit} images leaves nothing: it must be at least 1.");
    }

    private void Normalize(int channel, int start, Span<float> plane)
    {
        if (_images is Tensor<byte> bytes)
        {
            ReadOnlySpan<byte> pixels = bytes.Values.Slice(start, plane.Length);
            ReadOnlySpan<float> table = _table.AsSpan(channel * 256, 256);
            for (int index = 0; index < plane.Length; index++)
                plane[index] = table[pixels[index]];
        }
        else
        {
            (float mean, float deviation) = _normalization.Of(channel, ImageShape[0]);
            TensorPrimitives.Subtract(_images.Of<float>().Values.Slice(start, plane.Length), mean, plane);
            TensorPrimitives.Divide(plane, deviation, plane);
        }
    }

    /// <summary>The float32 arithmetic of torchvision's ToTensor and Normalize, so that a network sees the same bits as there.</summary>
    private static float[] Table(Normalization normalization, int channels)
    {
        float[] table = new float[channels * 256];
        for (int index = 0; index < table.Length; index++)
        {
            (float mean, float deviation) = normalization.Of(index / 256, channels);
            table[index] = ((index % 256 / 255f) - mean) / deviation;
        }
        return table;
    }

    private static void CheckLabels(string name, ReadOnlySpan<int> labels, int classes)
    {
        for (int index = 0; index < labels.Length; index++)
        {
            if ((uint)labels[index] >= (uint)classes)
                throw new BadInputException($"{name}: image {index:N0} has the label {labels[index]}, which is not in 0..{classes - 1}.");
        }
    }

    private void CheckFinite(Tensor<float> images)
    {
        ReadOnlySpan<float> values = images.Values;
        for (int index = 0; index < values.Length; index++)
        {
            if (!float.IsFinite(values[index]))
            {
                throw new BadInputException(
                    $"{Name}: image {index / ImageShape.Count:N0} holds {values[index]} at pixel "
                        + $"{index % ImageShape.Count} of {ImageShape}."
                );
            }
        }
    }

    private string ComputeFingerprint()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{_images.ElementType} {_images.Shape} {Classes} {_normalization}\n"));
        hash.AppendData(_images is Tensor<byte> bytes ? bytes.Values : MemoryMarshal.AsBytes(_images.Of<float>().Values));
        hash.AppendData(MemoryMarshal.AsBytes(_labels.Span));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
