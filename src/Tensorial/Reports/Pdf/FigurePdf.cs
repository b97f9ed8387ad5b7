using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Pdf;

/// <summary>
/// A figure as a PDF page of its size: the SVG that <see cref="FigureSvg"/> writes, element by element, so that there is one drawing. Knows
/// the elements, style rules and path commands that occur there, and throws where another one does.
/// </summary>
internal sealed class FigurePdf
{
    /// <summary>Points in a pixel of SVG: 72 and 96 an inch.</summary>
    private const double Point = 0.75;

    private readonly SvgStyles _styles;
    private readonly PdfFile _file = new();

    /// <summary>What all contents share: fonts, opacities, groups.</summary>
    private readonly PdfFile.Reference _resources;

    /// <summary>Opacities that occur, by the name of their state.</summary>
    private readonly SortedDictionary<string, string> _opacities = new(StringComparer.Ordinal);

    /// <summary>Groups that let what lies below them show through.</summary>
    private readonly List<PdfFile.Reference> _groups = [];

    /// <summary>Bounds of such a group, which may have been moved by as much as the figure is wide and high.</summary>
    private readonly string _bounds;

    private FigurePdf(XElement drawing, double width, double height)
    {
        _styles = new(drawing.Elements().Single(static element => element.Name.LocalName == "style").Value);
        _bounds = $"[{PdfValue.Number(-width)} {PdfValue.Number(-height)} {PdfValue.Number(width)} {PdfValue.Number(height)}]";
        _resources = _file.Reserve();
    }

    /// <summary>Writes a figure.</summary>
    /// <param name="svg">The text of its SVG file.</param>
    /// <param name="to">Where to.</param>
    public static void Write(string svg, Stream to)
    {
        XElement drawing = XDocument.Parse(svg, LoadOptions.PreserveWhitespace).Root!;
        double[] view = [.. ((string)drawing.Attribute("viewBox")!).Split(' ').Select(Value)];
        new FigurePdf(drawing, view[2], view[3]).Write(drawing, view[0], view[1], view[2], view[3], to);
    }

    private void Write(XElement drawing, double left, double top, double width, double height, Stream to)
    {
        // From pixels, downwards, to points, upwards.
        StringBuilder content = new(
            $"{PdfValue.Number(Point)} 0 0 {PdfValue.Number(-Point)} {PdfValue.Number(-Point * left)} {PdfValue.Number(Point * (top + height))} cm\n"
        );
        DrawChildren(content, drawing, _styles.Of(drawing, SvgStyles.Initial));
        string fonts = string.Concat(
            PdfFont.All.Select(font =>
                $"/{font.Resource} {_file.Add($"<< /Type /Font /Subtype /Type1 /BaseFont /{font.Name}{(font.Encoding is { } encoding ? $" /Encoding /{encoding}" : "")} >>")} "
            )
        );
        string opacities = string.Concat(_opacities.Select(static one => $"/{one.Key} << /CA {one.Value} /ca {one.Value} >> ")),
            groups = string.Concat(_groups.Select(static (group, k) => $"/{GroupName(k)} {group} "));
        _file.Set(_resources, $"<< /Font << {fonts}>> /ExtGState << {opacities}>> /XObject << {groups}>> >>");
        PdfFile.Reference pages = _file.Reserve(),
            page = _file.Add(
                $"<< /Type /Page /Parent {pages} /MediaBox [0 0 {PdfValue.Number(Point * width)} {PdfValue.Number(Point * height)}] /Resources {_resources} /Contents {_file.AddStream("", content.ToString())} >>"
            );
        _file.Set(pages, $"<< /Type /Pages /Kids [{page}] /Count 1 >>");
        string title = drawing.Elements().First(static element => element.Name.LocalName == "title").Value;
        _file.Write(
            to,
            _file.Add($"<< /Type /Catalog /Pages {pages} >>"),
            _file.Add($"<< /Title {PdfValue.Text(title)} /Producer {PdfValue.Text("Tensorial")} >>")
        );
    }

    private void DrawChildren(StringBuilder to, XElement parent, ImmutableDictionary<string, string> style)
    {
        foreach (XElement element in parent.Elements())
            Draw(to, element, style);
    }

