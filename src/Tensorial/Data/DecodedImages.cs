namespace Tensorial.Data;

/// <summary>
/// Images of a set that were decoded, where all of them fit: calibration and training go through a set many times. An image is kept when it
/// is asked for the second time, so that a single pass keeps nothing.
/// </summary>
internal sealed class DecodedImages
{
    /// <summary>Bytes that may be kept, and that part of the memory there is.</summary>
    private const long MostBytes = 2L << 30,
        MostPart = 4;

    private static readonly Tensor<byte> Once = new([0]);

    private readonly Tensor?[] _images;

    private DecodedImages(int count) => _images = new Tensor?[count];

    /// <summary>Room for so many images; null where all of them would take too much memory.</summary>
    public static DecodedImages? Room(int count, long bytes) =>
        count * bytes <= Math.Min(MostBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / MostPart) ? new(count) : null;

    public Tensor? Find(int image) => Volatile.Read(ref _images[image]) is { } known && known != Once ? known : null;

    public void Keep(int image, Tensor pixels) => Volatile.Write(ref _images[image], _images[image] is null ? Once : pixels);
}
