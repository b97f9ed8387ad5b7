using System.Text.Json.Serialization;

namespace Tensorial.Analysis;

/// <summary>What results and stores of an analysis are made of.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(AnalysisReport))]
[JsonSerializable(typeof(LayerAnalysis))]
[JsonSerializable(typeof(UncutLayer))]
[JsonSerializable(typeof(CutSpectrum))]
[JsonSerializable(typeof(TruncationResult))]
[JsonSerializable(typeof(TruncatedKernel))]
[JsonSerializable(typeof(ValueList<TruncatedKernel>))]
[JsonSerializable(typeof(Evaluation))]
[JsonSerializable(typeof(StoredResult))]
internal sealed partial class AnalysisJsonTypes : JsonSerializerContext;
