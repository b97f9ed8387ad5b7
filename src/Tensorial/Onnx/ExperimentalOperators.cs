using Tensorial.Onnx.Proto;
using AttributeType = Tensorial.Onnx.Proto.AttributeProto.Types.AttributeType;
using DataType = Tensorial.Onnx.Proto.TensorProto.Types.DataType;

namespace Tensorial.Onnx;

/// <summary>
/// Operators that the standard tried out before operator set 10 and took back, which converters from Core ML and CNTK still write. ONNX
/// Runtime runs them; written as what they compute, so does everything else.
/// </summary>
internal static class ExperimentalOperators
{
    /// <summary>The standard's first operator set that has none of them, and whose Slice takes its bounds as inputs.</summary>
    private const int Gone = 10;

    private static readonly HashSet<string> All = ["Affine", "Crop", "ImageScaler", "ParametricSoftplus", "ScaledTanh"];

    /// <summary>Whether a node is one of them.</summary>
    public static bool Has(NodeProto node) => node.Domain is "" or "ai.onnx" && All.Contains(node.OpType);

    /// <summary>The nodes that one of them stands for; null where the node is something else, or not as it was once described.</summary>
    /// <param name="node">The node.</param>
    /// <param name="graph">The graph, which takes the constants that parts need.</param>
    /// <param name="opset">The standard's operator set in the file.</param>
    /// <param name="names">Names for new values and nodes.</param>
    public static IReadOnlyList<NodeProto>? Parts(NodeProto node, GraphProto graph, long opset, NameSource names)
    {
        if (!Has(node) || opset >= Gone || node is not { Input.Count: 1, Output.Count: 1 })
            return null;
        string label = node.Name.Length > 0 ? node.Name : node.Output[0];
        NodeProto[]? parts = node.OpType switch
        {
            "Affine" => [Times("alpha", 1), Plus(Number("beta", 0))],
            "Crop" => Cropped() is { } slice ? [slice] : null,
            "ImageScaler" => [Times("scale", 1), .. Floats("bias") is { Length: > 0 } bias ? (NodeProto[])[Plus(bias)] : []],
            "ParametricSoftplus" => [Times("beta", 0), Next("Softplus"), Times("alpha", 0)],
            _ => [Times("beta", 0), Next("Tanh"), Times("alpha", 0)],
        };
        if (parts is null)
            return null;
        string value = node.Input[0];
        for (int k = 0; k < parts.Length; k++)
        {
            parts[k].Input.Insert(0, value);
            value = k == parts.Length - 1 ? node.Output[0] : names.Fresh($"{label}/{parts[k].OpType}_output");
            parts[k].Output.Add(value);
        }
        return parts;

        NodeProto Next(string type, params string[] inputs) =>
            new()
            {
                OpType = type,
                Name = names.FreshNode($"{label}/{type}"),
                Input = { inputs },
            };

        NodeProto Times(string attribute, float usual) => Next("Mul", Constant(attribute, Number(attribute, usual)));

        NodeProto Plus(params float[] summands) => Next("Add", Constant("sum", summands));

        float Number(string name, float usual) => Attribute(node, name)?.F ?? usual;

        float[] Floats(string name) => [.. Attribute(node, name)?.Floats ?? []];

        // The border is left, top, right, bottom; with a scale (height, width) only its left and top count.
        NodeProto? Cropped()
        {
            if (Attribute(node, "border")?.Ints is not [var left, var top, var right, var bottom])
                return null;
            (long low, long side) = Attribute(node, "scale")?.Ints is [var height, var width]
                ? (top + height, left + width)
                : (bottom > 0 ? -bottom : int.MaxValue, right > 0 ? -right : int.MaxValue);
            NodeProto slice = Next("Slice");
            slice.Attribute.Add(Integers("axes", 2, 3));
            slice.Attribute.Add(Integers("starts", top, left));
            slice.Attribute.Add(Integers("ends", low, side));
            return slice;
        }

        // One number, or one for each channel.
        string Constant(string what, params float[] values)
        {
            string name = names.Fresh($"{label}/{what}");
            TensorProto tensor = new()
            {
                Name = name,
                DataType = (int)DataType.Float,
                FloatData = { values },
            };
            if (values.Length > 1)
                tensor.Dims.AddRange([values.Length, 1, 1]);
            graph.Initializer.Add(tensor);
            return name;
        }
    }

    private static AttributeProto? Attribute(NodeProto node, string name) => node.Attribute.FirstOrDefault(a => a.Name == name);

    private static AttributeProto Integers(string name, params long[] values) =>
        new()
        {
            Name = name,
            Type = AttributeType.Ints,
            Ints = { values },
        };
}
