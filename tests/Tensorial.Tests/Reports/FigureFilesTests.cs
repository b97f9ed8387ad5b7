using System.Text.RegularExpressions;
using System.Xml.Linq;
using Tensorial.Reports;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Reports;

public partial class FigureFilesTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Every_figure_is_a_drawing_that_needs_no_page()
    {
        using TemporaryFolder folder = new();
        IReadOnlyList<string> files = FigureFiles.Write(MadeUp.ResNet32(), Path.Combine(folder.Path, "figures"));
        Assert.Equal(files.Count, files.Distinct().Count());
        foreach (string name in (string[])["alone-normloss", "kernels", "tolerance-1-point", "together"])
        {
            Assert.Contains(name + ".svg", files.Select(Path.GetFileName));
            Assert.Contains(name + ".pdf", files.Select(Path.GetFileName));
        }
        foreach (string file in files.Where(static path => path.EndsWith(".svg", StringComparison.Ordinal)))
        {
            string text = File.ReadAllText(file);
            XElement root = XDocument.Parse(text).Root!;
            Assert.Equal(Svg + "svg", root.Name);
            Assert.All(root.Descendants(), static element => Assert.Equal(Svg, element.Name.Namespace));
            Assert.DoesNotContain("var(", text);
            Assert.DoesNotContain("href", text);
            // Every colour that a line or a square asks for has a rule.
            string style = root.Element(Svg + "style")!.Value;
            foreach (string name in Classes().Matches(text).Select(static m => m.Value).Distinct())
                Assert.Matches($@"\.{name}[>{{]", style);
        }
    }

    [Fact]
    public void There_is_a_panel_for_each_kernel_measured()
    {
        using TemporaryFolder folder = new();
        string file = FigureFiles
            .Write(MadeUp.Named(["conv1", "<script>", "conv3"]), folder.Path)
            .Single(static path => Path.GetFileName(path) == "kernels.svg");
        XDocument drawing = XDocument.Load(file);
        Assert.Equal(
            ["conv1", "<script>", "conv3"],
            drawing.Descendants(Svg + "text").Where(static t => (string?)t.Attribute("class") == "heading").Select(static t => t.Value)
        );
    }

    [GeneratedRegex(@"\b(hue|depth|heat)\d+\b")]
    private static partial Regex Classes();
}
