using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Tensorial.Data;

/// <summary>
/// Images, with or without labels, normalised batch by batch. They lie in memory as they were stored (10,000 CIFAR images take 30 MB), or in
/// files that are decoded when they are asked for. Never changes, and may be read by several threads at once.
/// </summary>
public sealed class ImageSet
{
    private readonly ImageStore _store;
    private readonly int _first;
    private readonly ReadOnlyMemory<int>? _labels;
    private readonly PixelNormalizer _normalizer;
    private readonly DecodedImages? _decoded;
    private readonly Lazy<string> _fingerprint;

    /// <summary>Labelled images in memory.</summary>
    /// <param name="name">What messages and reports call the set.</param>
    /// <param name="images">[count, C, H, W]: bytes, where 255 is white, or float32 values, which are taken as they are; floats may have any
    /// other extents for one sample.</param>
    /// <param name="labels">The class of every image.</param>
    /// <param name="classes">How many classes there are; every label is below.</param>
    /// <param name="normalization">What is done to the pixels.</param>
    /// <exception cref="BadInputException">An empty set, shapes that do not fit, a label out of range, a pixel that is not
    /// finite.</exception>
    public ImageSet(string name, Tensor images, ReadOnlyMemory<int> labels, int classes, Normalization normalization)
        : this(name, InMemory(name, images), 0, images.Shape[0], labels, classes, normalization)
    {
        if (images.Shape[0] != labels.Length)
            throw new ShapeException($"{name}: {images.Shape[0]:N0} images and {labels.Length:N0} labels do not fit.");
        CheckLabels(name, labels.Span, classes);
    }

    /// <summary>Images in memory without labels.</summary>
    /// <inheritdoc cref="ImageSet(string, Tensor, ReadOnlyMemory{int}, int, Normalization)"/>
    public ImageSet(string name, Tensor images, Normalization normalization)
        : this(name, InMemory(name, images), 0, images.Shape[0], null, 0, normalization) { }

    /// <summary>Images wherever they are; null labels for none.</summary>
    internal ImageSet(string name, ImageStore store, int[]? labels, int classes, Normalization normalization)
        : this(name, store, 0, store.Count, labels is null ? (ReadOnlyMemory<int>?)null : labels.AsMemory(), classes, normalization) { }

    private ImageSet(
        string name,
        ImageStore store,
        int first,
        int count,
        ReadOnlyMemory<int>? labels,
        int classes,
        Normalization normalization
    )
    {
        (Name, _store, _first, Count, _labels, Classes) = (name, store, first, count, labels, classes);
        _normalizer = new(name, normalization, store.ImageShape);
        _decoded = store.IsInMemory ? null : DecodedImages.Room(count, store.ImageBytes);
        _fingerprint = new(ComputeFingerprint);
    }

    /// <summary>Name for people.</summary>
    public string Name { get; }

    /// <summary>Number of images.</summary>
    public int Count { get; }

    /// <summary>Extents of one image: channels, height, width.</summary>
    public Shape ImageShape => _store.ImageShape;

    /// <summary>How many classes there are; 0 where there are no labels.</summary>
    public int Classes { get; }

    /// <summary>Whether images have labels.</summary>
    public bool HasLabels => _labels is not null;

    /// <summary>The class of every image.</summary>
    /// <exception cref="BadInputException">The set has no labels.</exception>
    public ReadOnlySpan<int> Labels => LabelsFor("This").Span;

    /// <summary>Means and deviations that are taken out of every channel.</summary>
    public Normalization Normalization => _normalizer.Normalization;

