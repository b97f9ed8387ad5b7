using System.Collections.Immutable;
using System.Globalization;

namespace Tensorial.Onnx;

/// <summary>What an operator of the standard ONNX domain takes and makes, from an operator set on. The table is operators.txt.</summary>
/// <param name="Type">The operator.</param>
/// <param name="Since">The first operator set of this form.</param>
/// <param name="IsDeprecated">Whether there is no such operator from then on.</param>
/// <param name="Inputs">Its inputs.</param>
/// <param name="Outputs">Its outputs.</param>
/// <param name="Attributes">By name the kind of value, with <c>!</c> behind it where the attribute must be given.</param>
internal sealed record OnnxSchema(
    string Type,
    int Since,
    bool IsDeprecated,
    ImmutableArray<OnnxParameter> Inputs,
    ImmutableArray<OnnxParameter> Outputs,
    ImmutableDictionary<string, string> Attributes
)
{
    private static readonly Lazy<ILookup<string, OnnxSchema>> Table = new(static () =>
        Read().OrderBy(static row => row.Since).ToLookup(static row => row.Type)
    );

    /// <summary>All rows, older ones first.</summary>
    public static IEnumerable<OnnxSchema> All => Table.Value.SelectMany(static rows => rows);

    /// <summary>The form in force; null for an operator that the table does not know.</summary>
    public static OnnxSchema? Find(string type, int opset) => Table.Value[type].LastOrDefault(row => row.Since <= opset);

    private static IEnumerable<OnnxSchema> Read()
    {
        using Stream stream = typeof(OnnxSchema).Assembly.GetManifestResourceStream("Tensorial.Onnx.operators.txt")!;
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is { } line)
            if (line.Length > 0 && line[0] != '#')
                yield return Parse(line.Split(" | "));
    }

    private static OnnxSchema Parse(string[] parts)
    {
        string[] head = parts[0].Split(' ');
        OnnxSchema bare = new(head[0], int.Parse(head[1], CultureInfo.InvariantCulture), parts.Length == 2, [], [], Attribute([]));
        if (bare.IsDeprecated)
            return bare;
        Dictionary<string, string> variables = Words(parts[2])
            .Select(static word => word.Split('='))
            .ToDictionary(static v => v[0], static v => v[1]);
        string[] sides = parts[1].Split(" -> ");
        return bare with
        {
            Inputs = [.. Words(sides[0]).Select(word => OnnxParameter.Parse(word, variables))],
            Outputs = [.. Words(sides[1]).Select(word => OnnxParameter.Parse(word, variables))],
            Attributes = Attribute(Words(parts[3])),
        };
    }

    private static string[] Words(string text) => text == "." ? [] : text.Split(' ');

    private static ImmutableDictionary<string, string> Attribute(string[] words) =>
        words.Select(static word => word.Split(':')).ToImmutableDictionary(static pair => pair[0], static pair => pair[1]);
}

/// <summary>One input or output of an operator.</summary>
/// <param name="Variable">Parameters of one variable have one type; a type's own name where it is the only one.</param>
/// <param name="Types">The types of numbers it may have; empty where it is none, such as a sequence.</param>
/// <param name="MayBeAbsent">Whether a node need not have it.</param>
/// <param name="Repeats">Whether any number follow.</param>
/// <param name="IsMixed">Whether those that follow may have different types.</param>
internal sealed record OnnxParameter(string Variable, ImmutableHashSet<ElementType> Types, bool MayBeAbsent, bool Repeats, bool IsMixed)
{
    private static readonly Dictionary<string, ElementType> Names = new()
    {
        ["f16"] = ElementType.Float16,
        ["bf16"] = ElementType.BFloat16,
        ["f32"] = ElementType.Float32,
        ["f64"] = ElementType.Float64,
        ["i8"] = ElementType.Int8,
        ["i16"] = ElementType.Int16,
        ["i32"] = ElementType.Int32,
        ["i64"] = ElementType.Int64,
        ["u8"] = ElementType.UInt8,
        ["u16"] = ElementType.UInt16,
        ["u32"] = ElementType.UInt32,
        ["u64"] = ElementType.UInt64,
        ["bool"] = ElementType.Bool,
    };

    private static readonly Dictionary<string, string> Groups = new()
    {
        ["float"] = "f16,f32,f64",
        ["wide"] = "f16,f32,f64,i32,i64,u32,u64",
        ["index"] = "i32,i64",
        ["int"] = "i8,i16,i32,i64,u8,u16,u32,u64",
        ["num"] = "f16,f32,f64,i8,i16,i32,i64,u8,u16,u32,u64",
        ["all"] = "f16,f32,f64,i8,i16,i32,i64,u8,u16,u32,u64,bool",
    };

    /// <summary>A word of the table, such as <c>T?</c>.</summary>
    /// <param name="word">The word.</param>
    /// <param name="variables">The types of the row's variables.</param>
    public static OnnxParameter Parse(string word, IReadOnlyDictionary<string, string> variables)
    {
        string name = word.TrimEnd('?', '*', '~');
        return new(name, TypesOf(variables.GetValueOrDefault(name, name)), word[^1] == '?', word[^1] is '*' or '~', word[^1] == '~');
    }

    private static ImmutableHashSet<ElementType> TypesOf(string text)
    {
        if (text == "-")
            return [];
        string names = Groups.GetValueOrDefault(text.TrimEnd('+'), text.TrimEnd('+')) + (text[^1] == '+' ? ",bf16" : "");
        return [.. names.Split(',').Select(static name => Names[name])];
    }
}
