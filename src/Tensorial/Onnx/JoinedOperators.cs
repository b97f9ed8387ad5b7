using Tensorial.Onnx.Proto;
using AttributeType = Tensorial.Onnx.Proto.AttributeProto.Types.AttributeType;
using DataType = Tensorial.Onnx.Proto.TensorProto.Types.DataType;

namespace Tensorial.Onnx;

/// <summary>
/// Operators that ONNX Runtime joins from those of the standard when it optimises a file. Taken apart they run, train and compress as what
/// they were made of.
/// </summary>
internal static class JoinedOperators
{
    public const string Domain = "com.microsoft";

    /// <summary>The nodes that a joined one stands for; null where the node is something else.</summary>
    /// <param name="node">The node.</param>
    /// <param name="graph">The graph, which takes the constants that parts need.</param>
    /// <param name="opset">The standard's operator set in the file.</param>
    /// <param name="names">Names for new values and nodes.</param>
    public static IReadOnlyList<NodeProto>? Parts(NodeProto node, GraphProto graph, long opset, NameSource names) =>
        node is { Domain: Domain, OpType: "FusedConv", Output.Count: 1 } ? Convolution(node, graph, opset, names) : null;

    /// <summary>A convolution, a summand that the fourth input may be, a function.</summary>
    private static List<NodeProto>? Convolution(NodeProto node, GraphProto graph, long opset, NameSource names)
    {
        string function = Attribute(node, "activation")?.S.ToStringUtf8() ?? "";
        float[] parameters = [.. Attribute(node, "activation_params")?.Floats ?? []];
        NodeProto convolution = new()
        {
            OpType = "Conv",
            Name = node.Name,
            DocString = node.DocString,
            Input = { node.Input.Take(3) },
        };
        convolution.Attribute.AddRange(node.Attribute.Where(static a => a.Name is not ("activation" or "activation_params")));
        List<NodeProto> parts = [convolution];
        if (node.Input.Count > 3 && node.Input[3].Length > 0)
            parts.Add(Next("Add", [node.Input[3]]));
        switch (function)
        {
            case "":
                break;
            case "Relu" or "Sigmoid" or "Tanh":
                parts.Add(Next(function, []));
                break;
            case "HardSwish" when opset >= 14:
                parts.Add(Next(function, []));
                break;
            case "LeakyRelu" when parameters.Length == 1:
                parts.Add(Next(function, [], Number("alpha", parameters[0])));
                break;
            case "HardSigmoid" when parameters.Length == 2:
                parts.Add(Next(function, [], Number("alpha", parameters[0]), Number("beta", parameters[1])));
                break;
            case "Clip" when parameters.Length == 2 && opset < 11:
                parts.Add(Next(function, [], Number("min", parameters[0]), Number("max", parameters[1])));
                break;
            case "Clip" when parameters.Length == 2:
                parts.Add(Next(function, [Constant("min", parameters[0]), Constant("max", parameters[1])]));
                break;
            default:
                return null;
        }
        for (int i = 0; i + 1 < parts.Count; i++)
        {
            string between = names.Fresh($"{(node.Name.Length > 0 ? node.Name : node.Output[0])}/{parts[i].OpType}_output");
            parts[i].Output.Add(between);
            parts[i + 1].Input.Insert(0, between);
        }
        parts[^1].Output.Add(node.Output[0]);
        return parts;

        NodeProto Next(string type, string[] inputs, params AttributeProto[] attributes) =>
            new()
            {
                OpType = type,
                Name = names.FreshNode($"{(node.Name.Length > 0 ? node.Name : node.Output[0])}/{type}"),
                Input = { inputs },
                Attribute = { attributes },
            };

        string Constant(string what, float value)
        {
            string name = names.Fresh($"{(node.Name.Length > 0 ? node.Name : node.Output[0])}/{what}");
            graph.Initializer.Add(
                new TensorProto
                {
                    Name = name,
                    DataType = (int)DataType.Float,
                    FloatData = { value },
                }
            );
            return name;
        }
    }

    private static AttributeProto? Attribute(NodeProto node, string name) => node.Attribute.FirstOrDefault(a => a.Name == name);

    private static AttributeProto Number(string name, float value) =>
        new()
        {
            Name = name,
            Type = AttributeType.Float,
            F = value,
        };
}
