using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Tensorial.Analysis;
using Tensorial.Reports;

namespace Tensorial.Tests.Reports;

/// <summary>Reports as text and as trees.</summary>
internal static partial class Pages
{
    public static string Html(AnalysisReport analysis)
    {
        using MemoryStream stream = new();
        ReportWriter.WriteHtml(analysis, stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The page as XML, which it is but for what stands inside style and script; those are emptied.</summary>
    public static XElement Tree(string html) => XDocument.Parse(Embedded().Replace(html["<!DOCTYPE html>".Length..], "$1$3")).Root!;

    public static XElement Tree(AnalysisReport analysis) => Tree(Html(analysis));

    public static string Script(string html) => ScriptOf().Match(html).Groups[1].Value;

    [GeneratedRegex("(<(?:style|script)>)(.*?)(</(?:style|script)>)", RegexOptions.Singleline)]
    private static partial Regex Embedded();

    [GeneratedRegex("<script>(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex ScriptOf();
}
