using System.Globalization;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>
/// Values that a model keeps in other files of its folder. A model is untrusted input: it may name files below its own folder only,
/// never an absolute path, a way out (<c>..</c>) or a link that leads out, and it cannot claim more bytes than those files have.
/// </summary>
/// <param name="folder">The model's folder; null for a model that lies in memory and has none.</param>
internal sealed class ExternalData(string? folder)
{
    /// <summary>As many as Linux follows.</summary>
    private const int MostLinks = 40;

    /// <summary>By path, how many bytes of the file have been read.</summary>
    private readonly Dictionary<string, long> _claimed = [];

    private readonly Dictionary<(Range Range, ElementType Type), Tensor> _read = [];

    /// <summary>By path, what a file was when it was first looked at.</summary>
    private readonly Dictionary<string, InputFile.Stamp> _stamps = [];

    /// <summary>The values of a tensor of a type we compute with.</summary>
    /// <exception cref="BadInputException">The location is not allowed, the file is missing, or the range is not in it; names the
    /// tensor.</exception>
    public Tensor Read(TensorProto proto, ElementType type, Shape shape)
    {
        Range range = Locate(proto);
        // Tied weights may name the same bytes; they are read once.
        if (_read.TryGetValue((range, type), out Tensor? known) && known.Shape.ElementCount == shape.ElementCount)
            return known.As(shape);
        long needed = (long)shape.ElementCount * type.Size();
        if (range.Length != needed)
            throw new BadInputException(
                $"tensor '{proto.Name}' of {type} and shape {shape} needs {needed:N0} bytes, but has {range.Length:N0} in '{range.Location}'."
            );
        Claim(proto, range);
        return _read[(range, type)] = Read(range, Tensor.Zeros(type, shape));
    }

    /// <summary>The bytes of a tensor, whatever its type.</summary>
    /// <exception cref="BadInputException">As above.</exception>
    public Tensor<byte> ReadBytes(TensorProto proto)
    {
        Range range = Locate(proto);
        if (range.Length > Array.MaxLength)
            throw new UnsupportedException(
                $"tensor '{proto.Name}' has {range.Length:N0} bytes in '{range.Location}', more than can be kept."
            );
        Claim(proto, range);
        return (Tensor<byte>)Read(range, new Tensor<byte>([(int)range.Length]));
    }

    /// <summary>Full paths of the files that tensors are stored in and that hold anything, in a fixed order.</summary>
    /// <param name="named">As <see cref="LocationsOf"/> gives them.</param>
    /// <exception cref="BadInputException">A location is not allowed, or nothing is there.</exception>
    public IReadOnlyList<string> FilesAt(IEnumerable<(string Tensor, string Location)> named) =>
        [
            .. named
                .Select(tensor => Resolve(tensor.Tensor, tensor.Location))
                .Where(static path => new FileInfo(path).Length > 0)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];

    /// <exception cref="IOException">The file is not as it was when values were read from it.</exception>
    public void CheckUnchanged(string path)
    {
        if (_stamps.TryGetValue(path, out InputFile.Stamp first) && first != InputFile.StampOf(path))
            throw new IOException(
                $"'{path}' was changed while it was in use: the weights read from it are no longer the file's. Run again."
            );
    }

    /// <summary>Where a model says that it keeps tensors outside, of each place the first that lies there.</summary>
    public static IReadOnlyList<(string Tensor, string Location)> LocationsOf(ModelProto model)
    {
        Dictionary<string, string> tensors = [];
        Stack<GraphProto> open = new();
        if (model.Graph is { } whole)
            open.Push(whole);
        foreach (FunctionProto function in model.Functions)
            Visit(function.Node);
        while (open.TryPop(out GraphProto? graph))
        {
            graph.Initializer.ToList().ForEach(Take);
            foreach (SparseTensorProto sparse in graph.SparseInitializer)
                TakeSparse(sparse);
            Visit(graph.Node);
        }
        return [.. tensors.Select(static pair => (pair.Value, pair.Key))];

        void Visit(IEnumerable<NodeProto> nodes)
        {
            foreach (AttributeProto attribute in nodes.SelectMany(static node => node.Attribute))
            {
                Take(attribute.T);
                TakeSparse(attribute.SparseTensor);
                attribute.Tensors.ToList().ForEach(Take);
                attribute.SparseTensors.ToList().ForEach(TakeSparse);
                if (attribute.G is { } body)
                    open.Push(body);
                attribute.Graphs.ToList().ForEach(open.Push);
            }
        }

        void TakeSparse(SparseTensorProto? sparse)
        {
            Take(sparse?.Values);
            Take(sparse?.Indices);
        }

        void Take(TensorProto? proto)
        {
            if (proto is not { DataLocation: TensorProto.Types.DataLocation.External })
                return;
            string? location = proto.ExternalData.LastOrDefault(static entry => entry.Key == "location")?.Value;
            if (!string.IsNullOrEmpty(location))
                tensors.TryAdd(location, proto.Name);
        }
    }