    /// <summary>The class of every image, for something that cannot do without.</summary>
    /// <param name="purpose">What that is, as the subject of a sentence: <c>Top-1 accuracy</c>.</param>
    /// <exception cref="BadInputException">The set has no labels.</exception>
    public ReadOnlyMemory<int> LabelsFor(string purpose) =>
        _labels
        ?? throw new BadInputException(
            $"{purpose} needs labels, and {Name} has none. Folders get them from a subfolder for each class, arrays from LABELS.npy, shards from KEY.cls."
        );

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
        Fill(batch, k => first + k, default);
        return batch;
    }

    /// <summary>Some images, in the order given, normalised: [count, C, H, W].</summary>
    /// <exception cref="ArgumentOutOfRangeException">The set does not have one of them.</exception>
    public Tensor<float> Pick(ReadOnlySpan<int> indices)
    {
        foreach (int index in indices)
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(indices));
        Tensor<float> batch = new([indices.Length, .. ImageShape]);
        int[] chosen = indices.ToArray();
        Fill(batch, k => chosen[k], default);
        return batch;
    }

    /// <summary>The same images seen as some of more classes, as a network tells apart that knows others too. Memory is shared.</summary>
    /// <exception cref="BadInputException">A label is not below the count.</exception>
    public ImageSet OfClasses(int classes)
    {
        if (_labels is not { } labels || classes == Classes)
            return this;
        CheckLabels(Name, labels.Span, classes);
        return new(Name, _store, _first, Count, labels, classes, Normalization);
    }

    /// <summary>
    /// All images in order, some at a time, in memory that the batches take turns in. Files are decoded on all cores while the last batch
    /// is worked on.
    /// </summary>
    public IEnumerable<ImageBatch> Batches(int size, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        size = Math.Min(size, Count);
        Tensor<float>[] buffers = [new([size, .. ImageShape]), _store.IsInMemory ? new([0, .. ImageShape]) : new([size, .. ImageShape])];
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task<ImageBatch>? ahead = null;
        try
        {
            for (int first = 0; first < Count; first += size)
            {
                cancel.ThrowIfCancellationRequested();
                ImageBatch batch = ahead is null ? Read(first, 0) : ahead.GetAwaiter().GetResult();
                ahead = null;
                int next = first + size,
                    turn = next / size % 2;
                if (!_store.IsInMemory && next < Count)
                    ahead = Task.Run(() => Read(next, turn), CancellationToken.None);
                yield return batch;
            }
        }
        finally
        {
            stop.Cancel();
            if (ahead is not null)
                Task.WaitAny([ahead], CancellationToken.None);
        }

        ImageBatch Read(int first, int turn)
        {
            int count = Math.Min(size, Count - first);
            Tensor<float> batch = count == size ? buffers[turn] : buffers[turn].Rows(0, count);
            Fill(batch, k => first + k, stop.Token);
            return new(first, batch, _labels?.Slice(first, count) ?? default);
        }
    }

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

    /// <summary>The same images without labels.</summary>
    public ImageSet WithoutLabels() => HasLabels ? new(Name, _store, _first, Count, null, 0, Normalization) : this;

    private ImageSet Part(int first, int count) =>
        new(Name, _store, _first + first, count, _labels?.Slice(first, count), Classes, Normalization);

    /// <summary>
    /// Every image moved by up to so many pixels down or up and right or left, black (0) coming in at the edges: the usual augmentation,
    /// once. Samples that are no images stay as they are.
    /// </summary>
    public ImageSet Shifted(int most, int seed) =>
        ImageShape.Rank != 3
            ? this
            : new($"{Name}, shifted", new ShiftedImages(_store, _first, Count, most, seed), 0, Count, _labels, Classes, Normalization);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Count:N0} images of {ImageShape}, {(HasLabels ? $"{Classes} classes" : "no labels")}";

    /// <exception cref="BadInputException">The limit is not positive.</exception>
    internal static void CheckLimit(int? limit)
    {
        if (limit <= 0)
            throw new BadInputException($"A limit of {limit} images leaves nothing: it must be at least 1.");
    }

    /// <summary>An image as it is stored, not normalised: bytes or float32.</summary>
    internal Tensor Stored(int image, CancellationToken cancel) => _store.Read(_first + image, cancel);

    /// <inheritdoc cref="ImageStore.FileOf"/>
    internal (string Extension, byte[] Content)? FileOf(int image) => _store.FileOf(_first + image);

    /// <summary>
    /// All images in an order drawn at random. Where they lie in windows, those are drawn first and each is mixed by itself, so that what lies
    /// near each other is read one after the other.
    /// </summary>
    internal int[] Shuffled(Random random)
    {
        int[] order = [.. Enumerable.Range(0, Count)];
        int[] bounds = [0, .. _store.Windows.Select(start => start - _first).Where(start => start > 0 && start < Count), Count];
        (int Start, int End)[] windows = [.. bounds.Zip(bounds.Skip(1))];
        if (windows.Length > 1)
            random.Shuffle(windows);
        foreach ((int start, int end) in windows)
            random.Shuffle(order.AsSpan(start, end - start));
        return [.. windows.SelectMany(window => order[window.Start..window.End])];
    }

    /// <summary>Puts images, normalised, into the rows of a batch.</summary>
    private void Fill(Tensor<float> batch, Func<int, int> imageOf, CancellationToken cancel)
    {
        int count = batch.Shape[0],
            size = ImageShape.ElementCount;
        if (_store.IsInMemory)
            for (int k = 0; k < count; k++)
                Put(k);
        else
            Tasks.Run(count, Put, cancel);

        void Put(int k)
        {
            int image = imageOf(k);
            Tensor pixels = _decoded?.Find(image) ?? _store.Read(_first + image, cancel);
            _decoded?.Keep(image, pixels);
            _normalizer.Apply(pixels, batch.Values.Slice(k * size, size));
        }
    }

    private static MemoryImages InMemory(string name, Tensor images)
    {
        if (images is not (Tensor<byte> or Tensor<float>))
            throw new BadInputException($"{name}: images must be UInt8 or Float32, not {images.ElementType}.");
        if (images.Shape.Rank < 2 || (images is Tensor<byte> && images.Shape.Rank != 4))
            throw new ShapeException($"{name}: images must have the shape count×C×H×W, not {images.Shape}.");
        if (images.Shape.ElementCount == 0)
            throw new BadInputException($"{name} is empty: its images have the shape {images.Shape}.");
        if (images is Tensor<float> floats)
            StoredArray.CheckFinite(name, floats);
        return new(images);
    }

    private static void CheckLabels(string name, ReadOnlySpan<int> labels, int classes)
    {
        for (int index = 0; index < labels.Length; index++)
        {
            if ((uint)labels[index] >= (uint)classes)
                throw new BadInputException($"{name}: image {index:N0} has the label {labels[index]}, which is not in 0..{classes - 1}.");
        }
    }

    private string ComputeFingerprint()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{Classes} {Normalization}\n"));
        _store.AddTo(hash, _first, Count);
        if (_labels is { } labels)
            hash.AppendData(MemoryMarshal.AsBytes(labels.Span));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
