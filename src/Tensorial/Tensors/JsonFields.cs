using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Tensorial;

/// <summary>
/// Refuses fields that a type does not have, and fields given twice, in JSON that people edit: a misspelt field would otherwise be one that
/// was never given.
/// </summary>
internal static class JsonFields
{
    /// <summary>What is wrong, as a clause; null where every field is known.</summary>
    /// <param name="json">The text.</param>
    /// <param name="type">What it is read as.</param>
    /// <param name="options">How it is read.</param>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static string? Fault(ReadOnlySpan<byte> json, Type type, JsonSerializerOptions options)
    {
        using JsonDocument document = JsonDocument.Parse(
            json.ToArray(),
            new() { AllowTrailingCommas = options.AllowTrailingCommas, CommentHandling = options.ReadCommentHandling }
        );
        return Fault(document.RootElement, type, "", options);
    }

    private static string? Fault(JsonElement element, Type type, string path, JsonSerializerOptions options) =>
        element.ValueKind switch
        {
            JsonValueKind.Object when !IsDictionary(type) => OfObject(element, type, path, options),
            JsonValueKind.Array when ItemOf(type) is { } item => element
                .EnumerateArray()
                .Select((each, index) => Fault(each, item, string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]"), options))
                .FirstOrDefault(static fault => fault is not null),
            _ => null,
        };

    private static string? OfObject(JsonElement element, Type type, string path, JsonSerializerOptions options)
    {
        (string Name, Type Type)[] known = JsonInput.FieldsOf(Nullable.GetUnderlyingType(type) ?? type, options);
        HashSet<string> seen = [];
        foreach (JsonProperty field in element.EnumerateObject())
        {
            string at = path.Length == 0 ? field.Name : $"{path}.{field.Name}";
            if (!seen.Add(field.Name))
                return $"'{at}' is given twice";
            if (known.FirstOrDefault(own => own.Name == field.Name) is not { Name: not null } own)
                return $"'{at}' is no field of it: {NearestWord.Question(field.Name, known.Select(static own => own.Name))}"
                    + $"there {(known.Length == 1 ? "is" : "are")} {string.Join(", ", known.Select(static own => own.Name))}";
            if (Fault(field.Value, own.Type, at, options) is { } fault)
                return fault;
        }
        return null;
    }

    private static bool IsDictionary(Type type) => typeof(IDictionary).IsAssignableFrom(type);

    /// <summary>What a list holds; null for what is no list of one kind of thing.</summary>
    private static Type? ItemOf(Type type)
    {
        Type own = Nullable.GetUnderlyingType(type) ?? type;
        return own.IsArray ? own.GetElementType()
            : own.IsGenericType && own.GetGenericTypeDefinition() == typeof(ImmutableArray<>) ? own.GetGenericArguments()[0]
            : null;
    }
}
