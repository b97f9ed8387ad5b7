using Tensorial.Onnx.Proto;
using AttributeType = Tensorial.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace Tensorial.Onnx;

/// <summary>What holds for every node that is written, whoever made it: it is an operator of the model's operator set.</summary>
internal static class OnnxLaw
{
    /// <summary>
    /// Values of inputs that an operator set demands and later ones do not, with which the operator is the same: by operator and place.
    /// </summary>
    private static readonly (string Type, int Input, float Value)[] Neutral = [("Gemm", 2, 0)];

    private static readonly Dictionary<string, AttributeType> Kinds = new()
    {
        ["i"] = AttributeType.Int,
        ["f"] = AttributeType.Float,
        ["s"] = AttributeType.String,
        ["t"] = AttributeType.Tensor,
        ["g"] = AttributeType.Graph,
        ["is"] = AttributeType.Ints,
        ["fs"] = AttributeType.Floats,
        ["ss"] = AttributeType.Strings,
    };

    /// <summary>A constant for an input that a node lacks and its operator set demands; null where there is none to add.</summary>
    /// <param name="type">The operator.</param>
    /// <param name="opset">The operator set.</param>
    /// <param name="inputs">How many inputs the node has.</param>
    /// <param name="element">The type of its values.</param>
    public static Tensor? MissingInput(string type, int opset, int inputs, ElementType element) =>
        OnnxSchema.Find(type, opset) is { } schema
        && inputs < schema.Inputs.Length
        && !schema.Inputs[inputs].MayBeAbsent
        && Neutral.FirstOrDefault(row => row.Type == type && row.Input == inputs) is { Type: not null } row
            ? new Tensor<float>([1], new[] { row.Value }).To(element)
            : null;

    /// <summary>Checks a node of the standard domain.</summary>
    /// <param name="node">The node as it will be written.</param>
    /// <param name="opset">The model's operator set.</param>
    /// <param name="typeOf">Element types of values; null where they are not known.</param>
    /// <exception cref="UnsupportedException">It is no node of the operator set; says what is wrong.</exception>
    public static void Check(NodeProto node, int opset, Func<string, ElementType?> typeOf)
    {
        if (node.Domain is not ("" or "ai.onnx"))
            return;
        OnnxSchema? schema = OnnxSchema.Find(node.OpType, opset);
        string subject = $"{node.OpType} of ONNX operator set {opset}";
        if (schema is null or { IsDeprecated: true })
            throw new UnsupportedException($"there is no {subject}.");
        Arity(schema.Inputs, node.Input, $"{subject} ", "input");
        Arity(schema.Outputs, node.Output, $"{subject} ", "output");
        foreach (AttributeProto attribute in node.Attribute)
        {
            if (!schema.Attributes.TryGetValue(attribute.Name, out string? kind))
                throw new UnsupportedException($"{subject} has no attribute '{attribute.Name}'.");
            if (Kinds.TryGetValue(kind.TrimEnd('!'), out AttributeType wanted) && attribute.Type != wanted)
                throw new UnsupportedException($"the attribute '{attribute.Name}' of {subject} is {wanted}, not {attribute.Type}.");
        }
        if (
            schema.Attributes.FirstOrDefault(a => a.Value[^1] == '!' && node.Attribute.All(given => given.Name != a.Key)).Key is { } missing
        )
            throw new UnsupportedException($"{subject} needs the attribute '{missing}'.");
        Types(schema, node, subject, typeOf);
    }

    private static void Arity(IReadOnlyList<OnnxParameter> parameters, IList<string> names, string subject, string what)
    {
        bool isOpen = parameters.Count > 0 && parameters[^1].Repeats;
        if (names.Count > parameters.Count && !isOpen)
            throw new UnsupportedException($"{subject}has at most {parameters.Count} {what}s, not {names.Count}.");
        for (int place = 0; place < parameters.Count; place++)
            if (!parameters[place].MayBeAbsent && !parameters[place].Repeats && (place >= names.Count || names[place].Length == 0))
                throw new UnsupportedException($"{subject}needs its {what} {place}.");
    }

    private static void Types(OnnxSchema schema, NodeProto node, string subject, Func<string, ElementType?> typeOf)
    {
        Dictionary<string, ElementType> variables = [];
        for (int place = 0; place < node.Input.Count; place++)
        {
            OnnxParameter parameter = schema.Inputs[Math.Min(place, schema.Inputs.Length - 1)];
            if (node.Input[place].Length == 0 || parameter.IsMixed || typeOf(node.Input[place]) is not { } type)
                continue;
            if (!parameter.Types.Contains(type))
                throw new UnsupportedException($"{subject} takes no {type} numbers at its input {place} ('{node.Input[place]}').");
            if (!variables.TryAdd(parameter.Variable, type) && variables[parameter.Variable] != type)
                throw new UnsupportedException(
                    $"{subject} takes numbers of one type, not {variables[parameter.Variable]} and {type} ('{node.Input[place]}')."
                );
        }
    }
}
