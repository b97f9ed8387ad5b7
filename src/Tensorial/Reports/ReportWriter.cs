using System.Text;
using Tensorial.Analysis;
using Tensorial.Reports.Html;

namespace Tensorial.Reports;

/// <summary>Reports as files for people.</summary>
internal static class ReportWriter
{
    /// <summary>Writes the report of an analysis as one HTML file that needs nothing else; it appears whole or not at all.</summary>
    /// <exception cref="IOException">The file cannot be written; the message names it.</exception>
    public static void WriteHtml(AnalysisReport analysis, string path) => WriteHtml(AnalysisPage.From(analysis), path);

    /// <inheritdoc cref="WriteHtml(AnalysisReport, string)"/>
    public static void WriteHtml(Report report, string path) => AtomicFile.Write(path, stream => WriteHtml(report, stream));

    public static void WriteHtml(AnalysisReport analysis, Stream to) => WriteHtml(AnalysisPage.From(analysis), to);

    public static void WriteHtml(Report report, Stream to)
    {
        using StreamWriter writer = new(to, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true);
        HtmlWriter.Write(report, writer);
    }
}
