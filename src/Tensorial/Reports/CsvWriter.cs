using System.Globalization;
using System.Text;
using Tensorial.Analysis;

namespace Tensorial.Reports;

/// <summary>Tables as comma-separated values (RFC 4180): UTF-8, CRLF, a heading row, invariant numbers in full.</summary>
internal static class CsvWriter
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    public static void Write(Table table, TextWriter to)
    {
        WriteRow(to, table.Columns.Select(static column => column.Key));
        foreach (ValueList<Cell> row in table.Rows)
            WriteRow(to, row.Select(static cell => cell.Exact));
    }

    /// <summary>
    /// Writes the numbers of an analysis beside its report: <c>spectra.csv</c> (a row for each singular value), <c>cuts.csv</c> (one for
    /// each kernel and cut) and, where there are any, <c>truncations.csv</c> and <c>tolerance.csv</c> (a row for each kernel and cut: the
    /// norm loss it bears for one point of accuracy). Each file appears whole or not at all.
    /// </summary>
    /// <returns>Paths of the files.</returns>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    public static IReadOnlyList<string> Write(AnalysisReport analysis, string folder)
    {
        List<(string, Table)> tables = [("spectra.csv", AnalysisTables.Spectra(analysis)), ("cuts.csv", AnalysisTables.Cuts(analysis))];
        if (analysis.Truncations.Count > 0)
            tables.Add(("truncations.csv", AnalysisTables.Truncations(analysis)));
        if (NormTolerance.From(new(analysis)) is { } tolerance)
            tables.Add(("tolerance.csv", tolerance.KernelTable()));
        return Write(tables, folder);
    }

    /// <summary>
    /// Writes trainings beside their page: <c>convergence.csv</c> (a row for each) and <c>epochs.csv</c> (a row for each and epoch). Each
    /// file appears whole or not at all.
    /// </summary>
    /// <returns>Paths of the files.</returns>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    public static IReadOnlyList<string> Write(IReadOnlyList<TrainingRunCurve> runs, string folder) =>
        Write([("convergence.csv", TrainingRunsPage.Convergence(runs)), ("epochs.csv", TrainingRunsPage.Points(runs))], folder);

    /// <summary>
    /// Writes a comparison of formats: <c>networks.csv</c> (a row for each format and rate) and <c>layers.csv</c> (one for each layer too).
    /// </summary>
    /// <returns>Paths of the files.</returns>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    public static IReadOnlyList<string> Write(Compression.FormatComparison comparison, string folder) =>
        Write([("networks.csv", ComparisonTables.Networks(comparison)), ("layers.csv", ComparisonTables.Layers(comparison))], folder);

    private static List<string> Write(IEnumerable<(string Name, Table Table)> tables, string folder)
    {
        Directory.CreateDirectory(folder);
        List<string> written = [];
        foreach ((string name, Table table) in tables)
        {
            string path = Path.Combine(folder, name);
            AtomicFile.Write(
                path,
                stream =>
                {
                    using StreamWriter writer = new(stream, Utf8);
                    Write(table, writer);
                }
            );
            written.Add(path);
        }
        return written;
    }

    /// <summary>
    /// The text as no spreadsheet takes it for a formula: an apostrophe goes before what would start one and is no number. Control characters
    /// are escaped.
    /// </summary>
    private static string Inert(string field)
    {
        string text = Printable.Escape(field);
        bool startsFormula = text.Length > 0 && text.TrimStart() is ['=' or '+' or '-' or '@', ..];
        return startsFormula && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? $"'{text}" : text;
    }

    private static void WriteRow(TextWriter to, IEnumerable<string> fields)
    {
        bool first = true;
        foreach (string field in fields.Select(Inert))
        {
            if (!first)
                to.Write(',');
            first = false;
            to.Write(
                field.AsSpan().IndexOfAny(",\"\r\n") >= 0 || field.StartsWith(' ') || field.EndsWith(' ')
                    ? "\"" + field.Replace("\"", "\"\"") + "\""
                    : field
            );
        }
        to.Write("\r\n");
    }
}