    private static Tensor Read(Range range, Tensor target)
    {
        // What has no length may be a pipe, at which opening would wait for ever.
        if (range.Length == 0)
            return target;
        using FileStream stream = InputFile.Open(range.Path);
        stream.Seek(range.Offset, SeekOrigin.Begin);
        TensorBytes.Read(stream, target);
        return target;
    }

    private readonly record struct Range(string Location, string Path, long Size, long Offset, long Length);

    private Range Locate(TensorProto proto)
    {
        Dictionary<string, string> entries = [];
        foreach (StringStringEntryProto entry in proto.ExternalData)
            entries[entry.Key] = entry.Value;
        if (!entries.TryGetValue("location", out string? location) || location.Length == 0)
            throw new BadInputException($"tensor '{proto.Name}' is stored outside the model, but the model does not say where.");
        string path = Resolve(proto.Name, location);
        InputFile.Stamp stamp = InputFile.StampOf(path);
        _stamps.TryAdd(path, stamp);
        long size = stamp.Length;
        long offset = Number(proto.Name, entries, "offset") ?? 0,
            length = Number(proto.Name, entries, "length") ?? size - offset;
        if (offset < 0 || length < 0 || offset > size - length)
            throw new BadInputException(
                $"tensor '{proto.Name}' claims {length:N0} bytes from byte {offset:N0} of '{location}', which has {size:N0}."
            );
        return new(location, path, size, offset, length);
    }

    /// <summary>
    /// Refuses ranges that overlap so much that together they exceed the file: a small model could claim one large file a thousand times.
    /// </summary>
    private void Claim(TensorProto proto, Range range)
    {
        long left = range.Size - _claimed.GetValueOrDefault(range.Path);
        if (range.Length > left)
            throw new BadInputException(
                $"tensor '{proto.Name}' claims {range.Length:N0} bytes of '{range.Location}', of whose {range.Size:N0} bytes other tensors claim all but {left:N0}."
            );
        _claimed[range.Path] = range.Size - left + range.Length;
    }

    private string Resolve(string tensor, string location)
    {
        if (folder is null)
            throw new BadInputException($"tensor '{tensor}' is stored in the file '{location}', which a model in memory cannot reach.");
        string[] parts = location.Split('/', '\\');
        if (Path.IsPathRooted(location) || location.Contains(':') || location.Contains('\0') || parts.Contains(".."))
            throw new BadInputException($"tensor '{tensor}' is stored in '{location}'; only files in the model's own folder may be named.");
        // The folder itself may well be reached through links: what counts is where things lie in the end.
        string root = RealPath(folder),
            path = RealPath(Path.Combine(root, location));
        if (!path.StartsWith(root.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new BadInputException($"tensor '{tensor}' is stored in '{location}', a link that leads out of the model's folder.");
        return File.Exists(path)
            ? path
            : throw new BadInputException($"tensor '{tensor}' is stored in '{location}', which is not in the model's folder.");
    }

    /// <summary>
    /// The path without links, whichever of its parts were some. One that forms a cycle is left as it is: no file is found there.
    /// </summary>
    private static string RealPath(string path)
    {
        path = Path.GetFullPath(path);
        for (int links = 0; links < MostLinks; links++)
        {
            if (Prefixes(path).FirstOrDefault(static prefix => new FileInfo(prefix).LinkTarget is not null) is not { } link)
                return path;
            string target = Path.Combine(Path.GetDirectoryName(link)!, new FileInfo(link).LinkTarget!);
            path = Path.GetFullPath(target + path[link.Length..]);
        }
        return path;
    }

    private static IEnumerable<string> Prefixes(string path)
    {
        for (int at = Path.GetPathRoot(path)!.Length; at < path.Length; at++)
        {
            int end = path.IndexOf(Path.DirectorySeparatorChar, at);
            at = end < 0 ? path.Length : end;
            yield return path[..at];
        }
    }

    private static long? Number(string tensor, Dictionary<string, string> entries, string key)
    {
        if (!entries.TryGetValue(key, out string? text))
            return null;
        return long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw new BadInputException($"tensor '{tensor}' has the {key} '{text}' in its external data, which is no number.");
    }
}
