using Tensorial.Onnx.Proto;
using Tensorial.Operations;

namespace Tensorial.Onnx;

/// <summary>
/// The file a network was read from. Weights are in the network's tensors only: the record of a tensor in <see cref="Detached"/>
/// has lost its values and gets them back on writing.
/// </summary>
/// <param name="Model">The file's records.</param>
/// <param name="Tensors">The tensors that were read, by name: what is still the same object did not change.</param>
/// <param name="Detached">Names of initializers whose values only <see cref="Tensors"/> or <see cref="Opaque"/> hold.</param>
/// <param name="Opaque">Bytes of initializers that lay in other files and have a type we do not compute with, by name.</param>
internal sealed record OnnxSource(
    ModelProto Model,
    IReadOnlyDictionary<string, Tensor> Tensors,
    IReadOnlySet<string> Detached,
    IReadOnlyDictionary<string, Tensor> Opaque
)
{
    /// <summary>What tells the file from others; null for a model that lay in memory.</summary>
    public OnnxFingerprint? File { get; init; }

    /// <summary>The file without what it says of types and extents of values within the network, where these have changed.</summary>
    /// <param name="source">A network's source; what is no file stays as it is.</param>
    public static object? WithoutTypes(object? source)
    {
        if (source is not OnnxSource { Model.Graph.ValueInfo.Count: > 0 } file)
            return source;
        ModelProto model = file.Model.Clone();
        model.Graph.ValueInfo.Clear();
        return file with { Model = model };
    }
}

/// <summary>The record a node was read from, and the operation that it stands for.</summary>
internal sealed record NodeSource(NodeProto Proto, Operation Operation);
