using System.Text.Json;
using Tensorial.Onnx;

namespace Tensorial.Tests.Onnx;

/// <summary>The number of inputs and outputs of an operator is checked where a file comes in.</summary>
public class ArityTests
{
    /// <summary>Rows that are looser than the schema on purpose, as the runtimes are.</summary>
    private static readonly (string Type, int Since)[] Looser = [("Gemm", 7), ("Resize", 11)];

    [OracleFact(Oracle.OnnxPython)]
    public void The_table_is_that_of_the_schemas()
    {
        const string script = """
            import json
            from onnx import defs
            newest = defs.onnx_opset_version()
            def pattern(values, least):
                text = ""
                for value in values:
                    option = str(value.option).split(".")[-1]
                    text += {"Single": "r", "Optional": "o"}.get(option) or "r" * max(0, least - len(values) + 1) + "*"
                return text
            rows = []
            for name in sorted({s.name for s in defs.get_all_schemas_with_history() if s.domain == ""}):
                for opset in range(7, newest + 1):
                    try:
                        s = defs.get_schema(name, opset, "")
                    except Exception:
                        continue
                    if not s.deprecated:
                        rows.append([name, opset, pattern(s.inputs, s.min_input), pattern(s.outputs, s.min_output)])
            print(json.dumps(rows))
            """;
        JsonElement rows = JsonDocument.Parse(Oracles.RunPython(script)).RootElement;
        Assert.True(rows.GetArrayLength() > 1000);
        foreach (JsonElement row in rows.EnumerateArray())
        {
            (string type, int opset) = (row[0].GetString()!, row[1].GetInt32());
            if (Looser.Any(known => known.Type == type && opset >= known.Since && opset < 13))
                continue;
            OnnxArity.Signature? ours = OnnxArity.Of(type, opset);
            Assert.Equal((type, opset, row[2].GetString(), row[3].GetString()), (type, opset, ours?.Inputs, ours?.Outputs));
        }
    }

    [Theory]
    [InlineData("Transpose", 0, 1)]
    [InlineData("Identity", 1, 0)]
    [InlineData("Relu", 1, 3)]
    [InlineData("Add", 1, 1)]
    [InlineData("MatMul", 2, 0)]
    [InlineData("Conv", 4, 1)]
    [InlineData("Concat", 0, 1)]
    [InlineData("Clip", 4, 1)]
    public void A_node_with_too_many_or_too_few_is_refused(string type, int inputs, int outputs)
    {
        string[] read = [.. Enumerable.Range(0, inputs).Select(static i => $"x{i}")],
            made = [.. Enumerable.Range(0, outputs).Select(static i => $"y{i}")];
        Assert.Throws<BadInputException>(() => OnnxArity.Check(type, 13, read, made));
    }

    [Fact]
    public void A_needed_input_may_not_be_absent_and_an_optional_one_may()
    {
        BadInputException error = Assert.Throws<BadInputException>(() => OnnxArity.Check("Conv", 13, ["x", "", "b"], ["y"]));
        Assert.Contains("input 1", error.Message, StringComparison.Ordinal);
        OnnxArity.Check("Clip", 13, ["x", "", "high"], ["y"]);
        OnnxArity.Check("TopK", 13, ["x", "k"], ["", "indices"]);
        OnnxArity.Check("BatchNormalization", 9, ["x", "s", "b", "m", "v"], ["y"]);
    }
}
