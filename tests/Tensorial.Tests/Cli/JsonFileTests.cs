using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Tensorial.Cli;

namespace Tensorial.Tests.Cli;

/// <summary>What commands write as JSON is known when the tool is compiled.</summary>
public class JsonFileTests
{
    private static Type[] Written { get; } =
    [
        .. typeof(ResultTypes)
            .GetCustomAttributesData()
            .Where(static data => data.AttributeType == typeof(JsonSerializableAttribute))
            .Select(static data => (Type)data.ConstructorArguments[0].Value!),
    ];

    /// <summary>The compiler's own account of a type must be the one that reflection gives: names, order, what is left out.</summary>
    [Fact]
    public void Every_type_has_the_fields_that_reflection_finds()
    {
        JsonSerializerOptions reflected = new(JsonFile.Options) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
        Assert.True(Written.Length >= 13);
        HashSet<Type> seen = [];
        Queue<Type> open = new(Written);
        while (open.TryDequeue(out Type? type))
        {
            if (!seen.Add(type))
                continue;
            JsonTypeInfo expected = reflected.GetTypeInfo(type),
                actual = JsonFile.Options.GetTypeInfo(type);
            Assert.Equal((type, expected.Kind), (type, actual.Kind));
            Assert.Equal(Fields(expected), Fields(actual));
            foreach (Type next in actual.Properties.Select(static field => field.PropertyType).Concat(ItemsOf(type)))
                open.Enqueue(next);
        }
        Assert.True(seen.Count > 40, $"{seen.Count} types were looked at.");
    }

    /// <summary>An enumeration that nobody named would be written as a number.</summary>
    [Fact]
    public void Enumerations_are_words()
    {
        HashSet<Type> seen = [];
        Queue<Type> open = new(Written);
        while (open.TryDequeue(out Type? type))
        {
            if (!seen.Add(type))
                continue;
            if (type.IsEnum)
                Assert.StartsWith("\"", JsonSerializer.Serialize(Enum.GetValues(type).GetValue(0), JsonFile.Options.GetTypeInfo(type)));
            foreach (
                Type next in JsonFile.Options.GetTypeInfo(type).Properties.Select(static field => field.PropertyType).Concat(ItemsOf(type))
            )
                open.Enqueue(next);
        }
    }

    private static string[] Fields(JsonTypeInfo type) =>
        [.. type.Properties.Where(static field => field.Get is not null).Select(static field => $"{field.Name}: {field.PropertyType}")];

    /// <summary>What a list or a dictionary holds, and the type behind a nullable one.</summary>
    private static IEnumerable<Type> ItemsOf(Type type) =>
        type.IsArray ? [type.GetElementType()!]
        : type.IsGenericType ? type.GetGenericArguments()
        : [];
}
