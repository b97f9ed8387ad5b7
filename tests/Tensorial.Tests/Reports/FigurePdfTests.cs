using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Tensorial.Reports;
using Tensorial.Reports.Charts;
using Tensorial.Reports.Pdf;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Reports;

/// <summary>Figures as PDF, against what a browser makes of their SVG, as Poppler shows and reads them.</summary>
public partial class FigurePdfTests
{
    private const double Point = 0.75;

    [Fact]
    public void The_same_figure_is_the_same_bytes()
    {
        string drawing = Everything();
        Assert.Equal(Pdf(drawing), Pdf(drawing));
        string text = Encoding.ASCII.GetString(Pdf(drawing));
        Assert.StartsWith("%PDF-1.4\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Date", text);
        // Every place in the table of objects is that of an object.
        string[] places = [.. Places().Matches(text).Select(static match => match.Groups[1].Value)];
        for (int k = 0; k < places.Length; k++)
            Assert.StartsWith($"{k + 1} 0 obj", text[int.Parse(places[k], CultureInfo.InvariantCulture)..], StringComparison.Ordinal);
        Assert.Matches($@"startxref\n{text.IndexOf("xref\n", StringComparison.Ordinal)}\n%%EOF\n$", text);
    }

    /// <summary>Lines, dots, rings, dashes, bars, pale series and squares lie where a browser has them, in its colours.</summary>
    [OracleTheory(Oracle.Chromium | Oracle.Poppler | Oracle.Pillow)]
    [InlineData("everything")]
    [InlineData("together")]
    [InlineData("decay")]
    [InlineData("tolerance-1-point")]
    public void What_is_drawn_looks_as_in_a_browser(string figure)
    {
        using TemporaryFolder folder = new();
        string drawing = figure == "everything" ? Everything() : Written(folder.Path, figure);
        // Fonts differ from one machine to the next; the text is compared below.
        XDocument without = XDocument.Parse(drawing, LoadOptions.PreserveWhitespace);
        foreach (XElement text in without.Descendants().Where(static element => element.Name.LocalName == "text").ToList())
            text.Remove();
        (int width, int height) = ((int)(double)without.Root!.Attribute("width")!, (int)(double)without.Root!.Attribute("height")!);
        string svg = Path.Combine(folder.Path, "drawn.svg"),
            pdf = Path.Combine(folder.Path, "drawn.pdf"),
            seen = Path.Combine(folder.Path, "seen.png");
        File.WriteAllText(svg, without.ToString(SaveOptions.DisableFormatting));
        File.WriteAllBytes(pdf, Pdf(without.ToString(SaveOptions.DisableFormatting)));
        Run(
            "/usr/bin/chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--force-device-scale-factor=4",
            $"--user-data-dir={Path.Combine(folder.Path, "profile")}",
            $"--window-size={width},{height}",
            $"--screenshot={seen}",
            svg
        );
        Run("/usr/bin/pdftoppm", "-r", "384", "-png", "-singlefile", pdf, Path.Combine(folder.Path, "shown"));
        string[] differences = Oracles
            .RunPython(
                """
                import sys
                from PIL import Image, ImageChops
                import numpy
                a, b = (Image.open(path).convert("RGB") for path in sys.argv[1:])
                width, height = min(a.width, b.width), min(a.height, b.height)
                assert abs(a.width - b.width) <= 4 and abs(a.height - b.height) <= 4, (a.size, b.size)
                # Four by four pixels at a time: renderers differ in how they smooth an edge.
                small = [numpy.asarray(i.crop((0, 0, width, height)).resize((width // 4, height // 4), Image.BOX), float) for i in (a, b)]
                difference = numpy.abs(small[0] - small[1]).max(-1)
                print(difference.mean(), (difference > 64).mean(), (numpy.abs(small[0] - small[0][0, 0]).max(-1) > 64).mean())
                """,
                seen,
                Path.Combine(folder.Path, "shown.png")
            )
            .Split(' ');
        (double mean, double wrong, double inked) = (Number(differences[0]), Number(differences[1]), Number(differences[2]));
        Assert.True(inked > 0.005, $"{inked:P2} of the page is drawn upon");
        Assert.True(mean < 1, $"pixels differ by {mean:F2} of 255 in the mean");
        Assert.True(wrong < 0.001 && wrong < inked / 50, $"{wrong:P3} of the pixels are others, where {inked:P2} are drawn upon");
    }

