using System.Globalization;
using System.Text;
using Tensorial.Analysis;
using Tensorial.Reports.Charts;
using Tensorial.Reports.Pdf;
using Tensorial.Reports.Sections;

namespace Tensorial.Reports;

/// <summary>
/// The figures of a report as SVG files, for pages, and as PDF files, for papers; the numbers behind them are those of
/// <see cref="CsvWriter"/>.
/// </summary>
internal static class FigureFiles
{
    /// <summary>
    /// Writes the figures and heat maps of an analysis, and accuracy against norm loss with a chart for each kernel
    /// (<c>kernels.svg</c>, <c>kernels.pdf</c>). Each file appears whole or not at all.
    /// </summary>
    /// <returns>Paths of the files.</returns>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    public static IReadOnlyList<string> Write(AnalysisReport analysis, string folder)
    {
        List<string> written = [.. Write(AnalysisPage.From(analysis), folder)];
        if (AccuracySection.ByKernel(new(analysis)) is { } kernels)
            written.AddRange(WriteFiles(folder, kernels.Id, to => FigureSvg.Write(kernels, to)));
        return written;
    }

    /// <summary>Writes the figures and heat maps of a report, but those of single parts in a <see cref="Deck"/>.</summary>
    /// <returns>Paths of the files, named by the figures' fragments.</returns>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    public static IReadOnlyList<string> Write(Report report, string folder)
    {
        Directory.CreateDirectory(folder);
        return [.. report.Sections.SelectMany(section => Write(section.Blocks, section.Id, folder))];
    }

    private static IEnumerable<string> Write(IEnumerable<Block> blocks, string name, string folder) =>
        blocks.SelectMany(block =>
            block switch
            {
                Figure { Charts.Count: > 0 } figure => WriteFiles(folder, figure.Id, to => FigureSvg.Write(figure, to)),
                HeatMap { Rows.Count: > 0 } map => WriteFiles(folder, name, to => FigureSvg.Write(map, to)),
                ReportChoice choice => choice.Options.SelectMany(option =>
                    Write(option.Blocks, $"{choice.Id}-{Slug(option.Label)}", folder)
                ),
                _ => [],
            }
        );

    /// <summary>One drawing as both kinds of file.</summary>
    private static IEnumerable<string> WriteFiles(string folder, string name, Action<TextWriter> draw)
    {
        using StringWriter svg = new(CultureInfo.InvariantCulture);
        draw(svg);
        string drawing = svg.ToString();
        yield return WriteFile(".svg", stream => stream.Write(Encoding.UTF8.GetBytes(drawing)));
        yield return WriteFile(".pdf", stream => FigurePdf.Write(drawing, stream));

        string WriteFile(string extension, Action<Stream> write)
        {
            string path = Path.Combine(folder, name + extension);
            AtomicFile.Write(path, write);
            return path;
        }
    }

    /// <summary>Letters and digits of a label; what lies between them is a hyphen.</summary>
    private static string Slug(string label) =>
        string.Join(
            '-',
            string.Concat(label.ToLowerInvariant().Select(static letter => char.IsAsciiLetterOrDigit(letter) ? letter : ' '))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        );
}
