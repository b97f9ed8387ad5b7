using System.Security.Cryptography;
using System.Text;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>
/// What tells a model's file from others: the SHA-256 of the bytes that were read, and of the files beside it in which it keeps weights.
/// </summary>
internal sealed class OnnxFingerprint
{
    private readonly string _sha256;
    private readonly long _bytes;
    private readonly ExternalData _external;
    private readonly IReadOnlyList<(string Tensor, string Location)> _locations;

    private OnnxFingerprint(string path, string sha256, long bytes, ModelProto model, ExternalData external)
    {
        (Name, _sha256, _bytes, _external) = (Path.GetFileName(path), sha256, bytes, external);
        // Now: reading values takes from the model where they lay.
        _locations = ExternalData.LocationsOf(model);
    }

    /// <summary>The file's name without its folder.</summary>
    public string Name { get; }

    /// <summary>Reads a model's records from a stream to its end: the bytes that make them are those that are hashed.</summary>
    /// <param name="stream">The file, from its first byte.</param>
    /// <param name="path">Where it lies.</param>
    /// <param name="external">What will read the values that lie elsewhere.</param>
    /// <exception cref="BadInputException">It is no ONNX model.</exception>
    public static (ModelProto Model, OnnxFingerprint Fingerprint) Parse(Stream stream, string path, ExternalData external)
    {
        using SHA256 hash = SHA256.Create();
        using CryptoStream hashed = new(stream, hash, CryptoStreamMode.Read, leaveOpen: true);
        ModelProto model = OnnxFile.Parse(() => ModelProto.Parser.ParseFrom(hashed), path);
        hashed.CopyTo(Stream.Null);
        return (model, new(path, Convert.ToHexStringLower(hash.Hash!), stream.Position, model, external));
    }

    /// <summary>Full paths of the files in which the model keeps values, in a fixed order; none where it keeps them itself.</summary>
    /// <exception cref="BadInputException">A location is not allowed, or nothing is there.</exception>
    public IReadOnlyList<string> ExternalFiles() => _external.FilesAt(_locations);

    /// <summary>Hash and size of the file; where values lie in files beside, of all of them.</summary>
    /// <exception cref="IOException">A file beside was changed since values were read from it.</exception>
    public (string Sha256, long Bytes) Whole()
    {
        IReadOnlyList<string> beside = ExternalFiles();
        if (beside.Count == 0)
            return (_sha256, _bytes);
        long bytes = _bytes;
        StringBuilder all = new(_sha256);
        foreach (string file in beside)
        {
            all.Append('\n').Append(Path.GetFileName(file)).Append(' ').Append(InputFile.ChecksumOf(file));
            bytes += InputFile.StampOf(file).Length;
            _external.CheckUnchanged(file);
        }
        return (InputFile.ChecksumOf(Encoding.UTF8.GetBytes(all.ToString())), bytes);
    }
}
