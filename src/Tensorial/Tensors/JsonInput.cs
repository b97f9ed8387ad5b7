using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Tensorial;

/// <summary>
/// Reads JSON that people, other programs or a bad disk may have written, and checks it before anybody uses it: nothing is missing or null
/// that the type says is there, also inside lists; numbers are finite and inside the <see cref="RangeAttribute"/> of their property.
/// </summary>
internal static class JsonInput
{
    /// <summary>What a text says.</summary>
    /// <param name="json">The text, UTF-8.</param>
    /// <param name="name">What messages call it: the file.</param>
    /// <param name="what">What it should be, for messages: a plan.</param>
    /// <param name="options">How properties are named and read; where unmapped members are disallowed, so are fields given twice.</param>
    /// <exception cref="BadInputException">It is not JSON, not of this type, or a value is missing or out of range; says where.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, string name, string what, JsonSerializerOptions options)
        where T : class
    {
        try
        {
            // Some editors mark UTF-8.
            if (json.StartsWith("\uFEFF"u8))
                json = json[3..];
            if (
                options.UnmappedMemberHandling == JsonUnmappedMemberHandling.Disallow
                && JsonFields.Fault(json, typeof(T), options) is { } fault
            )
                throw new BadInputException($"'{name}' is no {what}: {fault}.");
            return Checked(JsonSerializer.Deserialize(json, options.TypeOf<T>()), options, name, what);
        }
        catch (Exception error) when (IsMalformed(error))
        {
            throw new BadInputException($"'{name}' is no {what}: {error.Message}", error);
        }
    }

    /// <inheritdoc cref="Read{T}(ReadOnlySpan{byte}, string, string, JsonSerializerOptions)"/>
    public static T Read<T>(JsonElement json, string name, string what, JsonSerializerOptions options)
        where T : class
    {
        try
        {
            return Checked(json.Deserialize(options.TypeOf<T>()), options, name, what);
        }
        catch (Exception error) when (IsMalformed(error))
        {
            throw new BadInputException($"'{name}' is no {what}: {error.Message}", error);
        }
    }

    /// <summary>What the reader throws at text that does not fit a type: constructors' own refusals among them.</summary>
    private static bool IsMalformed(Exception error) =>
        error
            is JsonException
                or InvalidOperationException
                or FormatException
                or OverflowException
                or ArgumentException
                or NotSupportedException;

    private static T Checked<T>(T? value, JsonSerializerOptions options, string name, string what)
        where T : class
    {
        if (value is null)
            throw new BadInputException($"'{name}' is no {what}: it is empty.");
        if (Fault(value, "", options) is { } fault)
            throw new BadInputException($"'{name}' is no {what}: {fault}.");
        return value;
    }

    /// <summary>What is wrong with a value, or anything in it; null where nothing is.</summary>
    private static string? Fault(object value, string path, JsonSerializerOptions options) =>
        value switch
        {
            JsonElement { ValueKind: JsonValueKind.Undefined } => $"{path} is missing",
            string or JsonElement => null,
            double number => double.IsFinite(number) ? null : $"{path} is no finite number",
            float number => float.IsFinite(number) ? null : $"{path} is no finite number",
            IEnumerable<double> numbers when !IsMissing(numbers) => numbers.All(double.IsFinite)
                ? null
                : $"{path} holds a number that is not finite",
            IDictionary entries => Faults(entries.Values, path, options),
            IEnumerable items => IsMissing(items) ? $"{path} is missing" : Faults(items, path, options),
            Enum => Enum.IsDefined(value.GetType(), value) ? null : $"{path} has no known value",
            _ when value.GetType().IsPrimitive => null,
            _ => PartsOf(options.GetTypeInfo(value.GetType()))
                .Select(part => Fault(value, path, part, options))
                .FirstOrDefault(static fault => fault is not null),
        };

    private static string? Faults(IEnumerable items, string path, JsonSerializerOptions options)
    {
        int index = 0;
        foreach (object? item in items)
        {
            string at = string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]");
            if ((item is null ? $"{at} is null" : Fault(item, at, options)) is { } fault)
                return fault;
        }
        return null;
    }

    private static string? Fault(object owner, string path, JsonPropertyInfo part, JsonSerializerOptions options)
    {
        string at = path.Length == 0 ? part.Name : $"{path}.{part.Name}";
        object? value = part.Get!(owner);
        if (value is null)
            return part.IsGetNullable || Nullable.GetUnderlyingType(part.PropertyType) is not null ? null : $"{at} is missing";
        if (
            part.AttributeProvider?.GetCustomAttributes(typeof(RangeAttribute), inherit: false) is [RangeAttribute range]
            && !range.IsValid(value)
        )
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{at} is {value}, which is not between {range.Minimum} and {range.Maximum}"
            );
        return Fault(value, at, options);
    }

    /// <summary>Whether it is an immutable array that nobody made: the only list that cannot be gone through.</summary>
    private static bool IsMissing(IEnumerable items)
    {
        try
        {
            _ = items.GetEnumerator();
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }

    /// <summary>Names in JSON and types of all that is read into a type.</summary>
    internal static (string Name, Type Type)[] FieldsOf(Type type, JsonSerializerOptions options) =>
        [.. PartsOf(options.GetTypeInfo(type)).Select(static part => (part.Name, part.PropertyType))];

    /// <summary>What is read: what is only computed and written is left out.</summary>
    private static IEnumerable<JsonPropertyInfo> PartsOf(JsonTypeInfo type) =>
        type.Properties.Where(static part => part.Get is not null && (part.Set is not null || part.AssociatedParameter is not null));
}
