using System.Globalization;
using Tensorial.Reports.Html;

namespace Tensorial.Reports.Charts;

/// <summary>
/// Figures and heat maps of a report as SVG files that need no page around them, as papers and READMEs take them: light, with plain colours
/// instead of the page's variables, which few programs but browsers know.
/// </summary>
internal static class FigureSvg
{
    private const double Gap = 22,
        Heading = 20,
        LegendHeight = 22,
        LetterWidth = 6.2;

    /// <summary>Panels a row; wide charts take two places.</summary>
    private const int Columns = 3;

    /// <summary>The charts of a figure in rows, a title over each, under their legend.</summary>
    public static void Write(Figure figure, TextWriter writer)
    {
        (double cellWidth, double cellHeight) = (
            figure.Charts.Max(static c => ChartSvg.SizeOf(c).Width),
            figure.Charts.Max(static c => ChartSvg.SizeOf(c).Height) + Heading + Gap
        );
        int columns = Math.Min(figure.Charts.Count, figure.Charts.Any(static c => c.Size is ChartSize.Wide) ? Columns - 1 : Columns);
        double width = (columns * (cellWidth + Gap)) - Gap,
            top = figure.Legend is null ? 0 : LegendHeight;
        int rows = (figure.Charts.Count + columns - 1) / columns;
        Markup to = Open(writer, width, top + (rows * cellHeight), figure.Caption.ToString());
        if (figure.Legend is { } legend)
            WriteLegend(to, legend, width);
        for (int k = 0; k < figure.Charts.Count; k++)
        {
            Chart chart = figure.Charts[k];
            (double x, double y) = (k % columns * (cellWidth + Gap), top + (k / columns * cellHeight));
            to.Element("text", chart.Title, ("class", "heading"), ("x", At(x)), ("y", At(y + 14)));
            to.Open("g", ("transform", $"translate({At(x)} {At(y + Heading)})"));
            if (chart.Legend is { } own)
                WriteLegend(to, own, cellWidth);
            ChartSvg.WriteContents(to, chart);
            to.Close().Line();
        }
        to.Close().Line();
    }

    /// <summary>A heat map: rows of squares with their numbers.</summary>
    public static void Write(HeatMap map, TextWriter writer)
    {
        const double cellWidth = 54,
            cellHeight = 22,
            headHeight = 48;
        double left = 16 + (LetterWidth * map.Rows.Max(static row => row.Name.Length));
        Markup to = Open(
            writer,
            Math.Max(left + (cellWidth * map.Columns.Count), 7 * map.Caption.ToString().Length),
            headHeight + (cellHeight * map.Rows.Count),
            map.Caption.ToString()
        );
        to.Element("text", map.Caption.ToString(), ("class", "heading"), ("x", "0"), ("y", "14"));
        for (int k = 0; k < map.Columns.Count; k++)
            Label(map.Columns[k], left + ((k + 0.5) * cellWidth), headHeight - 8, "middle");
        for (int r = 0; r < map.Rows.Count; r++)
        {
            double y = headHeight + (r * cellHeight);
            Label(map.Rows[r].Name, left - 8, y + 15, "end");
            for (int k = 0; k < map.Rows[r].Cells.Count; k++)
            {
                if (map.Rows[r].Cells[k] is not { } cell)
                    continue;
                string heat = Palette.HeatClass(cell.Strength);
                (string, string?)[] place =
                [
                    ("class", heat),
                    ("x", At(left + (k * cellWidth))),
                    ("y", At(y)),
                    ("width", At(cellWidth - 1)),
                    ("height", At(cellHeight - 1)),
                ];
                to.Open("rect", place);
                to.Element(
                    "text",
                    cell.Text,
                    ("class", heat),
                    ("x", At(left + ((k + 0.5) * cellWidth))),
                    ("y", At(y + 15)),
                    ("text-anchor", "middle")
                );
            }
            to.Line();
        }
        to.Close().Line();

        void Label(string text, double x, double y, string anchor) =>
            to.Element("text", text, ("class", "title"), ("x", At(x)), ("y", At(y)), ("text-anchor", anchor));
    }

    private static Markup Open(TextWriter writer, double width, double height, string description)
    {
        const double margin = 12;
        Markup to = new(writer);
        to.Open(
                "svg",
                ("xmlns", "http://www.w3.org/2000/svg"),
                ("viewBox", $"{At(-margin)} {At(-margin)} {At(width + (2 * margin))} {At(height + (2 * margin))}"),
                ("width", At(width + (2 * margin))),
                ("height", At(height + (2 * margin)))
            )
            .Line();
        to.Element("title", description).Element("style", Palette.Light.FileCss()).Line();
        to.Open(
                "rect",
                ("class", "paper"),
                ("x", At(-margin)),
                ("y", At(-margin)),
                ("width", At(width + (2 * margin))),
                ("height", At(height + (2 * margin)))
            )
            .Line();
        return to;
    }

    /// <summary>Names behind pieces of their lines, side by side; for a scale of depth its steps between the names of its ends.</summary>
    private static void WriteLegend(Markup to, Legend legend, double width)
    {
        double x = 0;
        foreach (LegendEntry entry in legend.Entries)
        {
            to.Open("g", ("class", entry.Ink.Class)).Open("path", ("class", "line"), ("d", $"M{At(x)} 8h26")).Close();
            to.Element("text", entry.Name, ("x", At(x + 32)), ("y", "12"));
            x += 32 + (LetterWidth * entry.Name.Length) + 18;
        }
        if (legend.Depth is not { } depth)
            return;
        const double step = 8;
        x = Math.Min(x, width - (step * Palette.Depths) - 100);
        to.Element("text", depth.First, ("x", At(x)), ("y", "12"));
        x += (LetterWidth * depth.First.Length) + 6;
        for (int k = 0; k < Palette.Depths; k++)
            to.Open("g", ("class", $"depth{k}")).Open("path", ("class", "ramp"), ("d", $"M{At(x + (k * step))} 8h{At(step)}")).Close();
        to.Element("text", depth.Last, ("x", At(x + (step * Palette.Depths) + 6)), ("y", "12")).Line();
    }

    private static string At(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
