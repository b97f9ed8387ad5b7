using System.Globalization;
using Google.Protobuf;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>A model on its way into a file.</summary>
/// <param name="Model">All of it but the values of large tensors.</param>
/// <param name="Pending">Records that still lack their values, and the values.</param>
/// <param name="WasExternal">Whether the model it came from kept its weights in another file.</param>
internal sealed record OnnxModel(ModelProto Model, IReadOnlyList<(TensorProto Proto, Tensor Values)> Pending, bool WasExternal)
{
    /// <summary>Smaller tensors stay in the model: shapes and scalars are what other tools look into. As the onnx package does.</summary>
    private const int SmallestExternal = 1024;

    /// <summary>Page size: a reader may map the data file into memory.</summary>
    private const int Alignment = 4096;

    /// <summary>Writes the model, whole or not at all, and the file beside it where there is one.</summary>
    /// <param name="path">The model's file; the one beside is called the same with <c>.data</c> at the end.</param>
    /// <param name="largest">Bytes that a model without a file beside may have.</param>
    public void Save(string path, long largest = OnnxWriter.LargestFile)
    {
        // Lengths of the records around the values: at most 16 bytes each for tags and lengths that grow.
        long bytes = Model.CalculateSize() + Pending.Sum(static p => TensorBytes.Count(p.Values) + 16);
        string full = Path.GetFullPath(path),
            target = AtomicFile.IsDevice(full) ? full : AtomicFile.Target(full);
        if (!AtomicFile.IsDevice(target) && (WasExternal || bytes > largest))
            SaveInTwo(target);
        else
        {
            ModelProto whole = Whole();
            AtomicFile.Write(path, whole.WriteTo);
        }
    }

    /// <summary>The model with all values in it.</summary>
    public ModelProto Whole()
    {
        foreach ((TensorProto proto, Tensor values) in Pending)
            Attach(proto, values);
        return Model;
    }

    /// <summary>Puts values into a record that may say that they are in another file.</summary>
    private static void Attach(TensorProto proto, Tensor values)
    {
        if (proto.DataLocation == TensorProto.Types.DataLocation.External)
            proto.RawData = ByteString.Empty;
        proto.ClearDataLocation();
        proto.ExternalData.Clear();
        OnnxTensors.Attach(proto, values);
    }

    private void SaveInTwo(string path)
    {
        if (Directory.Exists(path))
            throw new IOException($"Cannot write '{path}': it is a folder.");
        string data = path + ".data";
        List<(long Offset, Tensor Values)> parts = [];
        long end = 0;
        foreach ((TensorProto proto, Tensor values) in Pending)
        {
            long length = TensorBytes.Count(values);
            if (length < SmallestExternal)
            {
                Attach(proto, values);
                continue;
            }
            long offset = (end + Alignment - 1) / Alignment * Alignment;
            proto.ClearRawData();
            proto.DataLocation = TensorProto.Types.DataLocation.External;
            proto.ExternalData.Clear();
            Entry(proto, "location", Path.GetFileName(data));
            Entry(proto, "offset", offset.ToString(CultureInfo.InvariantCulture));
            Entry(proto, "length", length.ToString(CultureInfo.InvariantCulture));
            parts.Add((offset, values));
            end = offset + length;
        }
        // Both are complete beside their places before either appears.
        DirectoryInfo staged = AtomicFile.NewFolder(path);
        try
        {
            (string model, string values) = (At("model"), At("values"));
            AtomicFile.Write(model, Model.WriteTo);
            AtomicFile.Write(
                values,
                target =>
                {
                    foreach ((long offset, Tensor part) in parts)
                    {
                        // Seeking past the end leaves zeros.
                        target.Seek(offset, SeekOrigin.Begin);
                        TensorBytes.Write(part, target);
                    }
                }
            );
            AtomicFile.MoveTogether((model, path), (values, data));
        }
        catch (IOException error)
        {
            string message = error.Message.Replace(At("model"), path, StringComparison.Ordinal);
            throw new IOException(message.Replace(At("values"), data, StringComparison.Ordinal), error);
        }
        finally
        {
            AtomicFile.End(staged.FullName);
        }

        string At(string name) => Path.Combine(staged.FullName, name);
    }

    private static void Entry(TensorProto proto, string key, string value) =>
        proto.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
}
