using System.Globalization;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>
/// Values that a model keeps in other files of its folder. A model is untrusted input: it may name files below its own folder only,
/// never an absolute path, a way out (<c>..</c>) or a link that leads out.
/// </summary>
/// <param name="folder">The model's folder; null for a model that lies in memory and has none.</param>
internal sealed class ExternalData(string? folder)
{
    /// <summary>For models in memory.</summary>
    public static ExternalData None { get; } = new(null);

    private readonly Dictionary<string, long> _lengths = [];

    /// <summary>The bytes of one tensor.</summary>
    /// <exception cref="BadInputException">The location is not allowed, the file is missing, or the range is not in it; names the tensor.</exception>
    public byte[] Read(TensorProto tensor, long expectedBytes)
    {
        Dictionary<string, string> entries = [];
        foreach (StringStringEntryProto entry in tensor.ExternalData) entries[entry.Key] = entry.Value;
        if (!entries.TryGetValue("location", out string? location) || location.Length == 0)
            throw new BadInputException($"Tensor '{tensor.Name}' is stored outside the model, but the model does not say where.");
        string path = Resolve(tensor.Name, location);
        long offset = Number(tensor.Name, entries, "offset") ?? 0;
        if (!_lengths.TryGetValue(path, out long size)) _lengths[path] = size = new FileInfo(path).Length;
        long length = Number(tensor.Name, entries, "length") ?? size - offset;
        if (offset < 0 || length < 0 || offset > size - length)
            throw new BadInputException($"Tensor '{tensor.Name}' claims bytes {offset:N0} to {offset + length:N0} of '{location}', which has {size:N0}.");
        if (length != expectedBytes)
            throw new BadInputException($"Tensor '{tensor.Name}' needs {expectedBytes:N0} bytes, but claims {length:N0} of '{location}'.");
        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)length);
        using FileStream stream = File.OpenRead(path);
        stream.Seek(offset, SeekOrigin.Begin);
        stream.ReadExactly(bytes);
        return bytes;
    }

    private string Resolve(string tensor, string location)
    {
        if (folder is null) throw new BadInputException($"Tensor '{tensor}' is stored in '{location}', which a model in memory cannot reach.");
        string[] parts = location.Split('/', '\\');
        if (Path.IsPathRooted(location) || location.Contains(':') || location.Contains('\0') || parts.Contains(".."))
            throw new BadInputException($"Tensor '{tensor}' is stored in '{location}'; only files in the model's own folder may be named.");
        string root = Path.GetFullPath(folder), path = root;
        foreach (string part in parts)
        {
            path = Path.Combine(path, part);
            FileSystemInfo info = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
            string final = info.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
            if (!Path.GetFullPath(final).StartsWith(root.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                throw new BadInputException($"Tensor '{tensor}' is stored in '{location}', a link that leads out of the model's folder.");
        }
        return File.Exists(path) ? path : throw new BadInputException($"Tensor '{tensor}' is stored in '{location}', which is not in the model's folder.");
    }

    private static long? Number(string tensor, Dictionary<string, string> entries, string key)
    {
        if (!entries.TryGetValue(key, out string? text)) return null;
        return long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw new BadInputException($"Tensor '{tensor}' has the {key} '{text}' in its external data, which is no number.");
    }
}
