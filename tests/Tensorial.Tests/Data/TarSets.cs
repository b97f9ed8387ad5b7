using System.Formats.Tar;
using System.Text;
using Tensorial.Data;

namespace Tensorial.Tests.Data;

/// <summary>Tar files in a folder that disappears.</summary>
internal sealed class TarSets : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string At(string name) => Path.Combine(_folder.Path, name);

    public string Folder => _folder.Path;

    public void Dispose() => _folder.Dispose();

    public static ImageSet Open(string place, ImageTransform? transform = null, DataSplit split = DataSplit.Test) =>
        DataSource.Parse($"tar:{place}", transform).Open(split, Normalization.None);

    /// <summary>A picture of one colour, as a PNG file.</summary>
    public static byte[] Png(int red, int height = 2, int width = 3)
    {
        using MemoryStream to = new();
        Tensor<byte> pixels = new([height, width, 3]);
        for (int k = 0; k < height * width; k++)
            pixels.Values[3 * k] = (byte)red;
        ImageFile.WritePng(pixels, to);
        return to.ToArray();
    }

    public string Pack(string name, params (string Name, byte[] Content)[] entries)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        using FileStream to = File.Create(At(name));
        using TarWriter tar = new(to, TarEntryFormat.Pax);
        foreach ((string entry, byte[] content) in entries)
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, entry) { DataStream = new MemoryStream(content) });
        return At(name);
    }

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
