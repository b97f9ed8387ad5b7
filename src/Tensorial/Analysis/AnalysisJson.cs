using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tensorial.Analysis;

/// <summary>Results as JSON: camelCase, doubles in the shortest form that reads back to the same bits.</summary>
internal static class AnalysisJson
{
    /// <summary>For files people open.</summary>
    public static JsonSerializerOptions Indented { get; } =
        new(JsonSerializerDefaults.Web)
        {
            WriteIndented = true,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            Converters = { JsonTypes.Words<StoredKind>() },
            TypeInfoResolver = AnalysisJsonTypes.Default,
        };

    /// <summary>One line, for stores.</summary>
    public static JsonSerializerOptions Line { get; } = new(Indented) { WriteIndented = false };

    public static string Write(AnalysisReport report) => JsonSerializer.Serialize(report, Indented.TypeOf<AnalysisReport>()) + "\n";

    public static byte[] ToUtf8(AnalysisReport report) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(report, Indented.TypeOf<AnalysisReport>()), (byte)'\n'];

    /// <exception cref="BadInputException">The text is no report, or one of a later schema. <paramref name="name"/> says what was
    /// read.</exception>
    public static AnalysisReport Read(string text, string name)
    {
        AnalysisReport report = JsonInput.Read<AnalysisReport>(Encoding.UTF8.GetBytes(text), name, "result of analyze", Indented);
        int known = 1;
        return report.SchemaVersion <= known
            ? report
            : throw new BadInputException($"{name} has schema version {report.SchemaVersion}; this program reads up to {known}.");
    }
}
