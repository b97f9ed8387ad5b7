using System.Collections.Immutable;

namespace Tensorial.Onnx;

/// <summary>An operation as a given operator set writes it.</summary>
/// <param name="Type">The operator's name.</param>
/// <param name="Attributes">Its attributes, defaults left out.</param>
/// <param name="Inputs">
/// Constants that follow the node's own inputs: what our record holds as a property and this operator set takes as an input. Null
/// stands for an absent one.
/// </param>
internal sealed record OnnxForm(string Type, OnnxAttributes Attributes, ImmutableArray<Tensor?> Inputs)
{
    internal OnnxForm(string type, params ReadOnlySpan<(string Name, object? Value)> attributes)
        : this(type, OnnxAttributes.From(attributes), []) { }

    /// <summary>This form with constant inputs; absent ones at the end are dropped.</summary>
    internal OnnxForm Taking(params ReadOnlySpan<Tensor?> inputs)
    {
        int count = inputs.Length;
        while (count > 0 && inputs[count - 1] is null)
            count--;
        return this with { Inputs = [.. inputs[..count]] };
    }
}