    /// <summary>Each word begins, ends or has its middle where the SVG says, by the widths that Poppler knows, on its line.</summary>
    [OracleFact(Oracle.Poppler)]
    public void Text_lies_where_the_drawing_has_it()
    {
        using TemporaryFolder folder = new();
        string drawing = Written(folder.Path, "together"),
            path = Path.Combine(folder.Path, "together.pdf");
        List<(string Text, double Left, double Right, double Top, double Bottom)> words = Words(path);
        XElement root = XDocument.Parse(drawing).Root!;
        int compared = 0;
        foreach (XElement text in root.Descendants().Where(static element => element.Name.LocalName == "text"))
        {
            if (text.Value.Length == 0 || text.Value.Any(static letter => char.IsWhiteSpace(letter) || letter == '\u202f'))
                continue;
            (double x, double y) = (12 + (double)text.Attribute("x")!, 12 + (double)text.Attribute("y")!);
            foreach (XElement around in text.Ancestors())
                if (Moved().Match((string?)around.Attribute("transform") ?? "") is { Success: true } moved)
                    (x, y) = (x + Number(moved.Groups[1].Value), y + Number(moved.Groups[2].Value));
            string anchor =
                text.AncestorsAndSelf()
                    .Select(static element => (string?)element.Attribute("text-anchor"))
                    .FirstOrDefault(static a => a is not null)
                ?? "start";
            Assert.Contains(
                words,
                word =>
                    word.Text == text.Value
                    && word.Top < Point * y
                    && Point * y < word.Bottom
                    && Math.Abs(
                        (
                            anchor switch
                            {
                                "start" => word.Left,
                                "end" => word.Right,
                                _ => (word.Left + word.Right) / 2,
                            }
                        ) - (Point * x)
                    ) < 0.1
            );
            compared++;
        }
        Assert.True(compared > 8);
    }

