using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tensorial.Analysis;

/// <summary>A <see cref="ValueList{T}"/> as a JSON array; numbers and texts stand on one line even where the rest is indented.</summary>
internal sealed partial class ValueListConverter : JsonConverterFactory
{
    /// <summary>Lists of our own results, for programs compiled ahead of time, which can make no others.</summary>
    private static readonly Dictionary<Type, Func<JsonConverter>> Known = new()
    {
        [typeof(ValueList<int>)] = static () => new Of<int>(),
        [typeof(ValueList<double>)] = static () => new Of<double>(),
        [typeof(ValueList<string>)] = static () => new Of<string>(),
        [typeof(ValueList<LayerAnalysis>)] = static () => new Of<LayerAnalysis>(),
        [typeof(ValueList<UncutLayer>)] = static () => new Of<UncutLayer>(),
        [typeof(ValueList<CutSpectrum>)] = static () => new Of<CutSpectrum>(),
        [typeof(ValueList<TruncationResult>)] = static () => new Of<TruncationResult>(),
        [typeof(ValueList<TruncatedKernel>)] = static () => new Of<TruncatedKernel>(),
    };

    public override bool CanConvert(Type typeToConvert) =>
        typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(ValueList<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        Known.TryGetValue(typeToConvert, out Func<JsonConverter>? create) ? create()
        : RuntimeFeature.IsDynamicCodeSupported ? Other(typeToConvert)
        : throw new NotSupportedException($"{typeToConvert} cannot be written as JSON by a program that was compiled ahead of time.");

    [UnconditionalSuppressMessage(
        "Trimming",
        "IL2055",
        Justification = "Of<T> asks nothing of T; reached only where code is made at run time."
    )]
    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = "Of<T> is named above, so its constructor is there.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Reached only where code is made at run time.")]
    private static JsonConverter Other(Type list) =>
        (JsonConverter)Activator.CreateInstance(typeof(Of<>).MakeGenericType(list.GetGenericArguments()))!;

    private sealed class Of<T> : JsonConverter<ValueList<T>>
    {
        public override ValueList<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
                throw new JsonException($"The JSON value could not be converted to {typeToConvert}.");
            List<T> items = [];
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                items.Add(JsonSerializer.Deserialize(ref reader, options.TypeOf<T>())!);
            return new([.. items]);
        }

        public override void Write(Utf8JsonWriter writer, ValueList<T> value, JsonSerializerOptions options)
        {
            if (OneLine.Default.GetTypeInfo(typeof(T[])) is { } line)
            {
                writer.WriteRawValue(JsonSerializer.SerializeToUtf8Bytes(value.Items.ToArray(), line), skipInputValidation: true);
                return;
            }
            writer.WriteStartArray();
            foreach (T item in value)
                JsonSerializer.Serialize(writer, item, options.TypeOf<T>());
            writer.WriteEndArray();
        }
    }

    /// <summary>What stands on one line.</summary>
    [JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
    [JsonSerializable(typeof(int[]))]
    [JsonSerializable(typeof(long[]))]
    [JsonSerializable(typeof(float[]))]
    [JsonSerializable(typeof(double[]))]
    [JsonSerializable(typeof(bool[]))]
    [JsonSerializable(typeof(string[]))]
    private sealed partial class OneLine : JsonSerializerContext;
}
