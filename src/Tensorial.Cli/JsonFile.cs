using System.Text.Json;
using System.Text.Json.Serialization;
using Tensorial.Analysis;
using Tensorial.Cli.Commands;
using Tensorial.Compression;
using Tensorial.Compression.Int8;
using Tensorial.Training;

namespace Tensorial.Cli;

/// <summary>Writes results for machines: camelCase, indented, whole or not at all.</summary>
internal static class JsonFile
{
    public static JsonSerializerOptions Options { get; } =
        new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            WriteIndented = true,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters =
            {
                JsonTypes.Words<ElementType>(),
                JsonTypes.Words<StructureKind>(),
                JsonTypes.Words<StopReason>(),
                JsonTypes.Words<RangeMethod>(),
            },
            TypeInfoResolver = ResultTypes.Default,
        };

    public static void Write<T>(FileInfo file, T value) =>
        AtomicFile.Write(file.FullName, stream => JsonSerializer.Serialize(stream, value, Options.TypeOf<T>()));
}

/// <summary>What commands write.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(SearchCommand.Result))]
[JsonSerializable(typeof(EinsumCommand.EinsumFile))]
[JsonSerializable(typeof(VerifyCommand.VerifyFile))]
[JsonSerializable(typeof(DataCommand.DataFile))]
[JsonSerializable(typeof(FormatComparison))]
[JsonSerializable(typeof(TruncateCommand.TruncateFile))]
[JsonSerializable(typeof(CompressionResult))]
[JsonSerializable(typeof(TruncatedKernel))]
[JsonSerializable(typeof(TrainingFile))]
[JsonSerializable(typeof(BenchCommand.BenchFile))]
[JsonSerializable(typeof(Inspection))]
[JsonSerializable(typeof(EvaluateCommand.EvaluationFile))]
[JsonSerializable(typeof(QuantizationResult))]
[JsonSerializable(typeof(TuningFile))]
internal sealed partial class ResultTypes : JsonSerializerContext;