    /// <summary>Every character of the fonts, at its width; those that no font has are read as themselves and seen as code points.</summary>
    [OracleFact(Oracle.Poppler)]
    public void Every_character_is_what_it_is()
    {
        string latin = string.Concat(
                Enumerable.Range(0x21, 94).Concat(Enumerable.Range(0xA1, 95)).Where(static c => c != 0xAD).Select(static c => (char)c)
            ),
            others = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ",
            signs = "∀∃∋∗−≅ΑΒΧΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΞΨΖ∴⊥αβχδεφγηιϕκλνοπθρστυϖωξψζϒ≤∞♣♦♥♠↔←↑→↓≥∝∂≠≡≈ℵ⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇∏√⇔⇐⇑⇒⇓◊∑∫",
            composed = "‖₀₁₉₊₋⁰⁴⁹⁻卷ő😀";
        string[] characters = [.. (latin + others + signs + composed).EnumerateRunes().Select(static rune => rune.ToString())];
        HeatMap map = new(
            "characters",
            ["x"],
            // Names have the room that the longest needs.
            [
                .. characters
                    .Select(static character => $"ab{character}{character}")
                    .Append(new string('w', 30))
                    .Select(static name => new HeatRow(name, "", "", "", [new(0.5, "1", "", false)])),
            ]
        );
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "characters.pdf");
        string drawing = Drawing(to => FigureSvg.Write(map, to));
        File.WriteAllBytes(path, Pdf(drawing));
        string read = Run("/usr/bin/pdftotext", "-raw", path, "-");
        string[] found = [.. read.Split('\n').Where(static line => line.StartsWith('a')).Select(static line => line.Split(' ')[0])];
        Assert.Equal(characters.Select(static character => $"ab{character}{character}"), found);
        // Names end at the map's left edge, whatever they are of.
        double edge =
            Point
            * (
                12
                + (double)
                    XDocument.Parse(drawing).Descendants().First(static e => (string?)e.Attribute("text-anchor") == "end").Attribute("x")!
            );
        List<(string Text, double Left, double Right, double Top, double Bottom)> words = Words(path);
        foreach (string character in characters)
            if (words.Where(word => word.Text == $"ab{character}{character}").ToList() is { Count: > 0 } same)
                Assert.All(same, word => Assert.Equal(edge, word.Right, 0.1));
        string shown = Encoding.ASCII.GetString(File.ReadAllBytes(path));
        Assert.Contains("(U+5377)", shown);
        Assert.Contains("(U+0151)", shown);
        Assert.Contains("(U+1F600)", shown);
        Assert.DoesNotContain("(?)", shown.Replace("ab??", ""));
    }

    /// <summary>One of everything that a chart may hold.</summary>
    private static string Everything()
    {
        Axis x = new("rank_k", new LinearScale(0, 10), TickFormat.Number),
            y = new("s_k", LogScale.Around([1e-6, 1]), TickFormat.PowerOfTen);
        Point[] points = [.. Enumerable.Range(0, 11).Select(static k => new Point(k, Math.Pow(10, -0.5 * k)))];
        Series Line(string name, Ink ink, double scale) => new(name, ink, [.. points.Select(p => p with { Y = p.Y * scale })]);
        Chart chart = new(
            "Lines",
            "",
            x,
            y,
            [
                Line("solid", new("hue0", 0), 1),
                Line("dashed", new("hue1", 1), 0.5),
                Line("dotted", new("hue2", 2), 0.3) with
                {
                    Dots = true,
                },
                Line("pale", new("hue3", 0), 0.1) with
                {
                    Dots = true,
                    IsPale = true,
                },
                Line("marks", Ink.Plain, 0.1) with
                {
                    IsMark = true,
                    HasLine = false,
                },
                new("ranges", Ink.OfDepth(3, 5), [.. points.Select(static p => p with { Range = (p.Y * 0.5, p.Y * 2) })]) { Dots = true },
            ]
        )
        {
            Levels = [new(1e-3, "level")],
        };
        Chart empty = new("Nothing", "", x, y with { Scale = new LinearScale(0, 1) }, []) { Size = ChartSize.Wide };
        Figure figure = new("everything", "Everything", [chart, chart, empty])
        {
            Legend = new([new("solid", new("hue0", 0)), new("dashed", new("hue1", 1))], new("first", "last")),
        };
        return Drawing(to => FigureSvg.Write(figure, to));
    }

    private static string Drawing(Action<TextWriter> draw)
    {
        using StringWriter to = new();
        draw(to);
        return to.ToString();
    }

    /// <summary>The SVG of a figure that an analysis writes.</summary>
    private static string Written(string folder, string figure)
    {
        FigureFiles.Write(MadeUp.ResNet32(), folder);
        return File.ReadAllText(Path.Combine(folder, figure + ".svg"));
    }

    private static byte[] Pdf(string drawing)
    {
        using MemoryStream to = new();
        FigurePdf.Write(drawing, to);
        return to.ToArray();
    }

    /// <summary>Words and their boxes, in points.</summary>
    private static List<(string Text, double Left, double Right, double Top, double Bottom)> Words(string pdf) =>
        [
            .. Word()
                .Matches(Run("/usr/bin/pdftotext", "-bbox", pdf, "-"))
                .Select(static match =>
                    (
                        System.Net.WebUtility.HtmlDecode(match.Groups[5].Value),
                        Number(match.Groups[1].Value),
                        Number(match.Groups[3].Value),
                        Number(match.Groups[2].Value),
                        Number(match.Groups[4].Value)
                    )
                ),
        ];

    private static string Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output;
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(\d{10}) 00000 n $", RegexOptions.Multiline)]
    private static partial Regex Places();

    [GeneratedRegex(@"^translate\(([-0-9.]+) ([-0-9.]+)\)$")]
    private static partial Regex Moved();

    [GeneratedRegex(@"<word xMin=""([-0-9.]+)"" yMin=""([-0-9.]+)"" xMax=""([-0-9.]+)"" yMax=""([-0-9.]+)"">([^<]*)</word>")]
    private static partial Regex Word();
}
