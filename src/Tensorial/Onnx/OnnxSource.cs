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
);

/// <summary>The record a node was read from, and the operation that it stands for.</summary>
internal sealed record NodeSource(NodeProto Proto, Operation Operation);
