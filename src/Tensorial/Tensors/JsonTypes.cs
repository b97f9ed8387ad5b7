using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Tensorial;

/// <summary>
/// JSON by what the compiler wrote for each type (System.Text.Json source generation), so that it also works where code is compiled ahead of
/// time and what nothing names is cut away. Every room has a <see cref="JsonSerializerContext"/> for its own files.
/// </summary>
internal static class JsonTypes
{
    /// <summary>How a type is read and written under these options.</summary>
    /// <exception cref="NotSupportedException">No context of the options names the type: our own mistake.</exception>
    public static JsonTypeInfo<T> TypeOf<T>(this JsonSerializerOptions options) => (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));

    /// <summary>Enumerations as words in camel case.</summary>
    public static JsonConverter Words<T>()
        where T : struct, Enum => new JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase);
}
