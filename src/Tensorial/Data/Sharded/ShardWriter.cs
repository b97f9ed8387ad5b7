using System.Formats.Tar;
using System.Globalization;
using System.Text;

namespace Tensorial.Data.Sharded;

/// <summary>
/// Writes sets as tar files of WebDataset's convention: <c>000012.png</c> and <c>000012.cls</c>, the class as text. The same set gives the
/// same bytes.
/// </summary>
internal static class ShardWriter
{
    /// <summary>Writes one of several shards of about equal length, whole or not at all.</summary>
    /// <param name="images">The set. Files of pictures and arrays go in as they are; what is in memory becomes PNG, or .npy where it is no
    /// picture of bytes.</param>
    /// <param name="path">The file.</param>
    /// <param name="part">Which shard, from 0.</param>
    /// <param name="parts">How many there are.</param>
    /// <param name="labelled">Whether classes are written.</param>
    /// <param name="written">Told after each image.</param>
    /// <param name="cancel">Ends it between images.</param>
    /// <exception cref="IOException">It cannot be written, or an image cannot be read.</exception>
    public static void Write(
        ImageSet images,
        string path,
        int part,
        int parts,
        bool labelled,
        Action? written = null,
        CancellationToken cancel = default
    )
    {
        (int first, int end) = ((int)((long)images.Count * part / parts), (int)((long)images.Count * (part + 1) / parts));
        int digits = Math.Max(6, (images.Count - 1).ToString(CultureInfo.InvariantCulture).Length);
        AtomicFile.Write(
            path,
            stream =>
            {
                using TarWriter tar = new(stream, TarEntryFormat.Ustar, leaveOpen: true);
                for (int image = first; image < end; image++)
                {
                    cancel.ThrowIfCancellationRequested();
                    string key = image.ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0');
                    (string extension, byte[] content) = images.FileOf(image) ?? Encoded(images.Stored(image, cancel));
                    Add(tar, key + extension, content);
                    if (labelled)
                        Add(tar, key + ".cls", Encoding.ASCII.GetBytes(images.Labels[image].ToString(CultureInfo.InvariantCulture)));
                    written?.Invoke();
                }
            }
        );
    }

    private static void Add(TarWriter tar, string name, byte[] content)
    {
        using MemoryStream data = new(content);
        tar.WriteEntry(
            new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = data,
                ModificationTime = DateTimeOffset.UnixEpoch,
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            }
        );
    }

    private static (string Extension, byte[] Content) Encoded(Tensor image)
    {
        using MemoryStream to = new();
        if (image is Tensor<byte> { Shape: [1 or 3, _, _] } planes)
        {
            ImageFile.WritePng(Interleaved(planes), to);
            return (".png", to.ToArray());
        }
        NpyFile.Write(image, to);
        return (".npy", to.ToArray());
    }

    /// <summary>[C, H, W] as [H, W, C].</summary>
    private static Tensor<byte> Interleaved(Tensor<byte> planes)
    {
        (int channels, int height, int width) = (planes.Shape[0], planes.Shape[1], planes.Shape[2]);
        Tensor<byte> pixels = new([height, width, channels]);
        for (int channel = 0; channel < channels; channel++)
        for (int k = 0; k < height * width; k++)
            pixels.Values[k * channels + channel] = planes.Values[channel * height * width + k];
        return pixels;
    }
}
