using System.IO.Compression;
using System.Reflection;

namespace Tensorial.Data;

/// <summary>
/// What the library carries with it: a small trained network, and labelled images to try it on. <c>samples/README.md</c> says where both
/// come from.
/// </summary>
public static class Sample
{
    /// <summary>
    /// The ONNX file of a four-layer network for Fashion-MNIST, trained on pixels as they are (<see cref="Normalization.None"/>).
    /// </summary>
    public static ReadOnlyMemory<byte> Model => TheModel.Value;

    private static readonly Lazy<byte[]> TheModel = new(() =>
    {
        using Stream stream = Open("fashion-cnn.onnx");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    });

    /// <summary>1,000 images of Fashion-MNIST's test split, 100 of each class.</summary>
    internal static ImageSet Images(Normalization normalization, int limit)
    {
        const string images = "fashion-sample-t10k-images-idx3-ubyte.gz",
            labels = "fashion-sample-t10k-labels-idx1-ubyte.gz";
        return IdxSource.Combine(
            "Fashion-MNIST sample",
            images,
            Read(images, 3, limit),
            labels,
            Read(labels, 1, int.MaxValue),
            normalization,
            limit
        );
    }

    private static Tensor<byte> Read(string name, int rank, int limit)
    {
        using Stream stream = Open(name);
        using GZipStream unpacked = new(stream, CompressionMode.Decompress);
        return IdxFile.Read(unpacked, name, stream.Length * Deflate.MostExpansion, rank..rank, limit);
    }

    private static Stream Open(string name) => Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
}
