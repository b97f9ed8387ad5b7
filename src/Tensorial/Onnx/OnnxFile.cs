using Google.Protobuf;
using Tensorial.Graphs;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>Networks in ONNX files. See docs/onnx.md for what is read, kept and refused.</summary>
public static class OnnxFile
{
    /// <summary>Reads a model, and from its own folder the files in which it keeps data.</summary>
    /// <exception cref="BadInputException">The file is no usable ONNX model; names the file and what is wrong in it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Graph Read(string path)
    {
        string full = Path.GetFullPath(path);
        if (Directory.Exists(full))
            throw new IOException($"Cannot read '{path}': it is a folder.");
        if (new FileInfo(full) is { Exists: true, Length: > OnnxWriter.LargestFile and long length })
            throw new UnsupportedException(
                $"'{path}' has {length:N0} bytes. The format ends at 2 GB; larger models keep their weights in a file beside (external data)."
            );
        using FileStream file = InputFile.Open(full);
        byte[] head = new byte[(int)Math.Min(HeadBytes, file.Length)];
        file.ReadExactly(head);
        file.Position = 0;
        ExternalData external = new(Path.GetDirectoryName(full));
        OnnxFingerprint? fingerprint = null;
        Graph graph = Read(
            head,
            () =>
            {
                (ModelProto model, fingerprint) = OnnxFingerprint.Parse(file, path, external);
                return model;
            },
            path,
            external
        );
        return graph with { Source = (OnnxSource)graph.Source! with { File = fingerprint } };
    }

    /// <summary>What tells a model's file from others.</summary>
    /// <exception cref="BadInputException">The file is no ONNX model.</exception>
    internal static OnnxFingerprint FingerprintOf(string path)
    {
        string full = Path.GetFullPath(path);
        using FileStream file = InputFile.Open(full);
        return OnnxFingerprint.Parse(file, path, new ExternalData(Path.GetDirectoryName(full))).Fingerprint;
    }

    /// <summary>Full paths of the files in which a model keeps values, in a fixed order; none where it keeps them itself.</summary>
    /// <exception cref="BadInputException">The file is no ONNX model.</exception>
    internal static IReadOnlyList<string> ExternalFiles(string path) => FingerprintOf(path).ExternalFiles();

    /// <summary>Bytes that tell other formats apart.</summary>
    private const int HeadBytes = 64;

    /// <summary>
    /// Reads a model that lies in memory; <paramref name="name"/> is what messages call it. It cannot keep data in other files.
    /// </summary>
    /// <exception cref="BadInputException">It is no usable ONNX model.</exception>
    public static Graph Read(ReadOnlyMemory<byte> model, string name) =>
        Read(model.Span, () => Parse(() => ModelProto.Parser.ParseFrom(model.Span), name), name, new ExternalData(null));

    /// <summary>A model's records.</summary>
    /// <param name="parse">Reads them.</param>
    /// <param name="name">What messages call the model.</param>
    /// <exception cref="BadInputException">It is no ONNX model.</exception>
    internal static ModelProto Parse(Func<ModelProto> parse, string name)
    {
        try
        {
            return parse();
        }
        // The library's own refusal; and what it runs into where a length is near the largest number.
        catch (Exception error) when (error is InvalidProtocolBufferException or IndexOutOfRangeException or ArgumentException)
        {
            throw new BadInputException($"'{name}' is not an ONNX model, or a damaged one: {error.Message}", error);
        }
    }

    /// <summary>
    /// Writes a model, whole or not at all. What was read and did not change is written as it stood. Weights go to a file beside,
    /// <c>name.onnx.data</c>, where the model was read that way or would not fit 2 GB.
    /// </summary>
    /// <exception cref="UnsupportedException">An operation has no ONNX form in the model's operator set.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(Graph graph, string path) => OnnxWriter.Write(graph).Save(path);

    /// <summary>A model as one block of bytes, for another program's reader.</summary>
    /// <inheritdoc cref="Write" path="/exception[@cref='T:Tensorial.UnsupportedException']"/>
    public static byte[] ToBytes(Graph graph) => OnnxWriter.Write(graph).Whole().ToByteArray();

    private static Graph Read(ReadOnlySpan<byte> head, Func<ModelProto> parse, string name, ExternalData external)
    {
        if (OtherFormat(head) is { } format)
            throw new BadInputException($"'{name}' cannot be used: it is {format}, not an ONNX model.");
        ModelProto model = parse();
        try
        {
            return OnnxReader.Read(model, external);
        }
        catch (UnsupportedException error)
        {
            throw new UnsupportedException($"'{name}' cannot be used: {Message.Tidy(error.Message)}");
        }
        catch (BadInputException error)
        {
            throw new BadInputException($"'{name}' cannot be used: {Message.Tidy(error.Message)}", error);
        }
    }

    /// <summary>What people take for a model now and then.</summary>
    private static string? OtherFormat(ReadOnlySpan<byte> bytes) =>
        bytes.IsEmpty ? "an empty file"
        : bytes.StartsWith("version https://git-lfs"u8) ? "a Git LFS pointer (fetch the file itself with 'git lfs pull')"
        : bytes.StartsWith("PK\u0003\u0004"u8) ? "a zip archive, as PyTorch's checkpoints are (export the network to ONNX)"
        : bytes.StartsWith("<!DOCTYPE"u8) || bytes.StartsWith("<html"u8) ? "an HTML page"
        : null;
}
