using System.Text;
using Tensorial.Analysis;
using Tensorial.Reports.Charts;
using Tensorial.Reports.Sections;

namespace Tensorial.Reports;

/// <summary>The figures of a report as SVG files, for papers and pages; the numbers behind them are those of <see cref="CsvWriter"/>.</summary>
internal static class FigureFiles
{
    /// <summary>
    /// Writes the figures and heat maps of an analysis, and accuracy against norm loss with a chart for each kernel
    /// (<c>kernels.svg</c>). Each file appears whole or not at all.
    /// </summary>
    /// <returns>Paths of the files.</returns>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    public static IReadOnlyList<string> Write(AnalysisReport analysis, string folder)
    {
        List<string> written = [.. Write(AnalysisPage.From(analysis), folder)];
        if (AccuracySection.ByKernel(new(analysis)) is { } kernels)
            written.Add(WriteFile(folder, kernels.Id, to => FigureSvg.Write(kernels, to)));
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

    private static IEnumerable<string> Write(IEnumerable<Block> blocks, string name, string folder)
    {
        foreach (Block block in blocks)
        {
            switch (block)
            {
                case Figure { Charts.Count: > 0 } figure:
                    yield return WriteFile(folder, figure.Id, to => FigureSvg.Write(figure, to));
                    break;
                case HeatMap { Rows.Count: > 0 } map:
                    yield return WriteFile(folder, name, to => FigureSvg.Write(map, to));
                    break;
                case ReportChoice choice:
                    foreach (Option option in choice.Options)
                    {
                        foreach (string path in Write(option.Blocks, $"{choice.Id}-{Slug(option.Label)}", folder))
                            yield return path;
                    }
                    break;
            }
        }
    }

    private static string WriteFile(string folder, string name, Action<TextWriter> write)
    {
        string path = Path.Combine(folder, name + ".svg");
        AtomicFile.Write(
            path,
            stream =>
            {
                using StreamWriter writer = new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
                write(writer);
            }
        );
        return path;
    }

    /// <summary>Letters and digits of a label; what lies between them is a hyphen.</summary>
    private static string Slug(string label) =>
        string.Join(
            '-',
            string.Concat(label.ToLowerInvariant().Select(static letter => char.IsAsciiLetterOrDigit(letter) ? letter : ' '))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        );
}
