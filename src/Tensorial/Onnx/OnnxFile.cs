using Google.Protobuf;
using Tensorial.Networks;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>Networks in ONNX files.</summary>
public static class OnnxFile
{
    /// <summary>Reads a model.</summary>
    /// <exception cref="BadInputException">The file is no usable ONNX model; names the file and what is wrong in it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Graph Read(string path) => Read(File.ReadAllBytes(path), path, new(Path.GetDirectoryName(Path.GetFullPath(path))));

    /// <summary>Reads a model that lies in memory; <paramref name="name"/> is what messages call it.</summary>
    /// <exception cref="BadInputException">It is no usable ONNX model.</exception>
    public static Graph Read(ReadOnlyMemory<byte> model, string name) => Read(model, name, ExternalData.None);

    /// <summary>Writes a model, whole or not at all. What was read and did not change is written as it stood.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(Graph graph, string path) => AtomicFile.Write(path, stream => OnnxWriter.Write(graph).WriteTo(stream));

    private static Graph Read(ReadOnlyMemory<byte> model, string name, ExternalData external)
    {
        try
        {
            return OnnxReader.Read(ModelProto.Parser.ParseFrom(model.Span), external);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new BadInputException($"'{name}' is not an ONNX model, or a damaged one: {error.Message}", error);
        }
        catch (BadInputException error)
        {
            throw new BadInputException($"'{name}': {error.Message}", error);
        }
    }
}
