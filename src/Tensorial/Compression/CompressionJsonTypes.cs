using System.Text.Json.Serialization;

namespace Tensorial.Compression;

/// <summary>What plans, and stores of a compression, are made of.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(CompressionPlan))]
[JsonSerializable(typeof(ResultCache.Origin))]
[JsonSerializable(typeof(ResultCache.Remembered))]
[JsonSerializable(typeof(ShardRecord))]
[JsonSerializable(typeof(FoundForms))]
internal sealed partial class CompressionJsonTypes : JsonSerializerContext;