    private void Draw(StringBuilder to, XElement element, ImmutableDictionary<string, string> inherited)
    {
        ImmutableDictionary<string, string> style = _styles.Of(element, inherited);
        switch (element.Name.LocalName)
        {
            case "title" or "style":
                break;
            case "g":
                DrawGroup(to, element, style);
                break;
            case "rect":
                to.Append(
                    $"{PdfValue.Color(style["fill"])} rg {Attribute(element, "x")} {Attribute(element, "y")} {Attribute(element, "width")} {Attribute(element, "height")} re f\n"
                );
                break;
            case "path":
                DrawPath(to, (string)element.Attribute("d")!, style);
                break;
            case "text":
                DrawText(to, element, style);
                break;
            default:
                throw new InvalidOperationException($"No figure is drawn with the element '{element.Name.LocalName}'.");
        }
    }

    private void DrawGroup(StringBuilder to, XElement group, ImmutableDictionary<string, string> style)
    {
        StringBuilder content = new();
        DrawChildren(content, group, style);
        to.Append("q ");
        if ((string?)group.Attribute("transform") is { } transform)
        {
            string[] moved = transform.Split('(', ' ', ')');
            to.Append($"1 0 0 1 {PdfValue.Number(Value(moved[1]))} {PdfValue.Number(Value(moved[2]))} cm ");
        }
        if (style["opacity"] is var opacity && opacity != "1")
        {
            // Lines and dots of a pale series are one: where they meet, nothing is darker.
            string state = string.Create(CultureInfo.InvariantCulture, $"A{Math.Round(1000 * Value(opacity))}");
            _opacities[state] = PdfValue.Number(Value(opacity));
            to.Append($"/{state} gs /{GroupName(_groups.Count)} Do Q\n");
            _groups.Add(
                _file.AddStream(
                    $"/Type /XObject /Subtype /Form /BBox {_bounds} /Resources {_resources} /Group << /S /Transparency >> ",
                    content.ToString()
                )
            );
        }
        else
        {
            to.Append($"\n{content}Q\n");
        }
    }

    private static void DrawPath(StringBuilder to, string data, ImmutableDictionary<string, string> style)
    {
        string dashes = style["stroke-dasharray"] is var pattern && pattern == "none" ? "" : pattern;
        to.Append(
            $"{PdfValue.Color(style["stroke"])} RG {PdfValue.Number(Value(style["stroke-width"]))} w {Round("stroke-linecap")} J {Round("stroke-linejoin")} j [{dashes}] 0 d\n"
        );
        SvgPath.Write(to, data);
        to.Append("S\n");

        int Round(string property) => style[property] == "round" ? 1 : 0;
    }

    /// <summary>Pieces of one line, each behind the last, around the place that the anchor says.</summary>
    private void DrawText(StringBuilder to, XElement text, ImmutableDictionary<string, string> style)
    {
        StringBuilder line = new();
        double width = 0,
            rise = 0;
        foreach (XNode node in text.Nodes())
        {
            (string piece, ImmutableDictionary<string, string> own) = node switch
            {
                XElement part => (part.Value, _styles.Of(part, style)),
                XText plain => (plain.Value, style),
                _ => throw new InvalidOperationException($"No text of a figure holds a {node.NodeType}."),
            };
            // Downwards, and for all that follows.
            rise -= node is XElement moved ? (double?)moved.Attribute("dy") ?? 0 : 0;
            PdfText set = PdfText.Set(piece, FontOf(own), Value(own["font-size"].Replace("px", "")), rise);
            line.Append(set.Operators);
            width += set.Width;
        }
        double x = (double)text.Attribute("x")! - (width * Before(style["text-anchor"])),
            y = (double)text.Attribute("y")!;
        to.Append($"BT {PdfValue.Color(style["fill"])} rg 1 0 0 -1 {PdfValue.Number(x)} {PdfValue.Number(y)} Tm {line}ET\n");
    }

    /// <summary>The part of a text that lies before its place.</summary>
    private static double Before(string anchor) =>
        anchor switch
        {
            "middle" => 0.5,
            "end" => 1,
            _ => 0,
        };

    private static PdfFont FontOf(ImmutableDictionary<string, string> style) =>
        Value(style["font-weight"]) >= 600 ? PdfFont.Bold
        : style["font-style"] == "italic" ? PdfFont.Oblique
        : PdfFont.Helvetica;

    private static string GroupName(int group) => string.Create(CultureInfo.InvariantCulture, $"G{group}");

    private static string Attribute(XElement element, string name) => PdfValue.Number((double)element.Attribute(name)!);

    private static double Value(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
